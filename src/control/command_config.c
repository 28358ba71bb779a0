/* Commands about the configuration: see control.h. */
#include "rows.h"

CONTROL(check)
{
    struct report report = {0};
    struct config *config = config_load(call->server->path, &report);
    if (config != NULL)
        control_ok(call, "%s: valid (listeners: %zu)", call->server->path, config->listener_count);
    else
        control_error_report(call, "INVALID", &report);
    config_free(config);
    report_clear(&report);
}

CONTROL(reload)
{
    struct report report = {0};
    if (call->server->draining)
        control_error(call, "ERR", "the daemon is stopping");
    else if (server_reload(call->server, &report))
        control_ok(call, "%s: reloaded (generation: %llu)", call->server->path,
                   (unsigned long long)call->server->generation);
    else
        control_error_report(call, "INVALID", &report);
    report_clear(&report);
}

/* --- config ------------------------------------------------------------------------------- */

/* The options of one section of the file. */
struct listing {
    struct rows *rows;
    const char *path;     /* of the file */
    const char *listener; /* NULL: of none */
    const char *section;  /* before the name of an option: "queue match \"audit:*\" " */
};

static void list_value(const struct listing *listing, const struct parameter *row,
                       const void *block, unsigned line)
{
    struct rows *rows = listing->rows;
    char text[PARAMETER_TEXT_SIZE];
    const char *values = "";
    size_t count = parameter_text_count(row, block);
    for (size_t i = 0; i < count && values != NULL; i++)
        values = rows_keep(rows, "%s%s%s", values, i == 0 ? "" : " ",
                           parameter_format(row, block, i, text, sizeof text));
    const struct figure figures[] = {
        figure_text("listener", listing->listener),
        figure_text("option", rows_keep(rows, "%s%s", listing->section, row->name)),
        figure_text("value", values),
        figure_text("origin",
                    line == 0 ? "default" : rows_keep(rows, "%s:%u", listing->path, line)),
    };
    rows_add(rows, figures, sizeof figures / sizeof figures[0]);
}

static void list_block(const struct listing *listing, const struct parameter *parameters,
                       const void *block, const unsigned *lines, const bool *given);

static void list_sections(const struct listing *listing, const struct parameter *row,
                          const struct parameter_sections *sections)
{
    for (size_t i = 0; i < sections->count; i++) {
        const struct parameter_section *section = &sections->items[i];
        struct listing inner = *listing;
        inner.section =
            rows_keep(listing->rows, "%s%s \"%s\" ", listing->section, row->name, section->title);
        if (inner.section != NULL)
            list_block(&inner, row->rows, section->block, section->lines, section->given);
    }
}

/* given: what to list, per row; NULL: all. */
static void list_block(const struct listing *listing, const struct parameter *parameters,
                       const void *block, const unsigned *lines, const bool *given)
{
    for (size_t i = 0; parameters[i].name != NULL; i++) {
        if (parameters[i].type == PARAMETER_SECTIONS)
            list_sections(listing, &parameters[i], parameter_value(&parameters[i], block));
        else if (given == NULL || given[i])
            list_value(listing, &parameters[i], block, lines[i]);
    }
}

static void list_listener(const struct listing *listing, const struct config_listener *listener)
{
    const struct config_section *generic = &listener->generic, *own = &listener->parameters;
    struct listing inner = *listing;
    inner.listener = listener->name;
    list_block(&inner, generic->rows, generic->block, generic->lines, NULL);
    inner.section = rows_keep(listing->rows, "%s ", listener->protocol->name);
    if (own->rows != NULL && inner.section != NULL)
        list_block(&inner, own->rows, own->block, own->lines, NULL);
}

CONTROL(config)
{
    const struct config *config = call->server->config;
    struct rows rows;
    const struct listener *only = NULL;
    if (call->request->count > 0 &&
        (only = control_listener(call, call->request->words[0])) == NULL)
        return;
    if (!rows_begin(&rows, call))
        return;
    rows.limit = SIZE_MAX; /* the file's own size is the bound */
    const struct listing listing = {.rows = &rows, .path = config->path, .section = ""};
    if (only == NULL)
        list_block(&listing, config->generic.rows, config->generic.block, config->generic.lines,
                   NULL);
    for (size_t i = 0; i < config->listener_count; i++) {
        if (only == NULL || strcmp(only->name, config->listeners[i].name) == 0)
            list_listener(&listing, &config->listeners[i]);
    }
    rows_end(&rows, call);
}
