#include "protocol.h"

#include <string.h>

extern const struct protocol echo_protocol;
extern const struct protocol discard_protocol;
extern const struct protocol chargen_protocol;
extern const struct protocol daytime_protocol;
extern const struct protocol time_protocol;
extern const struct protocol queue_protocol;
extern const struct protocol control_protocol;

const struct protocol *const protocols[] = {
    &echo_protocol,
    &discard_protocol,
    &chargen_protocol,
    &daytime_protocol,
    &time_protocol,
    &queue_protocol,
    &control_protocol,
    NULL,
};

const struct protocol *protocol_find(const char *name)
{
    for (const struct protocol *const *protocol = protocols; *protocol != NULL; protocol++) {
        if (strcmp((*protocol)->name, name) == 0)
            return *protocol;
    }
    return NULL;
}

const char *lost_reason_text(enum lost_reason reason)
{
    static const char *const texts[LOST_REASONS] = {
        [LOST_FINISHED] = "finished",
        [LOST_EOF] = "closed by peer",
        [LOST_RESET] = "connection reset",
        [LOST_IDLE] = "idle timeout",
        [LOST_REQUEST] = "request timeout",
        [LOST_STALLED] = "write timeout",
        [LOST_OVERFLOW] = "input over the read limit",
        [LOST_BUFFERED] = "held the most of max_buffered",
        [LOST_ABORTED] = "aborted",
        [LOST_STOPPED] = "daemon stopped",
        [LOST_KILLED] = "ended by the administrator",
    };
    return reason < LOST_REASONS ? texts[reason] : "unknown";
}
