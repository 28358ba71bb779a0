/* echo: sends back what it receives. RFC 862, TCP. */
#include "protocol.h"

struct echo_parameters {
    uint64_t buffer;
};

static const struct parameter parameters[] = {
    {.name = "buffer",
     .type = PARAMETER_SIZE,
     .offset = offsetof(struct echo_parameters, buffer),
     .initial = "64KiB",
     .minimum = 512,
     .maximum = UINT64_C(1) << 30,
     .reload = RELOAD_CONNECTIONS,
     .help = "the most bytes of one connection that were received and are not yet sent back"},
    {0},
};

static void footprint(const void *block, struct footprint *footprint)
{
    const struct echo_parameters *echo = block;
    footprint->per_connection = echo->buffer;
}

/* Half of the buffer for one read, half for what waits to be sent: no read while that is more. */
static const char *connection_made(struct session *session)
{
    const struct echo_parameters *echo = session_parameters(session);
    session_set_read_limit(session, echo->buffer / 2);
    session_set_write_watermarks(session, echo->buffer / 2, echo->buffer / 8);
    return NULL;
}

static size_t data_received(struct session *session, const char *data, size_t length)
{
    session_write(session, data, length);
    return length;
}

extern const struct protocol echo_protocol;
const struct protocol echo_protocol = {
    .name = "echo",
    .summary = "sends back what it receives (RFC 862)",
    .parameters = parameters,
    .parameters_size = sizeof(struct echo_parameters),
    .footprint = footprint,
    .connection_made = connection_made,
    .data_received = data_received,
};
