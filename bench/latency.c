/* latency: a histogram whose steps grow with the value. */
#include "load.h"

#define STEP_BITS 5 /* 32 steps from one power of two to the next */
#define STEPS (1U << STEP_BITS)

static size_t slot_of(uint64_t ns)
{
    if (ns < STEPS)
        return (size_t)ns;
    unsigned shift = 63U - (unsigned)__builtin_clzll(ns) - STEP_BITS;
    return ((size_t)(shift + 1) << STEP_BITS) + (size_t)(ns >> shift) - STEPS;
}

/* The middle of the slot's values. */
static uint64_t value_of(size_t slot)
{
    if (slot < STEPS)
        return slot;
    unsigned shift = (unsigned)(slot >> STEP_BITS) - 1;
    uint64_t low = (uint64_t)(STEPS + slot % STEPS) << shift;
    return low + (UINT64_C(1) << shift) / 2;
}

void latency_add(struct latency *latency, uint64_t ns)
{
    latency->counts[slot_of(ns)]++;
    latency->total++;
}

uint64_t latency_percentile(const struct latency *latency, double share)
{
    double rank = share * (double)latency->total;
    uint64_t below = 0;
    for (size_t slot = 0; slot < LATENCY_SLOTS; slot++) {
        below += latency->counts[slot];
        if (below > 0 && (double)below >= rank)
            return value_of(slot);
    }
    return 0;
}
