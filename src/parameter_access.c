#include "parameter_access.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#define MODE_MAX 0777U

static const char *parse_mode(const char *text, uint64_t *mode)
{
    uint64_t value = 0;
    size_t length = strlen(text);

    if (length < 3 || length > 4 || strspn(text, "01234567") != length)
        return "is no mode";
    for (; *text != '\0'; text++)
        value = value * 8 + (uint64_t)(*text - '0');
    if (value == 0 || value > MODE_MAX)
        return "is out of range";
    *mode = value;
    return NULL;
}

static const char *parse_account(enum parameter_type type, const char *text,
                                 struct account *account)
{
    struct account found = {0};

    if (strlen(text) >= sizeof(found.name))
        return "is too long for a name";
    strcpy(found.name, text);
    if (type == PARAMETER_USER) {
        const struct passwd *user = getpwnam(text);
        if (user == NULL)
            return "is no user of this system";
        found.id = user->pw_uid;
        found.group = user->pw_gid;
    } else {
        const struct group *group = getgrnam(text);
        if (group == NULL)
            return "is no group of this system";
        found.id = group->gr_gid;
    }
    *account = found;
    return NULL;
}

const char *access_parse(const struct parameter *row, const char *text, void *value)
{
    bool none = (row->flags & PARAMETER_NONE) && strcmp(text, "none") == 0;

    if (row->type == PARAMETER_MODE && none) {
        *(uint64_t *)value = PARAMETER_IS_NONE;
        return NULL;
    }
    if (none) {
        *(struct account *)value = (struct account){.id = ACCOUNT_NOBODY};
        return NULL;
    }
    return row->type == PARAMETER_MODE ? parse_mode(text, value)
                                       : parse_account(row->type, text, value);
}

const char *access_format(const struct parameter *row, const void *value, char *buffer, size_t size)
{
    const struct account *account = value;
    bool is_mode = row->type == PARAMETER_MODE;

    if (is_mode && *(const uint64_t *)value != PARAMETER_IS_NONE)
        snprintf(buffer, size, "%04o", (unsigned)*(const uint64_t *)value);
    else
        snprintf(buffer, size, "%s", is_mode || account->name[0] == '\0' ? "none" : account->name);
    return buffer;
}
