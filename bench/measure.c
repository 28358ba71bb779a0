/* measure: counts only what is answered in the steady part, behind the warm-up. */
#include "load.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
    struct timespec time;
    if (clock_gettime(clock, &time) != 0)
        die("clock_gettime: %m");
    return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

/* All threads together, to the nanosecond, which utime and stime in /proc/PID/stat are not. */
static uint64_t server_cpu(const struct measure *measure)
{
    clockid_t clock;
    if (measure->options->server == 0)
        return 0;
    if (clock_getcpuclockid(measure->options->server, &clock) != 0)
        die("the server, process %d, is gone", measure->options->server);
    return read_clock(clock);
}

static void begin_steady(struct measure *measure)
{
    measure->steady = true;
    measure->own_cpu = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    measure->server_cpu = server_cpu(measure);
    measure->begin = read_clock(CLOCK_MONOTONIC);
}

void measure_start(struct measure *measure, const struct options *options)
{
    *measure = (struct measure){.options = options};
    measure->now = measure->begin = read_clock(CLOCK_MONOTONIC);
    if (options->messages > 0 || options->warm_up == 0)
        begin_steady(measure);
}

bool measure_goes_on(struct measure *measure)
{
    const struct options *options = measure->options;
    measure->now = read_clock(CLOCK_MONOTONIC);
    if (options->messages > 0)
        return measure->messages < options->messages;
    uint64_t passed = measure->now - measure->begin;
    if (measure->steady)
        return passed < options->duration;
    if (passed >= options->warm_up)
        begin_steady(measure);
    return true;
}

void measure_message(struct measure *measure, uint64_t since, size_t bytes)
{
    if (!measure->steady)
        return;
    measure->messages++;
    measure->bytes += bytes;
    latency_add(&measure->latency, measure->now - since);
}

void measure_print(struct measure *measure)
{
    uint64_t server = server_cpu(measure) - measure->server_cpu;
    uint64_t own = read_clock(CLOCK_PROCESS_CPUTIME_ID) - measure->own_cpu;
    double seconds = (double)(read_clock(CLOCK_MONOTONIC) - measure->begin) / 1e9;
    const struct latency *latency = &measure->latency;
    printf("{\"messages\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"misses\": %" PRIu64
           ", \"seconds\": %.6f, \"rate\": %.1f"
           ", \"p50\": %" PRIu64 ", \"p99\": %" PRIu64 ", \"p99.9\": %" PRIu64
           ", \"server_cpu\": %" PRIu64 ", \"own_cpu\": %" PRIu64 "}\n",
           measure->messages, measure->bytes, measure->misses, seconds,
           (double)measure->messages / seconds, latency_percentile(latency, 0.5),
           latency_percentile(latency, 0.99), latency_percentile(latency, 0.999), server, own);
}
