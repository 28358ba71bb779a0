#include "returns.h"

#include <stdlib.h>
#include <string.h>

size_t returns_before(const struct returns *returns, uint64_t id)
{
    size_t before = 0;
    while (before < returns->count && returns->ids[returns->count - 1 - before] < id)
        before++;
    return before;
}

void returns_add(struct returns *returns, size_t before, uint64_t id)
{
    if (returns->count == returns->capacity) {
        size_t capacity = returns->capacity * 2 + 8;
        uint64_t *ids = reallocarray(returns->ids, capacity, sizeof *ids);
        if (ids == NULL) {
            returns_forget(returns);
            return;
        }
        returns->ids = ids;
        returns->capacity = capacity;
    }
    uint64_t *at = returns->ids + returns->count - before;
    memmove(at + 1, at, before * sizeof *at);
    *at = id;
    returns->count++;
}

void returns_drop_head(struct returns *returns)
{
    if (returns->count > 0 && --returns->count == 0)
        returns_forget(returns);
}

void returns_forget(struct returns *returns)
{
    free(returns->ids);
    *returns = (struct returns){0};
}
