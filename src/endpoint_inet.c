/* endpoint_inet: TCP sockets: numbers, names and `*`. */
#include "endpoint_parts.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "activation.h"

/* Where the port stands, in network order. */
static in_port_t *port_of(struct sockaddr *address)
{
    void *any = address;
    return address->sa_family == AF_INET6 ? &((struct sockaddr_in6 *)any)->sin6_port
                                          : &((struct sockaddr_in *)any)->sin_port;
}

/* The error; or 0, and *fd. */
static int bind_one(const struct sockaddr *address, socklen_t length, int *fd)
{
    const int on = 1;
    *fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return errno;
    bool inet6 = address->sa_family == AF_INET6;
    if (setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (!inet6 || setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
        bind(*fd, address, length) == 0)
        return 0;
    int error = errno;
    close(*fd);
    return error;
}

static int open_one(struct endpoint *endpoint, struct sockaddr *address, socklen_t length,
                    const struct endpoint_options *options)
{
    int error = 0, fd = activation_take_bound(options->activation, NULL, address, length);
    if (fd < 0)
        error = bind_one(address, length, &fd);
    /* Perhaps we have it ourselves, from before the address was changed: `*` for a number. */
    if (error == EADDRINUSE && activation_give_up(options->activation, *port_of(address)))
        error = bind_one(address, length, &fd);
    return error != 0 ? error : endpoint_add_socket(endpoint, fd, options->backlog);
}

in_port_t endpoint_bound_port(int fd)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr *address = (void *)&storage;
    socklen_t length = sizeof storage;
    bool known = getsockname(fd, address, &length) == 0 &&
                 (address->sa_family == AF_INET || address->sa_family == AF_INET6);
    return known ? *port_of(address) : 0;
}

/* A host without IPv6 (or IPv4) has no use for that half of a wildcard or a name. */
static bool family_is_missing(int error)
{
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

static int open_found(struct endpoint *endpoint, const struct addrinfo *found,
                      const struct endpoint_options *options)
{
    int error = EHOSTUNREACH;
    for (const struct addrinfo *info = found; info != NULL; info = info->ai_next) {
        if (endpoint->socket_count == ENDPOINT_SOCKETS_MAX)
            break;
        /* One endpoint has one port, the one that the kernel chose for its first socket. */
        if (endpoint->address.port == 0 && endpoint->socket_count > 0)
            *port_of(info->ai_addr) = endpoint_bound_port(endpoint->sockets[0].fd);
        int result = open_one(endpoint, info->ai_addr, info->ai_addrlen, options);
        if (result == 0 || !family_is_missing(result) || info->ai_next == NULL)
            error = result;
        if (result != 0 && !family_is_missing(result))
            break;
    }
    return endpoint->socket_count > 0 && family_is_missing(error) ? 0 : error;
}

/* What getaddrinfo() is asked for. */
static void ask_for(const struct address *address, const char **host, int *flags)
{
    *host = address->host;
    *flags = AI_NUMERICHOST;
    if (address->family == ADDRESS_ANY) {
        *host = NULL;
        *flags = AI_PASSIVE;
    } else if (address->family == ADDRESS_NAME && strcmp(address->host, "localhost") == 0) {
        *host = NULL; /* RFC 6761: no resolver is asked */
        *flags = 0;
    } else if (address->family == ADDRESS_NAME) {
        *flags = AI_ADDRCONFIG;
    }
}

int endpoint_open_inet(struct endpoint *endpoint, const struct endpoint_options *options)
{
    char port[8];
    const char *host;
    int flags;
    snprintf(port, sizeof port, "%u", (unsigned)endpoint->address.port);
    ask_for(&endpoint->address, &host, &flags);
    const struct addrinfo hints = {
        .ai_flags = flags | AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return EHOSTUNREACH;
    int error = open_found(endpoint, found, options);
    freeaddrinfo(found);
    return error;
}
