/*
 * steps: how many instructions a part of a program's work takes: an exact number, which
 * neither the machine's speed nor what else it does can change.
 *
 * The work is done by a child process, between two calls of steps_mark(); there the child
 * is led through it by single steps. What it does elsewhere runs at full speed.
 */
#ifndef CISTERN_TESTS_STEPS_H
#define CISTERN_TESTS_STEPS_H

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* Begins a part, or ends it. */
static inline void steps_mark(void)
{
    raise(SIGUSR1);
}

static inline pid_t steps_start(void (*work)(void *context), void *context)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            _exit(EXIT_FAILURE);
        raise(SIGSTOP);
        work(context);
        _exit(EXIT_SUCCESS);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    if (!WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)PTRACE_O_EXITKILL) != 0)
        ck_abort_msg("this test needs ptrace(2) of its own child: %s", strerror(errno));
    return child;
}

/* Does the work; returns how many parts it had, and the instructions of each of them. */
static inline size_t steps_count(void (*work)(void *context), void *context, uint64_t *counts,
                                 size_t most)
{
    pid_t child = steps_start(work, context);
    bool inside = false;
    size_t parts = 0;
    int status, signal = 0;
    do {
        enum __ptrace_request how = inside ? PTRACE_SINGLESTEP : PTRACE_CONT;
        ck_assert_int_eq(ptrace(how, child, NULL, (void *)(intptr_t)signal), 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        signal = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
        if (signal == SIGUSR1) {
            inside = !inside;
            parts += inside ? 0 : 1;
            ck_assert_uint_lt(parts, most);
            counts[parts] = 0;
        } else if (signal == SIGTRAP && inside) {
            counts[parts]++;
        }
        if (signal == SIGUSR1 || signal == SIGTRAP)
            signal = 0;
    } while (WIFSTOPPED(status));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
        ck_abort_msg("the work that is counted has failed");
    return parts;
}

#endif
