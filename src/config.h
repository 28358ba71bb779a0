/*
 * config: server.conf as typed, immutable data.
 *
 * A file becomes a struct config in one step or not at all; what was wrong with
 * it stands in a report, every error with its true file:line. Nothing of it
 * changes afterwards: a reload loads another one and compares.
 *
 * (There is no config.h of autoconf in this project: its definitions come on
 * the compiler's command line.)
 */
#ifndef CISTERN_CONFIG_H
#define CISTERN_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "address.h"
#include "log.h"
#include "parameter.h"
#include "protocol.h"

/* The largest server.conf that is read, in bytes. */
#define CONFIG_FILE_MAX (1024U * 1024)
/* The most errors that a report keeps; the rest is counted. */
#define CONFIG_ERRORS_MAX 100U
/* Descriptors that are not connections or listening sockets: stdio, epoll, timers, a reserve. */
#define CONFIG_RESERVED_FDS 64U

/* The most workers: each costs a thread and its buffers, and accepting is one thread's work. */
#define CONFIG_WORKERS_MAX 64U
/* Descriptors of a worker beyond the first: epoll, libevent's signal pipe, its wake-up. */
#define CONFIG_WORKER_FDS 4U

/* What was wrong with a file: one line of text an error, without a newline. Owns its lines. */
struct report {
    size_t count;
    size_t dropped; /* errors beyond CONFIG_ERRORS_MAX */
    char *lines[CONFIG_ERRORS_MAX];
    unsigned positions[CONFIG_ERRORS_MAX]; /* the lines of the file that they are about, rising */
};
/* Zero it to begin. */
void report_add(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* In the place that line of the file asks for: "PATH:LINE: ...", or "PATH: ..." if line is 0. */
void report_add_at(struct report *report, const char *path, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* All lines in one text, each with its end; NULL when memory is out. The caller frees it. */
char *report_text(const struct report *report);
void report_clear(struct report *report);

/* Values of a section of the file, and where they came from. */
struct config_section {
    const struct parameter *rows;
    void *block;     /* the struct that the rows describe; owned */
    unsigned *lines; /* per row: its line in the file (of sub-sections, the first's), or 0; owned */
    unsigned line;   /* where the section begins; 0 for the file itself */
};

/* The block of the global section. */
struct global_options {
    uint64_t drain_timeout; /* ms; none: close at once; forever: wait for every client */
    uint64_t max_connections;
    uint64_t max_memory;   /* bytes that all modules hold together; none: no limit */
    uint64_t max_buffered; /* bytes of input and output of all connections; none: no limit */
    uint64_t workers;
    int log_level;        /* index into the row's choices: LOG_LEVEL_ERROR + index */
    int log_format;       /* enum log_format */
    struct account user;  /* that the process becomes; none: it stays what it is */
    struct account group; /* none: the user's own */
};

/* The block of a listener's generic options. */
struct listener_options {
    struct address_list listen;
    uint64_t backlog;
    uint64_t max_connections;
    uint64_t max_connections_per_source; /* none: no limit */
    uint64_t connect_rate;               /* of one source, an hour; none: no limit */
    uint64_t connect_burst;
    uint64_t source_prefix_ipv4; /* bits that make a source */
    uint64_t source_prefix_ipv6;
    uint64_t idle_timeout;    /* ms; none: no limit; the next two likewise */
    uint64_t request_timeout; /* from the first byte of a request to its last */
    uint64_t write_timeout;   /* output, and the peer takes none of it */
    uint64_t read_rate;       /* bytes a second of one connection; none: no limit */
    uint64_t write_rate;
    bool keepalive;
    bool nodelay;
    int log_level; /* 0: the global one; else LOG_LEVEL_ERROR + index - 1 */
    bool access_log;
    uint64_t access_log_rate; /* lines a second */
    uint64_t socket_mode;     /* of unix sockets; none: what the umask leaves */
    struct account socket_owner;
    struct account socket_group;
};

struct config_listener {
    char *name;
    struct config_section generic;          /* struct listener_options */
    const struct listener_options *options; /* generic.block */
    const struct protocol *protocol;
    struct config_section parameters; /* the module's; block NULL if it has none */
};

struct config {
    char *path;
    struct config_section generic;        /* struct global_options */
    const struct global_options *options; /* generic.block */
    size_t listener_count;
    struct config_listener *listeners; /* in the file's order */
};

/* The rows of the two generic sections. */
extern const struct parameter config_global_rows[];
extern const struct parameter config_listener_rows[];

/*
 * Reads, parses and validates the file at path. NULL with at least one line in
 * report when it is not a valid configuration or memory is out. The caller
 * frees the configuration with config_free().
 */
struct config *config_load(const char *path, struct report *report);
/* The same from memory: name stands for the path in messages. */
struct config *config_parse(const char *name, const char *text, size_t length,
                            struct report *report);
void config_free(struct config *config);

/* The line of the file on which the section's option stands; 0 if it does not. */
unsigned config_line_of(const struct config_section *section, const char *key);

const struct config_listener *config_find_listener(const struct config *config, const char *name);

/* How many workers it asks for, from 1; auto: the processors that this process may run on. */
unsigned config_workers(const struct config *config);
/* Descriptors that are not connections or listening sockets, with so many workers. */
unsigned config_reserved_descriptors(unsigned workers);

enum log_level config_log_level(const struct config *config);
enum log_level config_listener_log_level(const struct config *config,
                                         const struct config_listener *listener);

/* The effective configuration, defaults included, in the file's own grammar. */
void config_dump(const struct config *config, FILE *out);

/* For people: the memory at the worst, and the descriptors, that it lets clients use. */
void config_print_worst_case(const struct config *config, FILE *out);

#endif
