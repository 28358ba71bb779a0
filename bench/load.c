/* load: the options, and what ends the process. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define SECOND UINT64_C(1000000000)

static const char usage[] =
    "usage: load MODE [OPTION...] HOST PORT\n"
    "\n"
    "modes, the first four of which keep --depth requests in flight on each connection:\n"
    "  echo           messages come back\n"
    "  push, pop      items into queues, and out of them\n"
    "  both           push and pop, as one request\n"
    "  handover       pairs of a producer and a consumer that waits: one item in flight each\n"
    "  churn          connect, send a message, receive it, close\n"
    "  idle           connect, say ready, and hold until standard input ends\n"
    "\n"
    "  -a --dialect NAME      echo, resp, beanstalk           [echo, and resp for queues]\n"
    "  -c --connections N                                     [1]\n"
    "  -d --depth N                                           [1]\n"
    "  -b --batch             send the next --depth requests when all are answered\n"
    "  -s --size BYTES        of a message or an item         [64]\n"
    "  -k --queues N          use so many in turn             [1]\n"
    "  -n --sources N         connect from 127.0.0.1 to 127.0.0.N  [1]\n"
    "  -r --rate N            messages a second; latency counts from when each was due\n"
    "  -m --messages N        exactly so many, without warm-up\n"
    "  -w --warm-up SECONDS                                   [0.1]\n"
    "  -t --seconds SECONDS   of the steady part              [0.3]\n"
    "  -p --pid PID           of the server, whose processor time is measured\n"
    "  -h --help\n";

static const struct option long_options[] = {
    {"dialect", required_argument, NULL, 'a'},  {"connections", required_argument, NULL, 'c'},
    {"depth", required_argument, NULL, 'd'},    {"batch", no_argument, NULL, 'b'},
    {"size", required_argument, NULL, 's'},     {"queues", required_argument, NULL, 'k'},
    {"sources", required_argument, NULL, 'n'},  {"rate", required_argument, NULL, 'r'},
    {"messages", required_argument, NULL, 'm'}, {"warm-up", required_argument, NULL, 'w'},
    {"seconds", required_argument, NULL, 't'},  {"pid", required_argument, NULL, 'p'},
    {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0},
};

void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(EXIT_FAILURE);
}

void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        die("out of memory");
    return memory;
}

static uint32_t number(const char *text, uint32_t maximum)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text == '-' || value < 1 || value > maximum)
        die("not a number from 1 to %u: %s", maximum, text);
    return (uint32_t)value;
}

static uint64_t duration(const char *text)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds >= 0 && seconds <= 3600))
        die("not a number of seconds: %s", text);
    return (uint64_t)(seconds * (double)SECOND);
}

static void set_option(struct options *options, int letter, const char *value)
{
    switch (letter) {
    case 'a':
        options->dialect = dialect_find(value);
        if (options->dialect == NULL)
            die("no dialect %s", value);
        break;
    case 'b':
        options->batch = true;
        break;
    case 'c':
        options->connections = number(value, 1000000);
        break;
    case 'd':
        options->depth = number(value, 4096);
        break;
    case 'h':
        fputs(usage, stdout);
        exit(EXIT_SUCCESS);
    case 'k':
        options->queues = number(value, 100000000);
        break;
    case 'm':
        options->messages = number(value, UINT32_MAX);
        break;
    case 'n':
        options->sources = number(value, 250);
        break;
    case 'p':
        options->server = (pid_t)number(value, INT32_MAX);
        break;
    case 'r':
        options->rate = number(value, 100000000);
        break;
    case 's':
        options->size = number(value, UINT32_C(1) << 24);
        break;
    case 't':
        options->duration = duration(value);
        break;
    case 'w':
        options->warm_up = duration(value);
        break;
    default:
        fputs(usage, stderr);
        exit(64);
    }
}

static void set_target(struct options *options, const char *host, const char *port)
{
    options->target.sin_family = AF_INET;
    options->target.sin_port = htons((uint16_t)number(port, UINT16_MAX));
    if (inet_pton(AF_INET, host, &options->target.sin_addr) != 1)
        die("not an IPv4 address: %s", host);
}

static void run(const char *mode, struct options *options)
{
    static const struct {
        const char *name;
        const char *dialect;
        enum word word;
        void (*run)(const struct options *); /* NULL: run_loop() with the word */
    } modes[] = {
        {"echo", "echo", WORD_ECHO, NULL},
        {"push", "resp", WORD_PUSH, NULL},
        {"pop", "resp", WORD_POP, NULL},
        {"both", "resp", WORD_BOTH, NULL},
        {"handover", "resp", WORD_WAIT, run_handover},
        {"churn", "echo", WORD_ECHO, run_churn},
        {"idle", "echo", WORD_ECHO, run_idle},
    };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(mode, modes[i].name) != 0)
            continue;
        if (options->dialect == NULL)
            options->dialect = dialect_find(modes[i].dialect);
        if (modes[i].run != NULL)
            modes[i].run(options);
        else
            run_loop(options, modes[i].word);
        return;
    }
    die("no mode %s", mode);
}

int main(int argc, char **argv)
{
    struct options options = {
        .connections = 1,
        .depth = 1,
        .size = 64,
        .queues = 1,
        .sources = 1,
        .warm_up = SECOND / 10,
        .duration = SECOND * 3 / 10,
    };
    int letter;
    while ((letter = getopt_long(argc, argv, "a:bc:d:hk:m:n:p:r:s:t:w:", long_options, NULL)) != -1)
        set_option(&options, letter, optarg);
    if (argc - optind != 3)
        set_option(&options, '?', NULL);
    set_target(&options, argv[optind + 1], argv[optind + 2]);

    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    run(argv[optind], &options);
    return EXIT_SUCCESS;
}
