#include "config_build.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol.h"

/* The longest name of a listener. */
#define NAME_MAX_LENGTH 64U

/* Where the file says which address. */
struct place {
    struct address address;
    size_t listener;
    unsigned line;
};

struct builder {
    const struct config_text *text;
    struct config *config;
    size_t place_count;
    size_t place_capacity;
    struct place *places;
    bool no_memory;
};

/* For the caller to return. */
static bool out_of_memory(struct builder *builder)
{
    builder->no_memory = true;
    return false;
}

/* --- addresses ------------------------------------------------------------- */

/* The address that the line adds to the newest listener may be nobody else's. */
static bool check_place(const struct builder *builder, uint32_t statement, unsigned line,
                        const struct address *address)
{
    const struct config_text *text = builder->text;
    size_t listener = builder->config->listener_count - 1;
    char mine[ADDRESS_TEXT_SIZE];
    char other[ADDRESS_TEXT_SIZE];

    for (size_t i = 0; i < builder->place_count; i++) {
        const struct place *place = &builder->places[i];
        if (place->listener == listener && address_equal(&place->address, address))
            return config_text_error(text, statement, line,
                                     "\"%s\" is given twice, first on line %u",
                                     address_format(address, mine, sizeof(mine)), place->line);
        if (address_clash(&place->address, address))
            return config_text_error(text, statement, line,
                                     "\"%s\" clashes with \"%s\" of listener \"%s\" on line %u",
                                     address_format(address, mine, sizeof(mine)),
                                     address_format(&place->address, other, sizeof(other)),
                                     builder->config->listeners[place->listener].name, place->line);
    }
    return true;
}

static bool add_place(struct builder *builder, uint32_t statement, unsigned line,
                      const struct address_list *list)
{
    const struct address *address = &list->items[list->count - 1];

    if (!check_place(builder, statement, line, address))
        return false;
    if (builder->place_count == builder->place_capacity) {
        size_t capacity = builder->place_capacity == 0 ? 16 : 2 * builder->place_capacity;
        struct place *places = reallocarray(builder->places, capacity, sizeof(*places));
        if (places == NULL)
            return out_of_memory(builder);
        builder->places = places;
        builder->place_capacity = capacity;
    }
    builder->places[builder->place_count++] = (struct place){
        .address = *address,
        .listener = builder->config->listener_count - 1,
        .line = line,
    };
    return true;
}

/* --- options --------------------------------------------------------------- */

/* False, and reported, if a value is none that the row takes. */
static bool build_values(struct builder *builder, uint32_t statement, const struct parameter *row,
                         void *block)
{
    const struct config_text *text = builder->text;
    const struct config_token *key = &text->tokens[statement];
    char why[PARAMETER_WHY_SIZE];
    bool valid = true;
    bool empty = true;

    for (uint32_t i = statement + 1; i <= key->end; i++) {
        const struct config_token *token = &text->tokens[i];
        if (token->value == NULL)
            continue;
        empty = false;
        if (!parameter_parse(row, token->value, block, why, sizeof(why)))
            valid = config_text_error(text, statement, token->line, "%s", why);
        else if (row->type == PARAMETER_ADDRESSES)
            valid = add_place(builder, statement, token->line,
                              (const void *)((const char *)block + row->offset)) &&
                    valid;
    }
    if (empty)
        return config_text_error(text, statement, key->line, "the list is empty; allowed: %s",
                                 parameter_allowed(row, why, sizeof(why)));
    return valid;
}

static bool build_option(struct builder *builder, uint32_t statement,
                         struct config_section *section)
{
    const struct config_text *text = builder->text;
    unsigned line = text->tokens[statement].line;
    size_t row = 0;

    while (!config_text_is(text, statement, section->rows[row].name))
        row++;
    if (section->lines[row] != 0)
        return config_text_error(text, statement, line, "given twice, first on line %u",
                                 section->lines[row]);
    section->lines[row] = line;
    return build_values(builder, statement, &section->rows[row], section->block);
}

static bool check_required(const struct builder *builder, uint32_t statement,
                           const struct config_section *section)
{
    char allowed[PARAMETER_TEXT_SIZE];
    bool complete = true;

    for (size_t i = 0; section->rows[i].name != NULL; i++) {
        if ((section->rows[i].flags & PARAMETER_REQUIRED) && section->lines[i] == 0)
            complete =
                config_text_error(builder->text, statement, section->line,
                                  "%s: missing; allowed: %s", section->rows[i].name,
                                  parameter_allowed(&section->rows[i], allowed, sizeof(allowed)));
    }
    return complete;
}

/* Gives the section a block of that size with every row's default. */
static bool make_section(struct config_section *section, const struct parameter *rows, size_t size)
{
    size_t count = 0;

    if (rows == NULL)
        return true;
    while (rows[count].name != NULL)
        count++;
    section->rows = rows;
    section->block = calloc(1, size);
    section->lines = calloc(count + 1, sizeof(*section->lines));
    return section->block != NULL && section->lines != NULL &&
           parameters_init(rows, section->block);
}

/*
 * The options of one section. False, and reported, if not all of them can be
 * used. Nothing is said to be missing where there is a name that nobody knows.
 */
static bool build_section(struct builder *builder, uint32_t statement, const struct parameter *rows,
                          size_t size, struct config_section *section)
{
    const struct config_text *text = builder->text;
    bool valid = true;
    bool understood = true;

    section->line = statement == CONFIG_TOP ? 0 : text->tokens[statement].line;
    if (!make_section(section, rows, size))
        return out_of_memory(builder);
    for (uint32_t i = config_text_first(text, statement); !config_text_at_end(text, statement, i);
         i = config_text_next(text, i)) {
        if (config_text_is_section(text, i))
            continue;
        if (text->tokens[i].dropped)
            understood = false;
        else
            valid = build_option(builder, i, section) && valid;
    }
    if (understood && rows != NULL)
        valid = check_required(builder, statement, section) && valid;
    return valid && understood;
}

