/*
 * passing: what a process does that had descriptors passed to it (sd_listen_fds(3)).
 *
 * They have to stand at 3 and above, where a test program has others: so each case
 * runs in a child of its own, and says by its exit status whether all was as it has to be.
 */
#ifndef CISTERN_TESTS_PASSING_H
#define CISTERN_TESTS_PASSING_H

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: Check's own assertions would jump into the parent's program. */
#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            _exit(EXIT_FAILURE);                                                                   \
        }                                                                                          \
    } while (0)

#define PASSING_MAX 8

/* A stream socket on a path, or with '@' in the abstract name space; listens unless idle. */
static inline int passing_socket(const char *path, bool idle)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_uint_lt(strlen(path), sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) +
                                   (path[0] == '@' ? 0 : 1));
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, length), 0);
    if (!idle)
        ck_assert_int_eq(listen(fd, 8), 0);
    return fd;
}

/* Runs act in a child that has these from descriptor 3 on. names: as LISTEN_FDNAMES, or NULL. */
static inline void pass(const int *fds, int count, const char *names, void (*act)(void))
{
    char number[24];
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        int high[PASSING_MAX];
        for (int i = 0; i < count; i++)
            EXPECT((high[i] = fcntl(fds[i], F_DUPFD, 100)) >= 100);
        for (int i = 0; i < count; i++)
            EXPECT(dup2(high[i], 3 + i) == 3 + i && close(high[i]) == 0);
        snprintf(number, sizeof number, "%d", count);
        setenv("LISTEN_FDS", number, 1);
        snprintf(number, sizeof number, "%ld", (long)getpid());
        setenv("LISTEN_PID", number, 1);
        if (names != NULL)
            setenv("LISTEN_FDNAMES", names, 1);
        act();
        _exit(EXIT_SUCCESS);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

#endif
