#include "access_log.h"

#include <inttypes.h>
#include <stdio.h>

#include "connection.h"

bool access_log_pass(struct access_log *log, uint64_t now)
{
    if (now / 1000 != log->second) {
        log->second = now / 1000;
        log->passed = 0;
    }
    if (log->passed >= log->rate) {
        log->held_back++;
        return false;
    }
    log->passed++;
    return true;
}

void access_log_write(struct access_log *log, const struct connection *connection)
{
    uint64_t now = clock_now();
    if (!log->on || !access_log_pass(log, now))
        return;
    uint64_t duration = now - connection->opened_at;
    uint64_t sent = connection_bytes_sent(connection);
    char left_out[80] = "";
    const struct log_number numbers[] = {
        {"bytes_received", connection->bytes_received},
        {"bytes_sent", sent},
        {"duration_ms", duration},
        {0},
    };
    struct log_context about = connection_log_context(connection);
    about.event = LOG_EVENT_CLOSED;
    about.threshold = LOG_LEVEL_INFO;
    about.numbers = numbers;
    if (log->held_back > 0)
        snprintf(left_out, sizeof left_out, " (%" PRIu64 " more closed since the last such line)",
                 log->held_back);
    log->held_back = 0;
    log_about(&about, LOG_LEVEL_INFO,
              "closed after %" PRIu64 ".%03u s, %" PRIu64 " bytes received, %" PRIu64 " sent: %s%s",
              duration / 1000, (unsigned)(duration % 1000), connection->bytes_received, sent,
              lost_reason_text(connection->reason), left_out);
}