/* --- listeners ------------------------------------------------------------- */

/* The module's own word on its parameters. */
static void check_parameters(const struct builder *builder, uint32_t statement,
                             const struct config_listener *listener)
{
    const struct config_section *section = &listener->parameters;
    unsigned line = section->line;
    char why[PARAMETER_WHY_SIZE];
    const char *key = NULL;

    if (listener->protocol->check == NULL ||
        listener->protocol->check(section->block, &key, why, sizeof(why)))
        return;
    for (size_t i = 0; key != NULL && section->rows[i].name != NULL; i++) {
        if (strcmp(section->rows[i].name, key) == 0 && section->lines[i] != 0)
            line = section->lines[i];
    }
    config_text_error(builder->text, statement, line, "%s%s%s", key == NULL ? "" : key,
                      key == NULL ? "" : ": ", why);
}

static void report_no_protocol(const struct builder *builder, uint32_t statement)
{
    char names[PARAMETER_TEXT_SIZE] = "";
    size_t used = 0;

    for (size_t i = 0; protocols[i] != NULL && used < sizeof(names); i++)
        used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i == 0 ? "" : ", ",
                                 protocols[i]->name);
    config_text_error(builder->text, statement, builder->text->tokens[statement].line,
                      "no protocol; a listener has one section of: %s", names);
}

/* The protocol's section: there has to be exactly one. */
static void build_protocol(struct builder *builder, uint32_t statement,
                           struct config_listener *listener)
{
    const struct config_text *text = builder->text;
    bool understood = true;

    for (uint32_t i = config_text_first(text, statement); !config_text_at_end(text, statement, i);
         i = config_text_next(text, i)) {
        if (!config_text_is_section(text, i))
            continue;
        if (text->tokens[i].dropped) {
            understood = false;
            continue;
        }
        if (listener->protocol != NULL) {
            config_text_error(text, i, text->tokens[i].line,
                              "a second protocol; a listener has one, and this one has %s "
                              "on line %u",
                              listener->protocol->name, listener->parameters.line);
            continue;
        }
        for (size_t p = 0; listener->protocol == NULL; p++) {
            if (config_text_is(text, i, protocols[p]->name))
                listener->protocol = protocols[p];
        }
        if (build_section(builder, i, listener->protocol->parameters,
                          listener->protocol->parameters_size, &listener->parameters))
            check_parameters(builder, i, listener);
    }
    if (listener->protocol == NULL && understood)
        report_no_protocol(builder, statement);
}

/* The name between the quotes; nothing in it has a meaning to libconfuse or a shell. */
static bool build_name(struct builder *builder, uint32_t statement,
                       struct config_listener *listener)
{
    const struct config_text *text = builder->text;
    const struct config_token *title = config_text_title(text, statement);
    const char *name = text->bytes + title->offset + 1;
    size_t length = title->length - 2;
    bool valid = length > 0 && length <= NAME_MAX_LENGTH;

    listener->name = strndup(name, length);
    if (listener->name == NULL)
        return out_of_memory(builder);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)name[i];
        valid = valid && ((c < 0x80 && isalnum(c)) || strchr("-_.", c) != NULL);
    }
    if (!valid)
        return config_text_error(text, statement, title->line,
                                 "a listener's name has 1 to %u letters, digits, '-', '_' or '.'",
                                 NAME_MAX_LENGTH);
    const struct config_listener *first = config_find_listener(builder->config, listener->name);
    return first == listener ||
           config_text_error(text, statement, title->line,
                             "the name is taken by the listener on line %u", first->generic.line);
}

static void build_listener(struct builder *builder, uint32_t statement)
{
    struct config *config = builder->config;
    struct config_listener *listener = &config->listeners[config->listener_count++];

    if (!build_name(builder, statement, listener) && builder->no_memory)
        return;
    build_section(builder, statement, config_listener_rows, sizeof(struct listener_options),
                  &listener->generic);
    listener->options = listener->generic.block;
    build_protocol(builder, statement, listener);
}

/* --- the whole ------------------------------------------------------------- */

static void build_listeners(struct builder *builder)
{
    const struct config_text *text = builder->text;
    struct config *config = builder->config;
    size_t count = 0;
    bool understood = true;

    for (uint32_t i = 0; i < text->count; i = config_text_next(text, i)) {
        if (text->tokens[i].dropped)
            understood = false;
        else if (config_text_is_section(text, i))
            count++;
    }
    if (count == 0 && understood)
        report_add_at(text->report, text->path, 0, "no listener; at least one is needed");
    config->listeners = calloc(count + 1, sizeof(*config->listeners));
    if (config->listeners == NULL) {
        out_of_memory(builder);
        return;
    }
    for (uint32_t i = 0; i < text->count && !builder->no_memory; i = config_text_next(text, i)) {
        if (config_text_is_section(text, i) && !text->tokens[i].dropped)
            build_listener(builder, i);
    }
}

struct config *config_build(const struct config_text *text)
{
    struct config *config = calloc(1, sizeof(*config));
    struct builder builder = {.text = text, .config = config};

    if (config == NULL || (config->path = strdup(text->path)) == NULL)
        out_of_memory(&builder);
    if (!builder.no_memory)
        build_section(&builder, CONFIG_TOP, config_global_rows, sizeof(struct global_options),
                      &config->generic);
    if (!builder.no_memory) {
        config->options = config->generic.block;
        build_listeners(&builder);
    }
    free(builder.places);
    if (builder.no_memory)
        report_add_at(text->report, text->path, 0, "out of memory");
    return config;
}
