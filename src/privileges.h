/* privileges: becoming the user that server.conf names, for good. */
#ifndef CISTERN_PRIVILEGES_H
#define CISTERN_PRIVILEGES_H

#include "config.h"

/*
 * Gives up what the process may do, once it listens: group, supplementary groups
 * and user, with no way back. EX_OK, also when there is nothing to do; else
 * EX_NOPERM or EX_OSERR, with the reason in report, and the process is to end.
 */
int privileges_drop(const struct config *config, struct report *report);

#endif
