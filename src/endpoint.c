#include "endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoint_parts.h"
#include "log.h"

/* Whoever else has the socket, such as the service manager, may have made it block. */
static bool make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && ((flags & O_NONBLOCK) != 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
}

int endpoint_add_socket(struct endpoint *endpoint, int fd, int backlog)
{
    if (!make_nonblocking(fd) || listen(fd, backlog) != 0) {
        int error = errno;
        close(fd);
        return error;
    }
    endpoint->sockets[endpoint->socket_count++] =
        (struct endpoint_socket){.endpoint = endpoint, .fd = fd};
    return 0;
}

/* The text with the port that was bound: what a client has to be told. */
static void describe(struct endpoint *endpoint)
{
    struct address bound = endpoint->address;
    if (address_has_port(&bound) && bound.port == 0)
        bound.port = ntohs(endpoint_bound_port(endpoint->sockets[0].fd));
    address_format(&bound, endpoint->text, sizeof endpoint->text);
}

static int open_sockets(struct endpoint *endpoint, const struct endpoint_options *options)
{
    switch (endpoint->address.family) {
    case ADDRESS_UNIX:
        return endpoint_open_unix(endpoint, options);
    case ADDRESS_SYSTEMD:
        return endpoint_open_passed(endpoint, options);
    default:
        return endpoint_open_inet(endpoint, options);
    }
}

static const char *reason_of(const struct endpoint *endpoint, int error)
{
    bool passed = endpoint->address.family == ADDRESS_SYSTEMD;
    switch (error) {
    case EHOSTUNREACH:
        return "the name does not resolve";
    case ENOENT:
        return passed ? "no socket of that name was passed at start" : strerror(error);
    case ENOTSOCK:
        return "what was passed is no listening stream socket";
    case E2BIG:
        return "too many sockets of that name were passed";
    default:
        return strerror(error);
    }
}

struct endpoint *endpoint_open(const struct address *address,
                               const struct endpoint_options *options, int *error, char *why,
                               size_t size)
{
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);
    if (endpoint == NULL) {
        *error = ENOMEM;
        snprintf(why, size, "out of memory");
        return NULL;
    }
    endpoint->address = *address;
    *error = open_sockets(endpoint, options);
    if (*error != 0) {
        snprintf(why, size, "%s", reason_of(endpoint, *error));
        endpoint_close(endpoint);
        return NULL;
    }
    describe(endpoint);
    return endpoint;
}

void endpoint_adjust(struct endpoint *endpoint, const struct endpoint_options *options)
{
    for (size_t i = 0; i < endpoint->socket_count; i++)
        listen(endpoint->sockets[i].fd, options->backlog);
    int error = endpoint_set_access(endpoint, &options->access);
    if (error != 0)
        log_warning("%s: cannot change its mode or owner: %s", endpoint->text, strerror(error));
}

/* --- the store ------------------------------------------------------------------- */

/* Known by the socket or by its file: the same before and after a restart. */
static bool name_stored(const struct endpoint *endpoint, int fd, char name[FDSTORE_NAME_SIZE])
{
    struct stat status;
    if (endpoint->address.family == ADDRESS_UNIX)
        endpoint_name_file(endpoint->device, endpoint->inode, name);
    else if (fstat(fd, &status) == 0)
        snprintf(name, FDSTORE_NAME_SIZE, FDSTORE_LISTENER "%ju", (uintmax_t)status.st_ino);
    else
        return false;
    return true;
}

void endpoint_store(struct endpoint *endpoint)
{
    const struct address *address = &endpoint->address;
    char name[FDSTORE_NAME_SIZE];
    if (endpoint->stored || address->family == ADDRESS_SYSTEMD ||
        (address_has_port(address) && address->port == 0))
        return;
    for (size_t i = 0; i < endpoint->socket_count; i++) {
        int fd = endpoint->sockets[i].fd;
        if (name_stored(endpoint, fd, name) && fdstore_push(name, fd))
            endpoint->stored = true;
    }
}

void endpoint_unstore(struct endpoint *endpoint)
{
    char name[FDSTORE_NAME_SIZE];
    for (size_t i = 0; endpoint->stored && i < endpoint->socket_count; i++) {
        if (name_stored(endpoint, endpoint->sockets[i].fd, name))
            fdstore_remove(name);
    }
    endpoint->stored = false;
}

/* --- the end --------------------------------------------------------------------- */

void endpoint_close(struct endpoint *endpoint)
{
    if (!endpoint->stored)
        endpoint_remove_file(endpoint);
    for (size_t i = 0; i < endpoint->socket_count; i++) {
        if (endpoint->sockets[i].acceptable != NULL)
            event_free(endpoint->sockets[i].acceptable);
        close(endpoint->sockets[i].fd);
    }
    free(endpoint);
}
