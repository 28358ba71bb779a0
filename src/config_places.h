/*
 * config_places: the addresses that a file gives out, of which no two may clash.
 */
#ifndef CISTERN_CONFIG_PLACES_H
#define CISTERN_CONFIG_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "config_text.h"

struct config_place {
    struct address address;
    uint32_t token; /* where the file says it */
};

/* At most CONFIG_ADDRESSES_MAX. */
struct config_places {
    size_t count;
    bool too_many; /* which was reported: no more are taken */
    struct config_place *items;
};

/* False if memory is out. Call config_places_clear() in any case. */
bool config_places_init(struct config_places *places);
void config_places_clear(struct config_places *places);

/* Takes the address that the token says. False, and reported, if it cannot be had. */
bool config_places_add(struct config_places *places, const struct config_text *text, uint32_t token,
                       const struct address *address);

#endif
