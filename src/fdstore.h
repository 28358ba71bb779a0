/*
 * fdstore: descriptors that the service manager keeps for the process that comes after this one.
 *
 * systemd holds a copy of what is pushed, over a restart, a crash and a kill by
 * the watchdog, and passes it to the next start (activation.h), until it is
 * removed or the service is stopped. See FileDescriptorStoreMax= in
 * systemd.service(5). Without such a manager nothing here does anything.
 */
#ifndef CISTERN_FDSTORE_H
#define CISTERN_FDSTORE_H

#include <stdbool.h>

/* What the names of stored descriptors begin with: no socket unit may use these. */
#define FDSTORE_LISTENER "listener." /* our own listening sockets */
#define FDSTORE_QUEUE "queue."       /* contents of queues */
bool fdstore_is_reserved(const char *name);

/* The longest name and the end. */
#define FDSTORE_NAME_SIZE 256

/*
 * Whether the manager says that it keeps descriptors: by $FDSTORE, since systemd
 * 254. Before that it is taken for granted when systemd has started this
 * process itself ($SYSTEMD_EXEC_PID): a service without a store ignores it.
 */
bool fdstore_offered(void);

/* Keeps a copy of fd under name, which has no ':' and no control characters. False if not. */
bool fdstore_push(const char *name, int fd);
/* Drops every descriptor of that name. */
void fdstore_remove(const char *name);

#endif
