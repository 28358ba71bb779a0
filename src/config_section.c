#include "config_section.h"

#include <stdlib.h>
#include <string.h>

bool builder_out_of_memory(struct builder *builder)
{
    builder->no_memory = true;
    return false;
}

/* --- options --------------------------------------------------------------- */

/* False, and reported, if a value is none that the row takes. */
static bool build_values(struct builder *builder, uint32_t statement, const struct parameter *row,
                         void *block)
{
    const struct config_text *text = builder->text;
    const struct config_token *key = &text->tokens[statement];
    const struct address_list *list = parameter_value(row, block);
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
            valid = config_places_add(&builder->places, text, i, &list->items[list->count - 1]) &&
                    valid;
    }
    if (empty)
        return config_text_error(text, statement, key->line, "the list is empty; allowed: %s",
                                 parameter_allowed(row, why, sizeof(why)));
    return valid;
}

static bool build_option(struct builder *builder, uint32_t statement, size_t row,
                         struct config_section *section)
{
    unsigned line = builder->text->tokens[statement].line;

    if (section->lines[row] != 0)
        return config_text_error(builder->text, statement, line, "given twice, first on line %u",
                                 section->lines[row]);
    section->lines[row] = line;
    return build_values(builder, statement, &section->rows[row], section->block);
}

/* --- sub-sections ---------------------------------------------------------- */

static bool build_statements(struct builder *builder, uint32_t statement,
                             struct config_section *section);

/* The title may be nobody else's among the row's sub-sections before this one. */
static bool check_title(const struct builder *builder, uint32_t statement,
                        const struct parameter *row, const void *block)
{
    const struct config_text *text = builder->text;
    const struct config_token *title = config_text_title(text, statement);
    const struct parameter_sections *others = parameter_value(row, block);

    if (!parameter_title_valid(title->value))
        return config_text_error(text, statement, title->line,
                                 "a title here has 1 to %u bytes, and no control characters",
                                 PARAMETER_TITLE_MAX);
    for (size_t i = 0; i < others->count; i++) {
        if (strcmp(others->items[i].title, title->value) == 0) {
            uint32_t first = config_text_find(text, text->tokens[statement].parent, row->name, i);
            return config_text_error(text, statement, title->line, "given twice, first on line %u",
                                     text->tokens[first].line);
        }
    }
    return true;
}

/* Every sub-section is appended, so that the index-th one is the index-th of the text. */
static bool build_subsection(struct builder *builder, uint32_t statement, size_t row_index,
                             struct config_section *around)
{
    const struct config_text *text = builder->text;
    const struct parameter *row = &around->rows[row_index];
    bool valid = check_title(builder, statement, row, around->block);
    struct parameter_section *part =
        parameter_append_section(row, config_text_title(text, statement)->value, around->block);

    if (part == NULL)
        return builder_out_of_memory(builder);
    struct config_section section = {
        .rows = row->rows,
        .block = part->block,
        .lines = part->lines,
        .line = text->tokens[statement].line,
    };
    valid = build_statements(builder, statement, &section) && valid;
    for (size_t i = 0; row->rows[i].name != NULL; i++)
        part->given[i] = section.lines[i] != 0;
    if (around->lines[row_index] == 0)
        around->lines[row_index] = section.line;
    return valid;
}

/* --- sections -------------------------------------------------------------- */

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

/* One statement of the section. What is no row's is a section that others build. */
static bool build_statement(struct builder *builder, uint32_t statement,
                            struct config_section *section)
{
    size_t row = 0;

    while (section->rows[row].name != NULL &&
           !config_text_is(builder->text, statement, section->rows[row].name))
        row++;
    if (section->rows[row].name == NULL)
        return true;
    if (section->rows[row].type == PARAMETER_SECTIONS)
        return build_subsection(builder, statement, row, section);
    return build_option(builder, statement, row, section);
}

/* Nothing is said to be missing where there is an option that nobody knows. */
static bool build_statements(struct builder *builder, uint32_t statement,
                             struct config_section *section)
{
    const struct config_text *text = builder->text;
    bool valid = true;
    bool understood = true;

    for (uint32_t i = config_text_first(text, statement);
         !config_text_at_end(text, statement, i) && !builder->no_memory;
         i = config_text_next(text, i)) {
        if (text->tokens[i].dropped) {
            valid = false;
            understood = understood && config_text_is_section(text, i);
        } else {
            valid = build_statement(builder, i, section) && valid;
        }
    }
    if (understood)
        valid = check_required(builder, statement, section) && valid;
    return valid;
}

/* Gives the section a block of that size with every row's default. */
static bool make_section(struct config_section *section, const struct parameter *rows, size_t size)
{
    section->rows = rows;
    section->block = calloc(1, size);
    section->lines = calloc(parameters_count(rows), sizeof(*section->lines));
    return section->block != NULL && section->lines != NULL &&
           parameters_init(rows, section->block);
}

bool config_section_build(struct builder *builder, uint32_t statement, const struct parameter *rows,
                          size_t size, struct config_section *section)
{
    section->line = statement == CONFIG_TOP ? 0 : builder->text->tokens[statement].line;
    if (rows == NULL)
        return true;
    if (!make_section(section, rows, size))
        return builder_out_of_memory(builder);
    return build_statements(builder, statement, section);
}

/* --- faults ---------------------------------------------------------------- */

/* The statement of the sub-section; the section's own if it has none. */
static uint32_t find_subsection(const struct config_text *text, uint32_t statement,
                                const struct config_section *section,
                                const struct parameter_section *part)
{
    for (const struct parameter *row = section->rows; part != NULL && row->name != NULL; row++) {
        const struct parameter_sections *parts = parameter_value(row, section->block);
        for (size_t i = 0; row->type == PARAMETER_SECTIONS && i < parts->count; i++) {
            if (&parts->items[i] == part)
                return config_text_find(text, statement, row->name, i);
        }
    }
    return statement;
}

void config_section_error(const struct builder *builder, uint32_t statement,
                          const struct config_section *section, const struct parameter_fault *fault,
                          const char *why)
{
    const struct config_text *text = builder->text;
    const char *key = fault->key;

    statement = find_subsection(text, statement, section, fault->section);
    uint32_t option = key == NULL ? CONFIG_TOP : config_text_find(text, statement, key, 0);
    if (option != CONFIG_TOP)
        config_text_error(text, option, text->tokens[option].line, "%s", why);
    else
        config_text_error(text, statement, text->tokens[statement].line, "%s%s%s",
                          key == NULL ? "" : key, key == NULL ? "" : ": ", why);
}
