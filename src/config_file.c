#include "config_file.h"

#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol.h"

/* --- the file -------------------------------------------------------------- */

static char *read_all(int fd, const char *path, size_t *length, struct report *report)
{
    const size_t size = CONFIG_FILE_MAX + 1;
    char *bytes = malloc(size);

    if (bytes == NULL) {
        report_add_at(report, path, 0, "out of memory");
        return NULL;
    }
    for (*length = 0; *length < size;) {
        ssize_t got = read(fd, bytes + *length, size - *length);
        if (got == 0)
            break;
        if (got > 0) {
            *length += (size_t)got;
        } else if (errno != EINTR) {
            report_add_at(report, path, 0, "%s", strerror(errno));
            free(bytes);
            return NULL;
        }
    }
    return bytes;
}

char *config_file_read(const char *path, size_t *length, struct report *report)
{
    struct stat status;
    char *bytes = NULL;

    /* O_NONBLOCK: nobody may ever write to the FIFO that somebody put there. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd == -1 || fstat(fd, &status) == -1)
        report_add_at(report, path, 0, "%s", strerror(errno));
    else if (!S_ISREG(status.st_mode))
        report_add_at(report, path, 0, "not a regular file");
    else
        bytes = read_all(fd, path, length, report);
    if (fd != -1)
        close(fd);
    return bytes;
}

/* --- the grammar ----------------------------------------------------------- */

/*
 * libconfuse's callbacks have no room for a context, and its lexer is one for
 * the whole process; so this is, too. Set while config_file_check() parses.
 */
static struct reading {
    struct config_text *text;
    uint32_t stopped; /* the statement that libconfuse did not take; else CONFIG_TOP */
} reading;

/*
 * libconfuse is shown one token a line, so that its count of lines, which is
 * all that it says about a place, is the number of the token (from 1).
 */
static struct config_token *token_at(const cfg_t *cfg)
{
    return &reading.text->tokens[cfg->line - 1];
}

/* Keeps the text of a value, unquoted. */
static int keep_value(cfg_t *cfg, cfg_opt_t *option, const char *value, void *result)
{
    struct config_token *token = token_at(cfg);

    (void)option;
    free(token->value);
    token->value = strdup(value);
    *(const char **)result = value;
    return token->value == NULL ? -1 : 0;
}

/* Keeps the title of the sub-section whose closing brace was read, unquoted. */
static int keep_title(cfg_t *cfg, cfg_opt_t *option)
{
    struct config_token *title = &reading.text->tokens[token_at(cfg)->statement + 1];
    unsigned i = cfg_opt_size(option);

    /* The newest, unless its title is not new: then it stands in the place of the other. */
    while (cfg_opt_getnsec(option, --i)->line != cfg->line)
        continue;
    free(title->value);
    title->value = strdup(cfg_title(cfg_opt_getnsec(option, i)));
    return title->value == NULL ? -1 : 0;
}

static void free_options(cfg_opt_t *options)
{
    for (cfg_opt_t *option = options; option != NULL && option->name != NULL; option++)
        free_options(option->subopts);
    free(options);
}

static cfg_opt_t *make_options(const struct parameter *rows, size_t more);

/* False if memory is out. */
static bool put_section(cfg_opt_t *option, const char *name, cfg_flag_t flags,
                        const struct parameter *rows)
{
    *option = (cfg_opt_t)CFG_SEC(name, make_options(rows, 0), CFGF_MULTI | flags);
    return option->subopts != NULL;
}

static bool put_row(cfg_opt_t *option, const struct parameter *row)
{
    if (row->type == PARAMETER_SECTIONS) {
        bool whole = put_section(option, row->name, CFGF_TITLE, row->rows);
        option->validcb = keep_title;
        return whole;
    }
    /* Whatever its type, it is a string for libconfuse. */
    cfg_flag_t list = row->type == PARAMETER_ADDRESSES ? CFGF_LIST : CFGF_NONE;
    *option = (cfg_opt_t)CFG_STR_CB(row->name, NULL, CFGF_NODEFAULT | list, keep_value);
    return true;
}

/* The options of the rows, and room for so many more. NULL if memory is out. */
static cfg_opt_t *make_options(const struct parameter *rows, size_t more)
{
    size_t count = parameters_count(rows);
    cfg_opt_t *options = calloc(count + more + 1, sizeof(*options));

    for (size_t i = 0; options != NULL && i < count; i++) {
        if (!put_row(&options[i], &rows[i])) {
            free_options(options);
            return NULL;
        }
    }
    return options;
}

/* The options of a listener, with a section for each protocol. */
static cfg_opt_t *make_listener_options(void)
{
    size_t generic = parameters_count(config_listener_rows);
    size_t count = 0;

    while (protocols[count] != NULL)
        count++;
    cfg_opt_t *options = make_options(config_listener_rows, count);
    for (size_t i = 0; options != NULL && i < count; i++) {
        if (!put_section(&options[generic + i], protocols[i]->name, CFGF_NONE,
                         protocols[i]->parameters)) {
            free_options(options);
            return NULL;
        }
    }
    return options;
}

/* All that a file may say; free_options() it. NULL if memory is out. */
static cfg_opt_t *make_file_options(void)
{
    cfg_opt_t *options = make_options(config_global_rows, 1);
    cfg_opt_t *listener = make_listener_options();

    if (options == NULL || listener == NULL) {
        free_options(options);
        free_options(listener);
        return NULL;
    }
    options[parameters_count(config_global_rows)] =
        (cfg_opt_t)CFG_SEC("listener", listener, CFGF_MULTI | CFGF_TITLE);
    return options;
}

/* --- what libconfuse did not take ------------------------------------------ */

static const cfg_opt_t *find_option(const cfg_opt_t *options, uint32_t key)
{
    for (; options->name != NULL; options++) {
        if (config_text_is(reading.text, key, options->name))
            return options;
    }
    return NULL;
}

/* A name that the section does not have: what was probably meant, or all that it has. */
static void report_unknown(const cfg_t *cfg, uint32_t key)
{
    const struct config_text *text = reading.text;
    const struct config_token *token = &text->tokens[key];
    bool section = config_text_is_section(text, key);
    const char *kind = !section                             ? "option"
                       : strcmp(cfg->name, "listener") == 0 ? "protocol"
                                                            : "section";
    struct suggestion suggestion;
    char word[CONFIG_SHOWN_MAX + 1];
    char names[PARAMETER_TEXT_SIZE] = "";
    size_t used = 0;

    snprintf(word, sizeof(word), "%.*s", config_token_shown(token), text->bytes + token->offset);
    suggestion_init(&suggestion, word);
    for (const cfg_opt_t *option = cfg->opts; option->name != NULL; option++) {
        if ((option->type == CFGT_SEC) != section)
            continue;
        suggestion_offer(&suggestion, option->name);
        if (used < sizeof(names))
            used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
                                     used == 0 ? "" : ", ", option->name);
    }
    if (suggestion.best != NULL)
        config_text_error(text, key, token->line, "no such %s; did you mean \"%s\"?", kind,
                          suggestion.best);
    else
        config_text_error(text, key, token->line, "no such %s here; allowed: %s", kind,
                          used == 0 ? "none" : names);
}

