#include "identity.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* The group of the file that the connection came by; false if there is none (any more). */
static bool group_of_socket(int fd, gid_t *group)
{
    struct sockaddr_un address = {0};
    struct stat status;
    socklen_t length = sizeof address - 1; /* so that the path ends */
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0 ||
        address.sun_family != AF_UNIX || address.sun_path[0] != '/' ||
        stat(address.sun_path, &status) != 0)
        return false;
    *group = status.st_gid;
    return true;
}

/* Whether the peer has it among its supplementary groups. */
static bool has_group(int fd, gid_t group)
{
    socklen_t size = 0;
    bool found = false;
    getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size); /* says how many there are */
    gid_t *groups = size > 0 ? malloc(size) : NULL;
    if (groups == NULL || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
        size = 0;
    for (size_t i = 0; i < size / sizeof *groups; i++)
        found = found || groups[i] == group;
    free(groups);
    return found;
}

bool identity_of_peer(int fd, struct identity *identity)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    gid_t group;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 ||
        size != sizeof credentials || credentials.pid == 0)
        return false;
    identity->user = credentials.uid;
    identity->in_group =
        group_of_socket(fd, &group) && (credentials.gid == group || has_group(fd, group));
    return true;
}
