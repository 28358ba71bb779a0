#include "config_build.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_section.h"
#include "protocol.h"

/* The longest name of a listener. */
#define NAME_MAX_LENGTH 64U

/* --- listeners ------------------------------------------------------------- */

/* The module's own word on its parameters. */
static void check_parameters(const struct builder *builder, uint32_t statement,
                             const struct config_listener *listener)
{
    const struct protocol *protocol = listener->protocol;
    const struct config_section *section = &listener->parameters;
    struct parameter_fault fault = {0};
    char why[PARAMETER_WHY_SIZE];

    if (protocol->check != NULL && !protocol->check(section->block, &fault, why, sizeof(why)))
        config_section_error(builder, statement, section, &fault, why);
}

/* A module that has to know its peers is not offered to the network. */
static void check_addresses(const struct builder *builder, uint32_t statement,
                            const struct config_listener *listener)
{
    const struct address_list *listen = &listener->options->listen;
    struct parameter_fault fault = {.key = "listen"};
    bool is_remote = false;

    for (size_t i = 0; i < listen->count; i++) {
        enum address_family family = listen->items[i].family;
        is_remote = is_remote || family == ADDRESS_IPV4 || family == ADDRESS_IPV6 ||
                    family == ADDRESS_NAME || family == ADDRESS_ANY;
    }
    if (is_remote && listener->protocol->is_local)
        config_section_error(builder, statement, &listener->generic, &fault,
                             "its protocol is for unix sockets only");
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
        if (config_section_build(builder, i, listener->protocol->parameters,
                                 listener->protocol->parameters_size, &listener->parameters))
            check_parameters(builder, i, listener);
        if (!builder->no_memory)
            check_addresses(builder, statement, listener);
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
        return builder_out_of_memory(builder);
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
    config_section_build(builder, statement, config_listener_rows, sizeof(struct listener_options),
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
        builder_out_of_memory(builder);
        return;
    }
    for (uint32_t i = 0; i < text->count && !builder->no_memory; i = config_text_next(text, i)) {
        if (config_text_is_section(text, i) && !text->tokens[i].dropped)
            build_listener(builder, i);
    }
}

static void check_group(const struct builder *builder)
{
    const struct config_section *section = &builder->config->generic;
    const struct global_options *options = section->block;

    if (options->group.name[0] != '\0' && options->user.name[0] == '\0')
        report_add_at(builder->text->report, builder->text->path, config_line_of(section, "group"),
                      "group: of no use without user");
}

struct config *config_build(const struct config_text *text)
{
    struct config *config = calloc(1, sizeof(*config));
    struct builder builder = {.text = text, .config = config};

    if (!config_places_init(&builder.places) || config == NULL ||
        (config->path = strdup(text->path)) == NULL)
        builder_out_of_memory(&builder);
    if (!builder.no_memory)
        config_section_build(&builder, CONFIG_TOP, config_global_rows,
                             sizeof(struct global_options), &config->generic);
    if (!builder.no_memory) {
        config->options = config->generic.block;
        check_group(&builder);
        build_listeners(&builder);
    }
    config_places_clear(&builder.places);
    if (builder.no_memory)
        report_add_at(text->report, text->path, 0, "out of memory");
    return config;
}
