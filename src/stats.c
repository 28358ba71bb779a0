#include "stats.h"

static const char *const refusal_texts[REFUSALS] = {
    [REFUSAL_LISTENER_FULL] = "max_connections of the listener",
    [REFUSAL_DAEMON_FULL] = "max_connections of the daemon",
    [REFUSAL_SOURCE_FULL] = "max_connections_per_source",
    [REFUSAL_SOURCE_FAST] = "connect_rate",
    [REFUSAL_NO_MEMORY] = "the end of memory",
    [REFUSAL_MODULE] = "by the protocol",
};

static const char *const refusal_names[REFUSALS] = {
    [REFUSAL_LISTENER_FULL] = "refused_listener_full",
    [REFUSAL_DAEMON_FULL] = "refused_daemon_full",
    [REFUSAL_SOURCE_FULL] = "refused_source_full",
    [REFUSAL_SOURCE_FAST] = "refused_source_fast",
    [REFUSAL_NO_MEMORY] = "refused_no_memory",
    [REFUSAL_MODULE] = "refused_by_protocol",
};

static const char *const lost_names[LOST_REASONS] = {
    [LOST_FINISHED] = "lost_finished", [LOST_EOF] = "lost_eof",
    [LOST_RESET] = "lost_reset",       [LOST_IDLE] = "lost_idle",
    [LOST_REQUEST] = "lost_request",   [LOST_STALLED] = "lost_stalled",
    [LOST_OVERFLOW] = "lost_overflow", [LOST_BUFFERED] = "lost_buffered",
    [LOST_ABORTED] = "lost_aborted",   [LOST_STOPPED] = "lost_stopped",
    [LOST_KILLED] = "lost_killed",
};

const char *refusal_text(enum refusal refusal)
{
    return refusal_texts[refusal];
}

void stats_add(struct listener_stats *sum, const struct listener_stats *other)
{
    sum->accepted += other->accepted;
    sum->accept_failures += other->accept_failures;
    sum->bytes_received += other->bytes_received;
    sum->bytes_sent += other->bytes_sent;
    for (size_t i = 0; i < REFUSALS; i++)
        sum->refused[i] += other->refused[i];
    for (size_t i = 0; i < LOST_REASONS; i++)
        sum->lost[i] += other->lost[i];
}

uint64_t stats_refused(const struct listener_stats *stats)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < REFUSALS; i++)
        sum += stats->refused[i];
    return sum;
}

uint64_t stats_lost(const struct listener_stats *stats)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < LOST_REASONS; i++)
        sum += stats->lost[i];
    return sum;
}

void stats_reasons(const struct listener_stats *stats, struct figure figures[STATS_REASONS])
{
    for (size_t i = 0; i < REFUSALS; i++)
        *figures++ = figure_number(refusal_names[i], stats->refused[i]);
    for (size_t i = 0; i < LOST_REASONS; i++)
        *figures++ = figure_number(lost_names[i], stats->lost[i]);
}
