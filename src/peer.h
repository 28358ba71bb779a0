/*
 * peer: who has connected, as the kernel says it, and as text. Pure.
 *
 * Every accepted connection pays for its text, so that is made without stdio
 * and, for IPv4, without inet_ntop(3), which glibc makes of sprintf(3): the two
 * were a quarter of the instructions that a connection cost.
 */
#ifndef CISTERN_PEER_H
#define CISTERN_PEER_H

#include <netinet/in.h>
#include <sys/socket.h>

/* As accept(2) fills it in; of a unix socket only the family. */
union peer_address {
    struct sockaddr any;
    struct sockaddr_in inet;
    struct sockaddr_in6 inet6;
};

/* Room for "[ipv6]:port" and the end. */
#define PEER_TEXT_SIZE 56U

/* "127.0.0.1:40112", "[::1]:40112" or "unix". Returns text. */
const char *peer_format(const union peer_address *peer, char text[PEER_TEXT_SIZE]);

#endif
