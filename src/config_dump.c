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

static void print_section(const struct config_section *section, const char *indent, FILE *out)
{
    size_t width = 0;

    for (const struct parameter *row = section->rows; row->name != NULL; row++)
        width = strlen(row->name) > width ? strlen(row->name) : width;
    for (const struct parameter *row = section->rows; row->name != NULL; row++) {
        fprintf(out, "%s%-*s = ", indent, (int)width, row->name);
        print_value(row, section->block, out);
        putc('\n', out);
    }
}

static void print_listener(const struct config_listener *listener, FILE *out)
{
    fprintf(out, "\nlistener \"%s\" {\n", listener->name);
    print_section(&listener->generic, "    ", out);
    fprintf(out, "    %s {", listener->protocol->name);
    if (listener->parameters.block != NULL) {
        putc('\n', out);
        print_section(&listener->parameters, "        ", out);
        fputs("    ", out);
    } else {
        putc(' ', out);
    }
    fputs("}\n}\n", out);
}

void config_dump(const struct config *config, FILE *out)
{
    print_section(&config->generic, "", out);
    for (size_t i = 0; i < config->listener_count; i++)
        print_listener(&config->listeners[i], out);
}
