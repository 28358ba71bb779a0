/* endpoint_passed: `systemd:NAME`, sockets that a socket unit has bound. */
#include "endpoint_parts.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "activation.h"
#include "log.h"

static bool has_option(int fd, int option, int wanted)
{
    int value = 0;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == wanted;
}

/* Says where it listens; false if it is no stream socket that listens. */
static bool describe_socket(int fd, char *text, size_t size)
{
    struct sockaddr_storage bound = {0};
    socklen_t length = sizeof bound;
    char host[NI_MAXHOST], port[NI_MAXSERV];
    const struct sockaddr *address = (const void *)&bound;
    const struct sockaddr_un *local = (const void *)&bound;
    if (!has_option(fd, SO_TYPE, SOCK_STREAM) || !has_option(fd, SO_ACCEPTCONN, 1) ||
        getsockname(fd, (struct sockaddr *)&bound, &length) != 0)
        return false;
    switch (bound.ss_family) {
    case AF_UNIX:
        snprintf(text, size, "unix:%s%s", local->sun_path[0] == '\0' ? "@" : "",
                 local->sun_path + (local->sun_path[0] == '\0'));
        return true;
    case AF_INET:
    case AF_INET6:
        if (getnameinfo(address, length, host, sizeof host, port, sizeof port,
                        NI_NUMERICHOST | NI_NUMERICSERV) != 0)
            return false;
        snprintf(text, size, bound.ss_family == AF_INET ? "%s:%s" : "[%s]:%s", host, port);
        return true;
    default:
        return false;
    }
}

static int add_passed(struct endpoint *endpoint, int fd, int backlog)
{
    char text[ADDRESS_TEXT_SIZE];
    bool listens = describe_socket(fd, text, sizeof text);
    if (!listens || endpoint->socket_count == ENDPOINT_SOCKETS_MAX) {
        close(fd);
        return listens ? E2BIG : ENOTSOCK;
    }
    log_info("systemd:%s is %s", endpoint->address.host, text);
    return endpoint_add_socket(endpoint, fd, backlog);
}

int endpoint_open_passed(struct endpoint *endpoint, const struct endpoint_options *options)
{
    for (size_t i = 0;; i++) {
        int fd = activation_copy(options->activation, endpoint->address.host, i);
        if (fd < 0)
            return errno == ENOENT && i > 0 ? 0 : errno;
        int error = add_passed(endpoint, fd, options->backlog);
        if (error != 0)
            return error;
    }
}
