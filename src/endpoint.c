#include "endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* For how long another daemon that starts is waited for: microseconds, times tries. */
#define LOCK_INTERVAL 10000U
#define LOCK_TRIES 100

/* Takes a bound socket over, or closes it. Returns 0 or an errno. */
static int add_socket(struct endpoint *endpoint, int fd, int backlog)
{
    if (listen(fd, backlog) != 0) {
        int error = errno;
        close(fd);
        return error;
    }
    endpoint->sockets[endpoint->socket_count++] =
        (struct endpoint_socket){.endpoint = endpoint, .fd = fd};
    return 0;
}

static int open_inet(struct endpoint *endpoint, const struct sockaddr *address, socklen_t length,
                     int backlog)
{
    const int on = 1;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    bool inet6 = address->sa_family == AF_INET6;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        (inet6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) ||
        bind(fd, address, length) != 0) {
        int error = errno;
        close(fd);
        return error;
    }
    return add_socket(endpoint, fd, backlog);
}

/* Where the port stands, in network order. */
static in_port_t *port_of(struct sockaddr *address)
{
    void *any = address;
    return address->sa_family == AF_INET6 ? &((struct sockaddr_in6 *)any)->sin6_port
                                          : &((struct sockaddr_in *)any)->sin_port;
}

/* The port that was bound, in network order; 0 if it cannot be told. */
static in_port_t bound_port(int fd)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr *address = (void *)&storage;
    socklen_t length = sizeof storage;
    return getsockname(fd, address, &length) == 0 ? *port_of(address) : 0;
}

/* A host without IPv6 (or IPv4) has no use for that half of a wildcard or a name. */
static bool family_is_missing(int error)
{
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

static int open_resolved(struct endpoint *endpoint, const char *host, int flags, int backlog)
{
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)endpoint->address.port);
    const struct addrinfo hints = {
        .ai_flags = flags | AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return EHOSTUNREACH;
    int error = EHOSTUNREACH;
    for (const struct addrinfo *info = found; info != NULL; info = info->ai_next) {
        if (endpoint->socket_count == ENDPOINT_SOCKETS_MAX)
            break;
        /* One endpoint has one port, the one that the kernel chose for its first socket. */
        if (endpoint->address.port == 0 && endpoint->socket_count > 0)
            *port_of(info->ai_addr) = bound_port(endpoint->sockets[0].fd);
        int result = open_inet(endpoint, info->ai_addr, info->ai_addrlen, backlog);
        if (result == 0 || !family_is_missing(result) || info->ai_next == NULL)
            error = result;
        if (result != 0 && !family_is_missing(result))
            break;
    }
    freeaddrinfo(found);
    return endpoint->socket_count > 0 && family_is_missing(error) ? 0 : error;
}

/*
 * A socket file that nobody listens on is left over from a crash and is
 * replaced; one that is in use, and a file of any other kind, stays.
 */
static void remove_stale(const struct sockaddr_un *address)
{
    struct stat status;
    if (lstat(address->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
        errno == ECONNREFUSED)
        unlink(address->sun_path);
    close(fd);
}

/*
 * Between bind() and listen() a socket looks stale to another daemon that starts.
 * So those that start take turns, by a lock on the directory; somebody who holds
 * it for longer is not waited for. Returns the descriptor that holds it, or -1.
 */
static int lock_directory(const char *path)
{
    char *directory = strdup(path);
    int fd = directory == NULL
                 ? -1
                 : open(dirname(directory), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(directory);
    for (int tries = 0; fd >= 0 && tries < LOCK_TRIES; tries++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
            break;
        usleep(LOCK_INTERVAL);
    }
    return fd;
}

static int bind_unix(struct endpoint *endpoint, const struct sockaddr_un *address, int backlog)
{
    remove_stale(address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    struct stat status;
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) != 0 ||
        stat(address->sun_path, &status) != 0) {
        int error = errno;
        close(fd);
        return error;
    }
    endpoint->device = status.st_dev;
    endpoint->inode = status.st_ino;
    return add_socket(endpoint, fd, backlog);
}

static int open_unix(struct endpoint *endpoint, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(endpoint->address.host);
    if (length >= sizeof address.sun_path)
        return ENAMETOOLONG;
    memcpy(address.sun_path, endpoint->address.host, length);
    int lock = lock_directory(address.sun_path);
    int error = bind_unix(endpoint, &address, backlog);
    if (lock >= 0)
        close(lock);
    return error;
}

/* The text with the port that was bound: what a client has to be told. */
static void describe(struct endpoint *endpoint)
{
    struct address bound = endpoint->address;
    if (bound.family != ADDRESS_UNIX && bound.port == 0)
        bound.port = ntohs(bound_port(endpoint->sockets[0].fd));
    address_format(&bound, endpoint->text, sizeof endpoint->text);
}

struct endpoint *endpoint_open(const struct address *address, int backlog, int *error, char *why,
                               size_t size)
{
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);
    if (endpoint == NULL) {
        *error = ENOMEM;
        snprintf(why, size, "out of memory");
        return NULL;
    }
    endpoint->address = *address;
    if (address->family == ADDRESS_UNIX)
        *error = open_unix(endpoint, backlog);
    else if (address->family == ADDRESS_ANY)
        *error = open_resolved(endpoint, NULL, AI_PASSIVE, backlog);
    else if (address->family == ADDRESS_NAME && strcmp(address->host, "localhost") == 0)
        *error = open_resolved(endpoint, NULL, 0, backlog); /* RFC 6761: no resolver is asked */
    else if (address->family == ADDRESS_NAME)
        *error = open_resolved(endpoint, address->host, AI_ADDRCONFIG, backlog);
    else
        *error = open_resolved(endpoint, address->host, AI_NUMERICHOST, backlog);
    if (*error != 0) {
        snprintf(why, size, "%s",
                 *error == EHOSTUNREACH ? "the name does not resolve" : strerror(*error));
        endpoint_close(endpoint);
        return NULL;
    }
    describe(endpoint);
    return endpoint;
}

void endpoint_set_backlog(struct endpoint *endpoint, int backlog)
{
    for (size_t i = 0; i < endpoint->socket_count; i++)
        listen(endpoint->sockets[i].fd, backlog);
}

void endpoint_close(struct endpoint *endpoint)
{
    struct stat status;
    bool bound = endpoint->address.family == ADDRESS_UNIX && endpoint->inode != 0;
    if (bound && lstat(endpoint->address.host, &status) == 0 && status.st_dev == endpoint->device &&
        status.st_ino == endpoint->inode)
        unlink(endpoint->address.host);
    for (size_t i = 0; i < endpoint->socket_count; i++) {
        if (endpoint->sockets[i].acceptable != NULL)
            event_free(endpoint->sockets[i].acceptable);
        close(endpoint->sockets[i].fd);
    }
    free(endpoint);
}
