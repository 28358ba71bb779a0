/*
 * page: the text of a manual page (or of any file of the source tree), and pieces of it.
 */
#ifndef CISTERN_TESTS_PAGE_H
#define CISTERN_TESTS_PAGE_H

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_SIZE (128U * 1024)

/* A piece of a page: of whole lines, and of the line end before them. */
struct span {
    const char *begin;
    const char *end;
};

/* The text of a file of the source tree, whole and ended by a NUL. */
static inline void load(const char *path, char text[PAGE_SIZE])
{
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s cannot be read", path);
    size_t length = fread(text, 1, PAGE_SIZE - 1, file);
    ck_assert_msg(feof(file), "%s does not fit the buffer", path);
    fclose(file);
    text[length] = '\0';
}

static inline const char *source_path(const char *name)
{
    static char path[4096];
    const char *top = getenv("top_srcdir");
    ck_assert_ptr_nonnull(top);
    snprintf(path, sizeof path, "%s/%s", top, name);
    return path;
}

static inline const char *find(struct span span, const char *text)
{
    return memmem(span.begin, (size_t)(span.end - span.begin), text, strlen(text));
}

static inline size_t count(struct span span, const char *text)
{
    size_t found = 0;
    for (const char *at; (at = find(span, text)) != NULL; span.begin = at + 1)
        found++;
    return found;
}

static inline struct span whole(const char *text)
{
    return (struct span){text, text + strlen(text)};
}

/* From behind the line that begins span up to the next that begins with text. */
static inline struct span body(struct span span, const char *text)
{
    struct span rest = {strchr(span.begin + 1, '\n'), span.end};
    const char *next = find(rest, text);
    return (struct span){rest.begin, next == NULL ? rest.end : next};
}

/* What stands below the heading ("Sh DESCRIPTION", "Ss echo"). */
static inline struct span section(struct span span, const char *heading)
{
    char line[80];
    snprintf(line, sizeof line, "\n.%s\n", heading);
    const char *begin = find(span, line);
    ck_assert_msg(begin != NULL, "there is no section .%s", heading);
    struct span found = body((struct span){begin, span.end}, "\n.Sh ");
    return heading[1] == 's' ? body((struct span){begin, found.end}, "\n.Ss ") : found;
}

/* The text with every run of blanks and line ends as one blank. */
static inline const char *squeeze(struct span span)
{
    static char text[PAGE_SIZE];
    char *out = text;
    for (const char *in = span.begin; in < span.end; in++) {
        if (!isspace((unsigned char)*in))
            *out++ = *in;
        else if (out > text && out[-1] != ' ')
            *out++ = ' ';
    }
    *out = '\0';
    return text;
}

/* Takes the next item of the list, which has to begin with that line; returns its body. */
static inline struct span take_item(struct span *list, const char *head)
{
    const char *begin = find(*list, "\n.It Ic ");
    ck_assert_msg(begin != NULL, "there is no item after the last: %s", head);
    const char *end = strchr(begin + 1, '\n');
    ck_assert_msg((size_t)(end - begin - 1) == strlen(head) &&
                      memcmp(begin + 1, head, strlen(head)) == 0,
                  "the item is\n%.*s\nand should be\n%s", (int)(end - begin - 1), begin + 1, head);
    struct span item = body((struct span){begin, list->end}, "\n.It Ic ");
    list->begin = item.end;
    return item;
}

/* The index-th literal display. */
static inline struct span display(struct span span, unsigned index)
{
    const char *begin = find(span, "\n.Bd -literal");
    for (; begin != NULL && index > 0; index--)
        begin = find((struct span){begin + 1, span.end}, "\n.Bd -literal");
    ck_assert_msg(begin != NULL, "there are not so many displays");
    struct span found = body((struct span){begin, span.end}, "\n.Ed\n");
    ck_assert_msg(find(found, "\\") == NULL, "a display here has no backslash");
    found.begin++; /* so that the line numbers are right */
    return found;
}

#endif
