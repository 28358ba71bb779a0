#include "config_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The longest name of an environment variable. */
#define VARIABLE_MAX 255U

struct scanner {
    struct config_text *text;
    size_t at;
    unsigned line;
    uint32_t statement; /* that tokens belong to now */
    size_t depth;       /* of sections */
};

/* An error, where the scanner stands; false, for the caller to return. */
#define fail(scanner, line, ...)                                                                   \
    config_text_error((scanner)->text, (scanner)->statement, line, __VA_ARGS__)
#define fail_here(scanner, ...) fail(scanner, (scanner)->line, __VA_ARGS__)

/* --- tokens ---------------------------------------------------------------- */

static bool is_word_byte(unsigned char c)
{
    return (c < 0x80 && isalnum(c)) || strchr("_.%-", c) != NULL;
}

static void skip_blanks(struct scanner *scanner)
{
    const struct config_text *text = scanner->text;
    bool comment = false;

    for (; scanner->at < text->length; scanner->at++) {
        char c = text->bytes[scanner->at];
        if (c == '\n') {
            scanner->line++;
            comment = false;
        } else if (c == '#') {
            comment = true;
        } else if (!comment && c != ' ' && c != '\t' && c != '\r') {
            break;
        }
    }
}

/* At `${`, which has to begin the name of a variable that is set. */
static bool skip_variable(struct scanner *scanner)
{
    const struct config_text *text = scanner->text;
    const char *begin = text->bytes + scanner->at + 2;
    const char *limit = text->bytes + text->length;
    const char *end = begin;
    char name[VARIABLE_MAX + 1];

    while (end < limit && (isalnum((unsigned char)*end) || *end == '_'))
        end++;
    size_t length = (size_t)(end - begin);
    if (end == limit || *end != '}' || length == 0 || length > VARIABLE_MAX)
        return fail_here(
            scanner, "\"${\" does not begin a variable; allowed: ${NAME}, or \\${ for the signs");
    memcpy(name, begin, length);
    name[length] = '\0';
    if (getenv(name) == NULL)
        return fail_here(scanner, "${%s} is not set in the environment", name);
    scanner->at = (size_t)(end + 1 - text->bytes);
    return true;
}

/* From one double quote behind the next. */
static bool skip_string(struct scanner *scanner)
{
    const struct config_text *text = scanner->text;

    scanner->at++;
    while (scanner->at < text->length) {
        unsigned char c = (unsigned char)text->bytes[scanner->at];
        unsigned char next =
            scanner->at + 1 < text->length ? (unsigned char)text->bytes[scanner->at + 1] : 0;
        if (c == '\n')
            break;
        if (iscntrl(c))
            return fail_here(scanner, "a control character (%#04x) in double quotes", c);
        if (c == '\\' && (next == '\0' || strchr("\"\\$", next) == NULL))
            return fail_here(scanner, "a stray backslash; allowed: \\\", \\\\, \\$");
        if (c == '$' && next == '{') {
            if (!skip_variable(scanner))
                return false;
        } else {
            scanner->at += c == '\\' ? 2 : 1;
            if (c == '"')
                return true;
        }
    }
    return fail_here(scanner, "a double quote that is not closed on its line");
}

static bool refuse_byte(const struct scanner *scanner, unsigned char c)
{
    if (!isprint(c))
        return fail_here(scanner, "the byte %#04x is not allowed outside double quotes", c);
    return fail_here(scanner,
                     "'%c' is not allowed outside double quotes; put the value in double quotes%s",
                     c, c == '/' ? ", and begin a comment with #" : "");
}

/* What sticks to a word is reported as a part of it: 127.0.0.1:7007. */
static bool skip_word(struct scanner *scanner)
{
    const struct config_text *text = scanner->text;

    while (scanner->at < text->length) {
        unsigned char c = (unsigned char)text->bytes[scanner->at];
        if (strchr(" \t\r\n#\"=,{}", c) != NULL)
            break;
        if (!is_word_byte(c))
            return refuse_byte(scanner, c);
        scanner->at++;
    }
    return true;
}

/* Appends a token that begins at offset and ends where the scanner is. */
static bool push(struct scanner *scanner, enum config_token_kind kind, size_t offset)
{
    struct config_text *text = scanner->text;

    if (text->count == CONFIG_TOKENS_MAX)
        return fail_here(scanner, "the file has more than %u words and signs", CONFIG_TOKENS_MAX);
    if (text->count == text->capacity) {
        size_t capacity = text->capacity == 0 ? 256 : 2 * text->capacity;
        struct config_token *tokens = reallocarray(text->tokens, capacity, sizeof(*tokens));
        if (tokens == NULL)
            return fail_here(scanner, "out of memory");
        text->tokens = tokens;
        text->capacity = capacity;
    }
    text->tokens[text->count++] = (struct config_token){
        .kind = kind,
        .line = scanner->line,
        .offset = (uint32_t)offset,
        .length = (uint32_t)(scanner->at - offset),
        .statement = scanner->statement,
        .parent = CONFIG_TOP,
    };
    return true;
}

