/* time: sends the seconds since 1900 as 32 bits and closes. RFC 868, TCP. */
#include "protocol.h"

#include <arpa/inet.h>
#include <time.h>

/* Seconds from 1900 to 1970, as the RFC gives them. */
#define SECONDS_TO_EPOCH UINT32_C(2208988800)

static const char *connection_made(struct session *session)
{
    /* The RFC's number wraps in 2036, and unsigned arithmetic with it. */
    uint32_t seconds = htonl((uint32_t)time(NULL) + SECONDS_TO_EPOCH);
    session_write(session, &seconds, sizeof seconds);
    session_close(session);
    return NULL;
}

extern const struct protocol time_protocol;
const struct protocol time_protocol = {
    .name = "time",
    .summary = "sends the seconds since 1900 as a 32-bit number and closes (RFC 868)",
    .connection_made = connection_made,
};
