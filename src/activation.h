/*
 * activation: the descriptors that the service manager passes at start.
 *
 * sd_listen_fds(3): LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES in the environment,
 * the descriptors from 3 on. Two kinds come, told apart by their names: sockets of
 * socket units, several of which may share a name, and what this service has
 * stored itself before (fdstore.h). Their order means nothing.
 *
 * Sockets of units are kept for the life of the process, so that a reload may
 * drop a listener and a later one bring it back; a listener gets copies. What is
 * stored is handed over to who takes it. All for the main thread.
 */
#ifndef CISTERN_ACTIVATION_H
#define CISTERN_ACTIVATION_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct activation;

/*
 * Takes what was passed to this process, marks it close-on-exec, and removes the
 * variables. NULL when memory is out; where nothing was passed it is empty.
 */
struct activation *activation_new(void);
/* Closes what nobody has taken. */
void activation_free(struct activation *activation);

/*
 * A copy, close-on-exec, of the index-th descriptor of that name; the caller's.
 * -1 with errno: ENOENT if there are no more of that name. Its being asked for
 * makes it a claimed one.
 */
int activation_copy(struct activation *activation, const char *name, size_t index);

/* Takes over a stored descriptor: the caller's. -1 if there is none (NULL has none). */
int activation_take(struct activation *activation, const char *name);
/* The same for a stored listening socket that is bound to this address; name: any if NULL. */
int activation_take_bound(struct activation *activation, const char *name,
                          const struct sockaddr *address, socklen_t length);

/*
 * Drops stored listening sockets on this port (network order) from here and
 * from the store, so that it can be bound in another way. Whether there were any.
 */
bool activation_give_up(struct activation *activation, in_port_t port);

/* A stored descriptor, which stays here. -1 if there is none. */
int activation_find(const struct activation *activation, const char *name);
/* The names of the descriptors that are here, one after the other; NULL: no more. */
const char *activation_name(const struct activation *activation, size_t index);

/*
 * The start has succeeded: what nobody claimed is closed, with a warning, and if
 * it was stored, removed from the store; but for contents (FDSTORE_QUEUE), which
 * whoever they belong to may yet want.
 */
void activation_settle(struct activation *activation);

#endif
