/* commands: what cisternctl does beside asking the daemon. */
#ifndef CISTERN_CTL_COMMANDS_H
#define CISTERN_CTL_COMMANDS_H

#include <stddef.h>

#include "client.h"

/* Those that are no commands of the daemon (control/command.h); ends with a name NULL. */
struct own_command {
    const char *name;
    const char *arguments;
    const char *summary;
};
extern const struct own_command own_commands[];

/* The options, for --help and completion; ends with a letter NUL. */
struct own_option {
    char letter;
    const char *name;
    const char *value; /* NULL: it takes none */
    const char *help;
};
extern const struct own_option own_options[];

/* Prints samples until there were `count` of them (0: for ever), so many seconds apart. */
int top_run(const char *path, unsigned long count, double delay);

/*
 * Prints what the last word may become, a line each: the whole word, a tab,
 * what it is. The words are those behind "cisternctl" on the command line.
 */
int complete_run(const char *path, const char *const *words, size_t count);

#endif
