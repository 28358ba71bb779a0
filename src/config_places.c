#include "config_places.h"

#include <stdlib.h>

bool config_places_init(struct config_places *places)
{
    *places = (struct config_places){0};
    places->items = calloc(CONFIG_ADDRESSES_MAX, sizeof(*places->items));
    return places->items != NULL;
}

void config_places_clear(struct config_places *places)
{
    free(places->items);
    *places = (struct config_places){0};
}

/* The outermost section around the token: its listener. */
static uint32_t listener_of(const struct config_text *text, uint32_t token)
{
    uint32_t section = text->tokens[token].statement;

    while (text->tokens[section].parent != CONFIG_TOP)
        section = text->tokens[section].parent;
    return section;
}

static bool check(const struct config_place *place, const struct config_text *text, uint32_t token,
                  const struct address *address)
{
    uint32_t statement = text->tokens[token].statement;
    uint32_t listener = listener_of(text, place->token);
    const struct config_token *name = config_text_title(text, listener);
    unsigned line = text->tokens[token].line;
    unsigned first = text->tokens[place->token].line;
    char mine[ADDRESS_TEXT_SIZE];
    char other[ADDRESS_TEXT_SIZE];

    if (listener == listener_of(text, token) && address_equal(&place->address, address))
        return config_text_error(text, statement, line, "\"%s\" is given twice, first on line %u",
                                 address_format(address, mine, sizeof(mine)), first);
    if (address_clash(&place->address, address))
        return config_text_error(text, statement, line,
                                 "\"%s\" clashes with \"%s\" of listener %.*s on line %u",
                                 address_format(address, mine, sizeof(mine)),
                                 address_format(&place->address, other, sizeof(other)),
                                 config_token_shown(name), text->bytes + name->offset, first);
    return true;
}

bool config_places_add(struct config_places *places, const struct config_text *text, uint32_t token,
                       const struct address *address)
{
    if (places->too_many)
        return false;
    for (size_t i = 0; i < places->count; i++) {
        if (!check(&places->items[i], text, token, address))
            return false;
    }
    if (places->count == CONFIG_ADDRESSES_MAX) {
        places->too_many = true;
        return config_text_error(text, text->tokens[token].statement, text->tokens[token].line,
                                 "more than %u addresses in the file", CONFIG_ADDRESSES_MAX);
    }
    places->items[places->count++] = (struct config_place){.address = *address, .token = token};
    return true;
}
