#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/types.h>
#include <sysexits.h>
#include <unistd.h>

static bool is_user_already(uid_t user, gid_t group)
{
    uid_t uids[3];
    gid_t gids[3];
    return getresuid(&uids[0], &uids[1], &uids[2]) == 0 &&
           getresgid(&gids[0], &gids[1], &gids[2]) == 0 && uids[0] == user && uids[1] == user &&
           uids[2] == user && gids[0] == group && gids[1] == group && gids[2] == group;
}

/* The groups first: afterwards they could not be given up any more. */
static bool become(const struct account *user, gid_t group)
{
    return initgroups(user->name, group) == 0 && setresgid(group, group, group) == 0 &&
           setresuid(user->id, user->id, user->id) == 0;
}

/* Whether the way back is closed; root itself has none to close. */
static bool is_final(uid_t user)
{
    return user == 0 || (setuid(0) != 0 && seteuid(0) != 0);
}

int privileges_drop(const struct config *config, struct report *report)
{
    const struct account *user = &config->options->user;
    gid_t group = config->options->group.name[0] == '\0' ? user->group : config->options->group.id;
    unsigned line = config_line_of(&config->generic, "user");
    if (user->name[0] == '\0' || is_user_already(user->id, group))
        return EX_OK;
    if (!become(user, group)) {
        int error = errno;
        report_add_at(report, config->path, line, "user: cannot become %s: %s%s", user->name,
                      strerror(error), error == EPERM ? "; only root can" : "");
        return error == EPERM ? EX_NOPERM : EX_OSERR;
    }
    if (!is_user_already(user->id, group) || !is_final(user->id)) {
        report_add_at(report, config->path, line, "user: became %s, but could be root again",
                      user->name);
        return EX_OSERR;
    }
    return EX_OK;
}
