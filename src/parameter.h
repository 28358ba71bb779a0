/*
 * parameter: one row for each thing that server.conf can set.
 *
 * A row says a parameter's name, type, default, range, what a reload does to it
 * and what it is for, and it is the only place that does: the parser, --dump,
 * the error messages and the check of the man page all read the row. The value
 * stands in a plain struct (the "block") at the row's offset.
 *
 * A table of rows ends with a row without a name. No events, and no I/O but for
 * looking up the users and groups that a file names.
 */
#ifndef CISTERN_PARAMETER_H
#define CISTERN_PARAMETER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum parameter_type { /* the numbers first */
    PARAMETER_COUNT,     /* uint64_t: a decimal number of things */
    PARAMETER_SIZE,      /* uint64_t bytes: 512, 64KiB, 1MiB, 2GiB */
    PARAMETER_DURATION,  /* uint64_t milliseconds: 500ms, 30s, 5m, 2h, 7d */
    PARAMETER_RATE,      /* uint64_t in an hour: 10/s, 100/m, 1000/h */
    PARAMETER_BYTE_RATE, /* uint64_t bytes in a second: 500/s, 64KiB/s, 1MiB/s */
    PARAMETER_BOOLEAN,   /* bool: yes, no, on, off, true, false */
    PARAMETER_CHOICE,    /* int: index into choices */
    PARAMETER_MODE,      /* uint64_t: permissions of a file, octal: 0660 */
    PARAMETER_USER,      /* struct account: the name of a user of this system */
    PARAMETER_GROUP,     /* struct account: the name of a group of this system */
    PARAMETER_ADDRESSES, /* struct address_list, owned by the block */
    PARAMETER_SECTIONS,  /* struct parameter_sections, owned by the block */
};

/* Flags: words that stand for a value that no number does. */
#define PARAMETER_NONE (1U << 0)     /* `none` is allowed and means PARAMETER_IS_NONE */
#define PARAMETER_FOREVER (1U << 1)  /* `forever` is allowed, PARAMETER_IS_FOREVER */
#define PARAMETER_REQUIRED (1U << 2) /* no default: the file has to say it */
#define PARAMETER_AUTO (1U << 3)     /* `auto` is allowed and means PARAMETER_IS_AUTO */

#define PARAMETER_IS_NONE UINT64_C(0)
#define PARAMETER_IS_FOREVER UINT64_MAX
#define PARAMETER_IS_AUTO UINT64_C(0)

/* The longest name of a user or group (32, by useradd(8)), the end, and no gap behind it. */
#define ACCOUNT_NAME_SIZE 36U
/* What chown(2) leaves alone. */
#define ACCOUNT_NOBODY UINT32_MAX

struct account {
    char name[ACCOUNT_NAME_SIZE]; /* "": none */
    uint32_t id;                  /* of the user or group; none: ACCOUNT_NOBODY */
    uint32_t group;               /* a user's own; else 0 */
};

/* What a reload does with a changed value. */
enum parameter_reload {
    RELOAD_LIVE,        /* holds at once, for live state too */
    RELOAD_CONNECTIONS, /* holds for connections made from then on */
    RELOAD_REBIND,      /* takes effect on the socket: listened on anew, opened or closed */
    RELOAD_NEVER,       /* takes effect at the next start */
};

struct parameter {
    const char *name;
    enum parameter_type type;
    unsigned flags;
    size_t offset;       /* of the value in the block */
    const char *initial; /* the default as text, parsed as the file's own */
    uint64_t minimum;    /* inclusive, in the type's unit; numbers only */
    uint64_t maximum;
    const char *const *choices; /* PARAMETER_CHOICE: ends with NULL */
    enum parameter_reload reload;
    const char *help;             /* one sentence, no full stop */
    const struct parameter *rows; /* PARAMETER_SECTIONS: of each of them */
    size_t block_size;            /* and the size of the block that these rows describe */
};

/*
 * Sub-sections: NAME "TITLE" { ... } as often as one likes, in the file's order, no title twice.
 * What one of them leaves unsaid has the default of its row, unless the module knows better.
 */
struct parameter_section {
    char *title;
    void *block; /* of row->rows */
    bool *given; /* per row of row->rows: whether the file says it */
    unsigned *lines; /* and where; not a part of the value */
};
struct parameter_sections {
    size_t count;
    struct parameter_section *items;
};

/* The longest title of a sub-section, in bytes. */
#define PARAMETER_TITLE_MAX 1024U

/* Room for any reason that the functions below give. */
#define PARAMETER_WHY_SIZE 512
/* Room for one formatted value (one item of a list). */
#define PARAMETER_TEXT_SIZE 320

/* The value of the row in a block. */
static inline const void *parameter_value(const struct parameter *row, const void *block)
{
    return (const char *)block + row->offset;
}
static inline void *parameter_value_in(const struct parameter *row, void *block)
{
    return (char *)block + row->offset;
}

/*
 * Sets row's value in block from text (for PARAMETER_ADDRESSES: appends one
 * address; sub-sections are no text). False when it is not one, with the reason
 * in why: what was found, what is allowed, and for a choice what was probably
 * meant. The block keeps its old value then.
 */
bool parameter_parse(const struct parameter *row, const char *text, void *block, char *why,
                     size_t size);

/* How many texts the value has: 1, or the number of addresses; none of sub-sections. */
size_t parameter_text_count(const struct parameter *row, const void *block);

/* The index-th text of the value, as parameter_parse() takes it back. */
const char *parameter_format(const struct parameter *row, const void *block, size_t index,
                             char *buffer, size_t size);

/* What is allowed, in words: "a size from 1 to 1GiB", "one of a, b, c". */
const char *parameter_allowed(const struct parameter *row, char *buffer, size_t size);

/* Whether a title may be one: 1 to PARAMETER_TITLE_MAX bytes, no control characters. */
bool parameter_title_valid(const char *title);

/*
 * Appends a sub-section of that title, every row at its default and none given.
 * Valid until the next. NULL when memory is out.
 */
struct parameter_section *parameter_append_section(const struct parameter *row, const char *title,
                                                   void *block);

bool parameter_equal(const struct parameter *row, const void *one, const void *other);

/* Sets every default in a zeroed block. False when memory is out. */
bool parameters_init(const struct parameter *rows, void *block);

/* Deep copy into a zeroed block. False when memory is out; clear it then. */
bool parameters_copy(const struct parameter *rows, const void *from, void *to);

bool parameters_equal(const struct parameter *rows, const void *one, const void *other);

/* Releases what the values own; the block itself is the caller's. */
void parameters_clear(const struct parameter *rows, void *block);

/* How many rows there are; NULL has none. */
size_t parameters_count(const struct parameter *rows);

const struct parameter *parameter_find(const struct parameter *rows, const char *name);

/* Text from the file as a message shows it: in quotes, short, without control characters. */
#define TEXT_QUOTED_SIZE 80
const char *text_quote(const char *text, size_t length, char buffer[TEXT_QUOTED_SIZE]);

/* A size or duration as a person would write it: the largest unit that divides it. */
const char *size_format(uint64_t bytes, char *buffer, size_t size);
const char *duration_format(uint64_t milliseconds, char *buffer, size_t size);

/*
 * Of several words, the one a misspelt word probably meant, or NULL: offer each
 * candidate, then read best.
 */
struct suggestion {
    const char *word;
    const char *best;
    size_t distance;
};
void suggestion_init(struct suggestion *suggestion, const char *word);
void suggestion_offer(struct suggestion *suggestion, const char *candidate);

#endif