/* Appends the next token, or says TOKEN_END. */
static bool scan_token(struct scanner *scanner, enum config_token_kind *kind)
{
    static const char signs[] = "=,{}";
    static const enum config_token_kind kinds[] = {TOKEN_EQUALS, TOKEN_COMMA, TOKEN_OPEN,
                                                   TOKEN_CLOSE};
    const struct config_text *text = scanner->text;

    skip_blanks(scanner);
    size_t offset = scanner->at;
    if (offset == text->length) {
        *kind = TOKEN_END;
        return true;
    }
    unsigned char c = (unsigned char)text->bytes[offset];
    if (c == '"') {
        *kind = TOKEN_STRING;
        if (!skip_string(scanner))
            return false;
    } else if (strchr(signs, c) != NULL) {
        *kind = kinds[strchr(signs, c) - signs];
        scanner->at++;
    } else if (is_word_byte(c)) {
        *kind = TOKEN_WORD;
        if (!skip_word(scanner))
            return false;
    } else {
        return refuse_byte(scanner, c);
    }
    return push(scanner, *kind, offset);
}

/* --- statements ------------------------------------------------------------ */

/* Says what was expected instead of the token that was scanned last. */
static bool unexpected(const struct scanner *scanner, enum config_token_kind kind,
                       const char *expected)
{
    const struct config_text *text = scanner->text;
    const struct config_token *last = &text->tokens[text->count - 1];

    if (kind == TOKEN_END)
        return fail(scanner, last->line, "the file ends; expected: %s", expected);
    return fail(scanner, last->line, "found %.*s; expected: %s", config_token_shown(last),
                text->bytes + last->offset, expected);
}

/* Behind the brace of a list, to the one that closes it. */
static bool scan_list(struct scanner *scanner)
{
    enum config_token_kind kind;

    for (;;) {
        if (!scan_token(scanner, &kind))
            return false;
        if (kind == TOKEN_CLOSE)
            return true;
        if (kind != TOKEN_WORD && kind != TOKEN_STRING)
            return unexpected(scanner, kind, "a value, or } at the end of the list");
        if (!scan_token(scanner, &kind))
            return false;
        if (kind == TOKEN_CLOSE)
            return true;
        if (kind != TOKEN_COMMA)
            return unexpected(scanner, kind, ", or } behind a value of the list");
    }
}

static bool scan_value(struct scanner *scanner)
{
    enum config_token_kind kind;

    if (!scan_token(scanner, &kind))
        return false;
    if (kind == TOKEN_OPEN)
        return scan_list(scanner);
    return kind == TOKEN_WORD || kind == TOKEN_STRING ||
           unexpected(scanner, kind, "a value behind =");
}

static bool scan_statements(struct scanner *scanner, uint32_t section);

/* Behind the opening brace of the section, to the closing one. */
static bool scan_section(struct scanner *scanner, uint32_t section)
{
    if (scanner->depth == CONFIG_DEPTH_MAX)
        return fail_here(scanner, "more than %u sections in one another", CONFIG_DEPTH_MAX);
    scanner->depth++;
    if (!scan_statements(scanner, section))
        return false;
    scanner->depth--;
    return true;
}

/* Behind the key. */
static bool scan_statement(struct scanner *scanner, uint32_t key)
{
    enum config_token_kind kind;

    if (!scan_token(scanner, &kind))
        return false;
    if (kind == TOKEN_EQUALS)
        return scan_value(scanner);
    if (kind == TOKEN_STRING) {
        if (!scan_token(scanner, &kind))
            return false;
        return kind == TOKEN_OPEN
                   ? scan_section(scanner, key)
                   : unexpected(scanner, kind,
                                "{ behind a name, or = between an option and a value");
    }
    return kind == TOKEN_OPEN ? scan_section(scanner, key)
                              : unexpected(scanner, kind, "= behind an option, or { of a section");
}

/* To the end of the section: its closing brace, or the end of the text. */
static bool scan_statements(struct scanner *scanner, uint32_t section)
{
    struct config_text *text = scanner->text;
    enum config_token_kind kind;
    unsigned titles = 0;

    for (;;) {
        scanner->statement = section;
        if (!scan_token(scanner, &kind))
            return false;
        if (kind == TOKEN_END && section != CONFIG_TOP)
            return fail(scanner, text->tokens[section].line,
                        "the section opened on line %u is never closed",
                        text->tokens[section].line);
        if (kind == TOKEN_END || (kind == TOKEN_CLOSE && section != CONFIG_TOP))
            return true;
        if (kind == TOKEN_CLOSE)
            return unexpected(scanner, kind, "a section that is open");
        if (kind != TOKEN_WORD)
            return unexpected(scanner, kind, "the name of an option or a section, without quotes");

        uint32_t key = (uint32_t)text->count - 1;
        text->tokens[key].statement = key;
        text->tokens[key].parent = section;
        scanner->statement = key;
        if (!scan_statement(scanner, key))
            return false;
        text->tokens[key].end = (uint32_t)text->count - 1;
        titles += config_text_title(text, key) != NULL;
        if (titles > CONFIG_TITLES_MAX)
            return fail(scanner, text->tokens[key].line,
                        "more than %u sections with a title beside one another", CONFIG_TITLES_MAX);
    }
}

bool config_text_scan(struct config_text *text, const char *path, const char *bytes, size_t length,
                      struct report *report)
{
    struct scanner scanner = {.text = text, .line = 1, .statement = CONFIG_TOP};

    *text = (struct config_text){.path = path, .bytes = bytes, .length = length, .report = report};
    if (length > CONFIG_FILE_MAX) {
        report_add_at(report, path, 0, "the file is larger than %u bytes", CONFIG_FILE_MAX);
        return false;
    }
    const char *nul = memchr(bytes, '\0', length);
    if (nul != NULL) {
        for (const char *byte = bytes; byte < nul; byte++)
            scanner.line += *byte == '\n';
        return fail_here(&scanner, "a NUL byte");
    }
    return scan_statements(&scanner, CONFIG_TOP);
}
