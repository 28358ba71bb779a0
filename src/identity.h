/* identity: who is at the other end of a unix socket, as the kernel vouches for him. */
#ifndef CISTERN_IDENTITY_H
#define CISTERN_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

struct identity {
    uid_t user;
    /*
     * Is in the group that the socket's file belongs to. In a user namespace all
     * groups that it does not map look like one.
     */
    bool in_group;
};

/* False when the socket is none of a unix-domain connection. */
bool identity_of_peer(int fd, struct identity *identity);

#endif
