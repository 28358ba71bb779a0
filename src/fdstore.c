#include "fdstore.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "systemd.h"

bool fdstore_is_reserved(const char *name)
{
    return strncmp(name, FDSTORE_LISTENER, strlen(FDSTORE_LISTENER)) == 0 ||
           strncmp(name, FDSTORE_QUEUE, strlen(FDSTORE_QUEUE)) == 0;
}

bool fdstore_offered(void)
{
    const char *size = getenv("FDSTORE");
    const char *started = getenv("SYSTEMD_EXEC_PID");
    if (getenv("NOTIFY_SOCKET") == NULL)
        return false;
    if (size != NULL)
        return strtol(size, NULL, 10) > 0;
    return started != NULL && strtol(started, NULL, 10) == getpid();
}

/* FDPOLL=0: the manager does not drop it by itself when it looks like hung up. */
bool fdstore_push(const char *name, int fd)
{
    return fdstore_offered() && systemd_notify_fd(fd, "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
}

void fdstore_remove(const char *name)
{
    if (fdstore_offered())
        systemd_notify("FDSTOREREMOVE=1\nFDNAME=%s", name);
}
