/* deque_items: what the tests of the deque have in common. */
#ifndef CISTERN_TESTS_DEQUE_ITEMS_H
#define CISTERN_TESTS_DEQUE_ITEMS_H

#include "must.h"
#include "queue/deque.h"

enum { KIB = 1024, CHUNK = 64 * KIB };

static char bytes[128 * KIB]; /* what items are cut from */

/* All but the chunks at the two ends is within the charge and a 32nd part of it. */
static inline void check_memory(struct deque *deque)
{
    MUST(deque_allocated(deque) <= deque_charge(deque) + deque_charge(deque) / 32 + 2 * CHUNK);
    if (deque_count(deque) == 0)
        MUST(deque_allocated(deque) <= KIB);
}

#endif
