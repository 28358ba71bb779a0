/* What words of a request mean: see control.h. */
#include <stdio.h>
#include <string.h>

#include "control.h"

/* The word as a text that fits; an empty one if it does not, or has a NUL in it. */
static const char *text_of(struct resp_argument word, char *buffer, size_t size)
{
    bool fits = word.length < size && memchr(word.data, '\0', word.length) == NULL;
    snprintf(buffer, size, "%.*s", fits ? (int)word.length : 0, word.data);
    return buffer;
}

struct listener *control_listener(struct call *call, struct resp_argument name)
{
    char text[128], quoted[TEXT_QUOTED_SIZE];
    struct listener *found = server_find_listener(call->server, text_of(name, text, sizeof text));
    if (found == NULL)
        control_error(call, "ERR", "there is no listener %s",
                      text_quote(name.data, name.length, quoted));
    return found;
}

bool control_number(struct call *call, const char *what, struct resp_argument word,
                    uint64_t maximum, uint64_t *number)
{
    int64_t value;
    if (resp_parse_integer(word, &value) && value > 0 && (uint64_t)value <= maximum) {
        *number = (uint64_t)value;
        return true;
    }
    control_error(call, "ERR", "%s: it has to be a number from 1 to %llu", what,
                  (unsigned long long)maximum);
    return false;
}

bool control_duration(struct call *call, const char *what, struct resp_argument word,
                      uint64_t *milliseconds)
{
    const struct parameter row = {
        .name = what, .type = PARAMETER_DURATION, .minimum = 1, .maximum = UINT64_MAX / 2};
    char text[64], why[PARAMETER_WHY_SIZE];
    if (parameter_parse(&row, text_of(word, text, sizeof text), milliseconds, why, sizeof why))
        return true;
    control_error(call, "ERR", "%s: it has to be a duration, such as 500ms, 30s or 5m", what);
    return false;
}

bool control_pattern(struct call *call, struct resp_argument pattern)
{
    if (pattern.length > CONTROL_PATTERN_MAX)
        control_error(call, "TOOBIG", "a pattern has at most %u bytes", CONTROL_PATTERN_MAX);
    return pattern.length <= CONTROL_PATTERN_MAX;
}

bool control_may_change(struct call *call)
{
    if (!call->client->may_change)
        control_error(call, "NOPERM", "only root and the daemon's own user may change anything");
    return call->client->may_change;
}
