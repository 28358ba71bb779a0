/* discard: throws away what it receives. RFC 863, TCP. The core does so by itself. */
#include "protocol.h"

extern const struct protocol discard_protocol;
const struct protocol discard_protocol = {
    .name = "discard",
    .summary = "throws away what it receives (RFC 863)",
};
