/*
 * config_file: reads the file, and lets libconfuse judge what is in it.
 */
#ifndef CISTERN_CONFIG_FILE_H
#define CISTERN_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"
#include "config_text.h"

/*
 * The whole of a regular file, at most CONFIG_FILE_MAX + 1 bytes of it; the
 * caller frees it. NULL with the reason in report.
 */
char *config_file_read(const char *path, size_t *length, struct report *report);

/*
 * Checks the statements against the rows and the protocols, and unquotes the
 * values and the titles of sub-sections. Every statement that is not in its
 * place is reported, and marked as dropped. False if there were too many of
 * them, or memory is out.
 */
bool config_file_check(struct config_text *text);

#endif
