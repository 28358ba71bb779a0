/* daytime: sends the time of day as text and closes. RFC 867, TCP. */
#include "protocol.h"

#include <time.h>

static const char *connection_made(struct session *session)
{
    char text[64];
    struct tm local;
    time_t now = time(NULL);
    localtime_r(&now, &local);
    session_write(session, text, strftime(text, sizeof text, "%A, %B %d, %Y %T%z\r\n", &local));
    session_close(session);
    return NULL;
}

extern const struct protocol daytime_protocol;
const struct protocol daytime_protocol = {
    .name = "daytime",
    .summary = "sends the time of day as text and closes (RFC 867)",
    .connection_made = connection_made,
};
