#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "worker.h"

/* What the core itself needs for a connection: the bufferevent, its events, the session's head. */
#define CONNECTION_OVERHEAD 2048U

/* What the configuration lets one listener, or all of them, use. */
struct demand {
    const char *name;
    uint64_t connections;
    uint64_t per_connection; /* bytes */
    uint64_t shared;         /* bytes */
    uint64_t memory;         /* bytes */
    uint64_t sockets;        /* that listen */
};

/* Sums and products that end at UINT64_MAX. */
static uint64_t add(uint64_t one, uint64_t other)
{
    uint64_t sum;
    return __builtin_add_overflow(one, other, &sum) ? UINT64_MAX : sum;
}

static uint64_t multiply(uint64_t one, uint64_t other)
{
    uint64_t product;
    return __builtin_mul_overflow(one, other, &product) ? UINT64_MAX : product;
}

/* Both families of a wildcard are two sockets; so a name may be. */
static uint64_t count_sockets(const struct address_list *list)
{
    uint64_t sockets = 0;

    for (size_t i = 0; i < list->count; i++) {
        enum address_family family = list->items[i].family;
        sockets += family == ADDRESS_ANY || family == ADDRESS_NAME ? 2 : 1;
    }
    return sockets;
}

/* workers: on how many the module has what it shares; one if its sessions share it with all. */
static struct demand demand_of(const struct config_listener *listener, unsigned workers)
{
    const struct protocol *protocol = listener->protocol;
    struct footprint footprint = {.per_connection = SESSION_READ_LIMIT + SESSION_WRITE_HIGH};

    if (protocol->footprint != NULL) {
        footprint = (struct footprint){0};
        protocol->footprint(listener->parameters.block, &footprint);
    }
    struct demand demand = {
        .name = listener->name,
        .connections = listener->options->max_connections,
        .per_connection =
            add(footprint.per_connection, protocol->session_size + CONNECTION_OVERHEAD),
        .shared = multiply(protocol_spreads(protocol) ? workers : 1,
                           add(footprint.shared, protocol->shared_size)),
        .sockets = count_sockets(&listener->options->listen),
    };
    if (footprint.connections != 0)
        demand.connections = footprint.connections;
    demand.memory = add(demand.shared, multiply(demand.connections, demand.per_connection));
    return demand;
}

static int by_cost(const void *one, const void *other)
{
    uint64_t a = ((const struct demand *)one)->per_connection;
    uint64_t b = ((const struct demand *)other)->per_connection;
    return (a < b) - (a > b);
}

/* All together, with the most expensive connections that the common limit admits. Sorts. */
static struct demand total_of(struct demand *demands, size_t count, uint64_t max_connections)
{
    struct demand total = {.name = "all"};

    qsort(demands, count, sizeof(*demands), by_cost);
    for (size_t i = 0; i < count; i++) {
        uint64_t left = max_connections - total.connections;
        uint64_t connections = demands[i].connections < left ? demands[i].connections : left;
        total.connections += connections;
        total.shared = add(total.shared, demands[i].shared);
        total.memory = add(total.memory, multiply(connections, demands[i].per_connection));
        total.sockets += demands[i].sockets;
    }
    total.memory = add(total.memory, total.shared);
    return total;
}

static const char *print_bytes(uint64_t bytes, char *buffer, size_t size)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;

    while (unit < 6 && bytes >> (10 * unit) >= 1024)
        unit++;
    if (bytes == UINT64_MAX)
        snprintf(buffer, size, "no bound");
    else if (unit == 0)
        snprintf(buffer, size, "%" PRIu64 " B", bytes);
    else
        snprintf(buffer, size, "%.1f %s", (double)bytes / (double)(UINT64_C(1) << (10 * unit)),
                 units[unit]);
    return buffer;
}

static void print_demand(const struct demand *demand, FILE *out)
{
    char each[32] = "";
    char shared[32];
    char memory[32];

    if (demand->per_connection != 0)
        print_bytes(demand->per_connection, each, sizeof(each));
    fprintf(out, "%-20s %12" PRIu64 " %12s %12s %12s %12" PRIu64 "\n", demand->name,
            demand->connections, each, print_bytes(demand->shared, shared, sizeof(shared)),
            print_bytes(demand->memory, memory, sizeof(memory)),
            demand->connections + demand->sockets);
}

static void print_workers(unsigned workers, FILE *out)
{
    char buffers[32];

    fprintf(out, "\nWorkers: %u, with %s of buffers each.\n", workers,
            print_bytes(WORKER_BUFFERS, buffers, sizeof(buffers)));
}

static void print_descriptors(const struct demand *total, unsigned workers, FILE *out)
{
    struct rlimit limit;
    unsigned reserved = config_reserved_descriptors(workers);
    uint64_t needed = total->connections + total->sockets + reserved;

    fprintf(out,
            "Descriptors needed: %" PRIu64 " (%" PRIu64 " connections, %" PRIu64
            " listening sockets, %u others).\n",
            needed, total->connections, total->sockets, reserved);
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        return;
    if (limit.rlim_cur == RLIM_INFINITY) {
        fputs("Descriptors allowed (RLIMIT_NOFILE): no limit.\n", out);
        return;
    }
    fprintf(out, "Descriptors allowed (RLIMIT_NOFILE): %ju, at most %ju", (uintmax_t)limit.rlim_cur,
            (uintmax_t)limit.rlim_max);
    fputs(needed > limit.rlim_cur ? ": too few for max_connections.\n" : ".\n", out);
}

void config_print_worst_case(const struct config *config, FILE *out)
{
    size_t count = config->listener_count;
    unsigned workers = config_workers(config);
    struct demand *demands = calloc(count, sizeof(*demands));

    if (demands == NULL) {
        fputs("out of memory\n", out);
        return;
    }
    fprintf(out, "%-20s %12s %12s %12s %12s %12s\n", "listener", "connections", "each", "shared",
            "memory", "descriptors");
    for (size_t i = 0; i < count; i++) {
        demands[i] = demand_of(&config->listeners[i], workers);
        print_demand(&demands[i], out);
    }
    struct demand total = total_of(demands, count, config->options->max_connections);
    print_demand(&total, out);
    print_workers(workers, out);
    print_descriptors(&total, workers, out);
    free(demands);
}
