/* endpoint_unix: sockets in the file system, and their files. */
#include "endpoint_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "activation.h"

/* For how long another daemon that starts is waited for: microseconds, times tries. */
#define LOCK_INTERVAL 10000U
#define LOCK_TRIES 100

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
    int fd = directory == NULL ? -1 : open(dirname(directory), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(directory);
    for (int tries = 0; fd >= 0 && tries < LOCK_TRIES; tries++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
            break;
        usleep(LOCK_INTERVAL);
    }
    return fd;
}

/* --- the file -------------------------------------------------------------------- */

/* Whether the file at the endpoint's path is the one that it has bound. */
static bool is_own(const struct endpoint *endpoint, struct stat *status)
{
    return endpoint->address.family == ADDRESS_UNIX && endpoint->inode != 0 &&
           lstat(endpoint->address.host, status) == 0 && status->st_dev == endpoint->device &&
           status->st_ino == endpoint->inode;
}

void endpoint_remove_file(const struct endpoint *endpoint)
{
    struct stat status;
    if (is_own(endpoint, &status))
        unlink(endpoint->address.host);
}

int endpoint_set_access(const struct endpoint *endpoint, const struct endpoint_access *access)
{
    const char *path = endpoint->address.host;
    struct stat is;
    if (!is_own(endpoint, &is))
        return 0;
    /* To change nothing may not be permitted either. */
    uid_t owner = access->owner == is.st_uid ? (uid_t)-1 : access->owner;
    gid_t group = access->group == is.st_gid ? (gid_t)-1 : access->group;
    bool chown_needed = owner != (uid_t)-1 || group != (gid_t)-1;
    bool chmod_needed = access->mode != 0 && access->mode != (is.st_mode & 07777);
    /* The owner first: the mode is meant for him. */
    if ((chown_needed && fchownat(AT_FDCWD, path, owner, group, AT_SYMLINK_NOFOLLOW) != 0) ||
        (chmod_needed && fchmodat(AT_FDCWD, path, access->mode, AT_SYMLINK_NOFOLLOW) != 0))
        return errno;
    return 0;
}

void endpoint_name_file(dev_t device, ino_t inode, char name[FDSTORE_NAME_SIZE])
{
    snprintf(name, FDSTORE_NAME_SIZE, FDSTORE_LISTENER "%jx-%jx", (uintmax_t)device,
             (uintmax_t)inode);
}

/* --- opening --------------------------------------------------------------------- */

/* Nobody can connect before listen(), so mode and owner are set in time. */
static int bind_new(struct endpoint *endpoint, const struct sockaddr_un *address,
                    const struct endpoint_options *options)
{
    remove_stale(address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    struct stat status;
    int error = 0;
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) != 0 ||
        lstat(address->sun_path, &status) != 0)
        error = errno;
    if (error == 0) {
        endpoint->device = status.st_dev;
        endpoint->inode = status.st_ino;
        error = endpoint_set_access(endpoint, &options->access);
    }
    if (error != 0) {
        close(fd);
        return error;
    }
    return endpoint_add_socket(endpoint, fd, options->backlog);
}

/* A stored socket is of use as long as its file is there: -1 if none is. */
static int take_stored(struct endpoint *endpoint, const struct sockaddr_un *address,
                       struct activation *activation)
{
    struct stat status;
    char name[FDSTORE_NAME_SIZE];
    socklen_t length =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(address->sun_path) + 1);
    if (lstat(address->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return -1;
    endpoint_name_file(status.st_dev, status.st_ino, name);
    int fd = activation_take_bound(activation, name, (const struct sockaddr *)address, length);
    if (fd >= 0) {
        endpoint->device = status.st_dev;
        endpoint->inode = status.st_ino;
    }
    return fd;
}

static int open_locked(struct endpoint *endpoint, const struct sockaddr_un *address,
                       const struct endpoint_options *options)
{
    int fd = take_stored(endpoint, address, options->activation);
    if (fd < 0)
        return bind_new(endpoint, address, options);
    int error = endpoint_set_access(endpoint, &options->access);
    if (error != 0) {
        close(fd);
        return error;
    }
    return endpoint_add_socket(endpoint, fd, options->backlog);
}

int endpoint_open_unix(struct endpoint *endpoint, const struct endpoint_options *options)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(endpoint->address.host);
    if (length >= sizeof address.sun_path)
        return ENAMETOOLONG;
    memcpy(address.sun_path, endpoint->address.host, length);
    int lock = lock_directory(address.sun_path);
    int error = open_locked(endpoint, &address, options);
    if (lock >= 0)
        close(lock);
    return error;
}
