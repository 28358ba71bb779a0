/*
 * config_text: the text of server.conf as tokens and statements.
 *
 * Everything about the text that can be known without knowing an option:
 * comments, quotes, braces, and where each statement begins and ends. Strict
 * where libconfuse 3.3 is not: that skips characters which it does not know,
 * takes a file that ends inside a section, and miscounts lines behind comments.
 * So config_file.c shows libconfuse nothing but these tokens. The scanner is in
 * config_scan.c.
 *
 *   statement = WORD "=" value | WORD [ STRING ] "{" { statement } "}"
 *   value     = WORD | STRING | "{" [ item { "," item } [ "," ] ] "}"
 *
 * Pure, but for the environment that ${NAME} asks for.
 */
#ifndef CISTERN_CONFIG_TEXT_H
#define CISTERN_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

/* How deep sections may stand in one another. */
#define CONFIG_DEPTH_MAX 8U
/* The most sections with a title in one section, or in the file. */
#define CONFIG_TITLES_MAX 1024U
/* The most addresses of a file: descriptors are scarcer. */
#define CONFIG_ADDRESSES_MAX 1024U
/* The most tokens of a file: enough for all of these. */
#define CONFIG_TOKENS_MAX 65536U
/* The longest piece of the file that a message repeats, in bytes. */
#define CONFIG_SHOWN_MAX 64
/* Stands for the token of the section that is the file itself. */
#define CONFIG_TOP UINT32_MAX

enum config_token_kind {
    TOKEN_WORD,   /* letters, digits, _ . % - */
    TOKEN_STRING, /* in double quotes, which belong to it; all on one line */
    TOKEN_EQUALS,
    TOKEN_COMMA,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_END, /* of the text: never among the tokens */
};

struct config_token {
    enum config_token_kind kind;
    unsigned line;
    uint32_t offset;    /* in the text */
    uint32_t length;    /* in bytes */
    uint32_t statement; /* the key of the innermost statement that the token belongs to */
    uint32_t parent;    /* of a key: the key of the section around it, or CONFIG_TOP */
    uint32_t end;       /* of a key: the last token of its statement */
    bool dropped;       /* of a key: the statement was reported as unknown, and does not count */
    char *value;        /* once config_file_check() read it: unquoted; owned. Of the values of
                           options, and of the titles of sub-sections (parameter.h) */
};

/* Borrows path, bytes and report; owns its tokens. */
struct config_text {
    const char *path;
    const char *bytes;
    size_t length;
    struct report *report;
    size_t count;
    size_t capacity;
    struct config_token *tokens;
};

/* Scans bytes. False with an error in report; call config_text_clear() in any case. */
bool config_text_scan(struct config_text *text, const char *path, const char *bytes, size_t length,
                      struct report *report);
void config_text_clear(struct config_text *text);

/* The statements of a section (CONFIG_TOP for the file's): from first, while not at end. */
uint32_t config_text_first(const struct config_text *text, uint32_t section);
uint32_t config_text_next(const struct config_text *text, uint32_t statement);
bool config_text_at_end(const struct config_text *text, uint32_t section, uint32_t statement);

/* Whether the statement is a section, and not an option. */
bool config_text_is_section(const struct config_text *text, uint32_t statement);
/* Of a section: the token of its title, or NULL. */
const struct config_token *config_text_title(const struct config_text *text, uint32_t statement);

/* Of the section's statements of that name, without the dropped, the index-th; or CONFIG_TOP. */
uint32_t config_text_find(const struct config_text *text, uint32_t section, const char *name,
                          size_t index);

/* Whether the token is just that word. */
bool config_text_is(const struct config_text *text, uint32_t token, const char *word);

/* How much of a token a message repeats, for "%.*s". */
int config_token_shown(const struct config_token *token);

/*
 * Reports an error at a statement, by its path through the file:
 * PATH:LINE: listener "NAME": PROTOCOL: KEY: ...
 * Always false, for the caller to return.
 */
bool config_text_error(const struct config_text *text, uint32_t statement, unsigned line,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
