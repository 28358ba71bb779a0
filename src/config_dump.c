#include "config.h"

#include <string.h>

/* As config_text.h wants it: in double quotes, with nothing in it that means something there. */
static void print_string(const char *text, FILE *out)
{
    putc('"', out);
    for (; *text != '\0'; text++) {
        if (strchr("\"\\$", *text) != NULL)
            putc('\\', out);
        putc(*text, out);
    }
    putc('"', out);
}

static void print_value(const struct parameter *row, const void *block, FILE *out)
{
    char text[PARAMETER_TEXT_SIZE];
    size_t count = parameter_text_count(row, block);

    if (row->type != PARAMETER_ADDRESSES) {
        fputs(parameter_format(row, block, 0, text, sizeof(text)), out);
        return;
    }
    fputs("{", out);
    for (size_t i = 0; i < count; i++) {
        fputs(i == 0 ? " " : ", ", out);
        print_string(parameter_format(row, block, i, text, sizeof(text)), out);
    }
    fputs(" }", out);
}

/* Whether an option is printed: in a sub-section only what it was given. */
static bool is_shown(const struct parameter *rows, size_t index, const bool *given)
{
    return rows[index].type != PARAMETER_SECTIONS && (given == NULL || given[index]);
}

static void print_options(const struct parameter *rows, const void *block, const bool *given,
                          int indent, FILE *out)
{
    size_t width = 0;

    for (size_t i = 0; rows[i].name != NULL; i++) {
        if (is_shown(rows, i, given) && strlen(rows[i].name) > width)
            width = strlen(rows[i].name);
    }
    for (size_t i = 0; rows[i].name != NULL; i++) {
        if (!is_shown(rows, i, given))
            continue;
        fprintf(out, "%*s%-*s = ", indent, "", (int)width, rows[i].name);
        print_value(&rows[i], block, out);
        putc('\n', out);
    }
}

/* given: per row; NULL for all of them. */
static void print_block(const struct parameter *rows, const void *block, const bool *given,
                        int indent, FILE *out)
{
    print_options(rows, block, given, indent, out);
    for (const struct parameter *row = rows; row->name != NULL; row++) {
        if (row->type != PARAMETER_SECTIONS)
            continue;
        const struct parameter_sections *sections = parameter_value(row, block);
        for (size_t i = 0; i < sections->count; i++) {
            const struct parameter_section *section = &sections->items[i];
            fprintf(out, "%*s%s ", indent, "", row->name);
            print_string(section->title, out);
            fputs(" {\n", out);
            print_block(row->rows, section->block, section->given, indent + 4, out);
            fprintf(out, "%*s}\n", indent, "");
        }
    }
}

static void print_listener(const struct config_listener *listener, FILE *out)
{
    const struct config_section *parameters = &listener->parameters;

    fprintf(out, "\nlistener \"%s\" {\n", listener->name);
    print_block(listener->generic.rows, listener->generic.block, NULL, 4, out);
    fprintf(out, "    %s {", listener->protocol->name);
    if (parameters->block != NULL) {
        putc('\n', out);
        print_block(parameters->rows, parameters->block, NULL, 8, out);
        fputs("    ", out);
    } else {
        putc(' ', out);
    }
    fputs("}\n}\n", out);
}

void config_dump(const struct config *config, FILE *out)
{
    print_block(config->generic.rows, config->generic.block, NULL, 0, out);
    for (size_t i = 0; i < config->listener_count; i++)
        print_listener(&config->listeners[i], out);
}