/* A name that the section has, in a statement of another form. */
static void report_form(const cfg_opt_t *option, uint32_t key)
{
    const struct config_text *text = reading.text;
    unsigned line = text->tokens[key].line;
    bool section = config_text_is_section(text, key);

    if (option->type != CFGT_SEC && section)
        config_text_error(text, key, line, "an option; write %s = VALUE", option->name);
    else if (option->type != CFGT_SEC)
        config_text_error(text, key, line, "a list; this option takes one value");
    else if (option->flags & CFGF_TITLE)
        config_text_error(text, key, line, "a section with a name; write %s \"NAME\" { ... }",
                          option->name);
    else
        config_text_error(text, key, line, "a section without a name; write %s { ... }",
                          option->name);
}

/* Its own words are put aside: it knows neither the true line nor the listener. */
static void on_error(cfg_t *cfg, const char *format, va_list arguments)
{
    (void)format;
    (void)arguments;
    uint32_t key = token_at(cfg)->statement;
    const cfg_opt_t *option = find_option(cfg->opts, key);

    if (option == NULL)
        report_unknown(cfg, key);
    else
        report_form(option, key);
    reading.text->tokens[key].dropped = true;
    reading.stopped = key;
}

/* --- parsing --------------------------------------------------------------- */

/* One token a line; the lines of dropped statements are empty. NULL if memory is out. */
static char *make_lines(const struct config_text *text, size_t *length)
{
    size_t size = 1;
    for (size_t i = 0; i < text->count; i++)
        size += text->tokens[i].length + 1;
    char *lines = malloc(size);
    if (lines == NULL)
        return NULL;

    char *end = lines;
    size_t kept = 0; /* the first token behind what was dropped */
    for (size_t i = 0; i < text->count; i++) {
        const struct config_token *token = &text->tokens[i];
        if (token->dropped)
            kept = token->end + 1;
        if (i >= kept)
            end = mempcpy(end, text->bytes + token->offset, token->length);
        *end++ = '\n';
    }
    *length = (size_t)(end - lines);
    return lines;
}

/* One pass of libconfuse. False if it stopped; if that was not at a statement, memory is out. */
static bool parse_once(cfg_opt_t *options)
{
    size_t length;
    char *lines = make_lines(reading.text, &length);
    FILE *stream = lines == NULL ? NULL : fmemopen(lines, length, "r");
    cfg_t *cfg = cfg_init(options, CFGF_NONE);
    bool taken = false;

    reading.stopped = CONFIG_TOP;
    if (stream != NULL && cfg != NULL) {
        cfg_set_error_function(cfg, on_error);
        taken = cfg_parse_fp(cfg, stream) == CFG_SUCCESS;
    }
    /* After an error too: the lexer, one for the process, forgets where it stopped. */
    if (cfg != NULL)
        cfg_free(cfg);
    if (stream != NULL)
        fclose(stream);
    free(lines);
    return taken;
}

bool config_file_check(struct config_text *text)
{
    bool taken = text->count == 0;
    cfg_opt_t *options = make_file_options();

    reading.text = text;
    reading.stopped = CONFIG_TOP;
    /* Each round drops one statement; a hundred errors are enough. */
    for (size_t round = 0; options != NULL && !taken && round < CONFIG_ERRORS_MAX; round++) {
        taken = parse_once(options);
        if (!taken && reading.stopped == CONFIG_TOP)
            break;
    }
    free_options(options);
    if (!taken && reading.stopped == CONFIG_TOP)
        report_add_at(text->report, text->path, 0, "out of memory");
    return taken;
}
