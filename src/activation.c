#include "activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "endpoint_parts.h"
#include "fdstore.h"
#include "log.h"
#include "systemd.h"

/* SD_LISTEN_FDS_START */
#define FIRST_FD 3
/* More than any manager passes: a larger number is a mistake. */
#define PASSED_MAX 4096

struct passed {
    int fd;     /* -1: handed over, or closed */
    char *name; /* "" where the manager has none */
    bool claimed;
};

struct activation {
    size_t count;
    struct passed items[];
};

/* How many descriptors are meant for this process. */
static size_t count_passed(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *fds = getenv("LISTEN_FDS");
    if (pid == NULL || fds == NULL || strtol(pid, NULL, 10) != getpid())
        return 0;
    long count = strtol(fds, NULL, 10);
    if (count < 0 || count > PASSED_MAX) {
        log_warning("LISTEN_FDS=%s is no number of descriptors", fds);
        return 0;
    }
    return (size_t)count;
}

/* Names stand between colons; there may be fewer of them than descriptors. */
static char *next_name(const char **names)
{
    size_t length = strcspn(*names, ":");
    char *name = strndup(*names, length);
    *names += length + ((*names)[length] == ':');
    return name;
}

static bool fill(struct activation *activation)
{
    const char *names = getenv("LISTEN_FDNAMES");
    if (names == NULL)
        names = "";
    for (size_t i = 0; i < activation->count; i++) {
        struct passed *passed = &activation->items[i];
        passed->fd = FIRST_FD + (int)i;
        passed->name = next_name(&names);
        if (passed->name == NULL)
            return false;
        if (fcntl(passed->fd, F_SETFD, FD_CLOEXEC) != 0) {
            log_warning("descriptor %d was announced, and not passed", passed->fd);
            passed->fd = -1;
        }
    }
    return true;
}

struct activation *activation_new(void)
{
    size_t count = count_passed();
    struct activation *activation = calloc(1, sizeof *activation + count * sizeof(struct passed));
    if (activation == NULL)
        return NULL;
    activation->count = count;
    if (!fill(activation)) {
        activation_free(activation);
        return NULL;
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return activation;
}

static void drop(struct passed *passed)
{
    if (passed->fd >= 0)
        close(passed->fd);
    passed->fd = -1;
}

void activation_free(struct activation *activation)
{
    for (size_t i = 0; activation != NULL && i < activation->count; i++) {
        drop(&activation->items[i]);
        free(activation->items[i].name);
    }
    free(activation);
}

int activation_copy(struct activation *activation, const char *name, size_t index)
{
    for (size_t i = 0; activation != NULL && i < activation->count; i++) {
        struct passed *passed = &activation->items[i];
        if (passed->fd < 0 || strcmp(passed->name, name) != 0 || index-- > 0)
            continue;
        passed->claimed = true;
        return fcntl(passed->fd, F_DUPFD_CLOEXEC, FIRST_FD);
    }
    errno = ENOENT;
    return -1;
}

static int hand_over(struct passed *passed)
{
    int fd = passed->fd;
    passed->fd = -1;
    return fd;
}

int activation_take(struct activation *activation, const char *name)
{
    for (size_t i = 0; activation != NULL && i < activation->count; i++) {
        struct passed *passed = &activation->items[i];
        if (passed->fd >= 0 && fdstore_is_reserved(passed->name) && strcmp(passed->name, name) == 0)
            return hand_over(passed);
    }
    return -1;
}

int activation_find(const struct activation *activation, const char *name)
{
    for (size_t i = 0; activation != NULL && i < activation->count; i++) {
        const struct passed *passed = &activation->items[i];
        if (passed->fd >= 0 && strcmp(passed->name, name) == 0)
            return passed->fd;
    }
    return -1;
}

const char *activation_name(const struct activation *activation, size_t index)
{
    for (size_t i = 0; activation != NULL && i < activation->count; i++) {
        if (activation->items[i].fd >= 0 && index-- == 0)
            return activation->items[i].name;
    }
    return NULL;
}

static bool is_bound_to(int fd, const struct sockaddr *address, socklen_t length)
{
    struct sockaddr_storage bound = {0};
    socklen_t bound_length = sizeof bound;
    int listening = 0;
    socklen_t size = sizeof listening;
    return getsockname(fd, (struct sockaddr *)&bound, &bound_length) == 0 &&
           bound_length <= length && memcmp(&bound, address, bound_length) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening;
}

int activation_take_bound(struct activation *activation, const char *name,
                          const struct sockaddr *address, socklen_t length)
{
    for (size_t i = 0; activation != NULL && i < activation->count; i++) {
        struct passed *passed = &activation->items[i];
        if (passed->fd >= 0 &&
            strncmp(passed->name, FDSTORE_LISTENER, strlen(FDSTORE_LISTENER)) == 0 &&
            (name == NULL || strcmp(passed->name, name) == 0) &&
            is_bound_to(passed->fd, address, length))
            return hand_over(passed);
    }
    return -1;
}

static bool is_on_port(const struct passed *passed, in_port_t port)
{
    return passed->fd >= 0 &&
           strncmp(passed->name, FDSTORE_LISTENER, strlen(FDSTORE_LISTENER)) == 0 &&
           endpoint_bound_port(passed->fd) == port;
}

bool activation_give_up(struct activation *activation, in_port_t port)
{
    bool found = false;
    for (size_t i = 0; activation != NULL && i < activation->count; i++) {
        struct passed *passed = &activation->items[i];
        if (!is_on_port(passed, port))
            continue;
        found = true;
        fdstore_remove(passed->name);
        drop(passed);
    }
    if (found)
        systemd_barrier(); /* the manager's copy holds the port, too */
    return found;
}

void activation_settle(struct activation *activation)
{
    for (size_t i = 0; i < activation->count; i++) {
        struct passed *passed = &activation->items[i];
        if (passed->fd < 0 || passed->claimed ||
            strncmp(passed->name, FDSTORE_QUEUE, strlen(FDSTORE_QUEUE)) == 0)
            continue;
        if (fdstore_is_reserved(passed->name)) {
            log_notice("stored descriptor \"%s\" is not needed any more: removed", passed->name);
            fdstore_remove(passed->name);
        } else {
            log_warning("passed socket \"%s\" (descriptor %d) is no listener's: closed; "
                        "listen = { \"systemd:%s\" } would take it",
                        passed->name, passed->fd, passed->name);
        }
        drop(passed);
    }
}
