/* main: options and exit codes; the rest is the library's. */
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>

#include "config.h"
#include "log.h"
#include "server.h"

#ifndef CISTERN_CONF
#error "CISTERN_CONF must be the path of the default server.conf"
#endif

struct options {
    const char *path;
    bool check;
    bool dump;
    bool verbose;
};

static const char usage[] =
    "usage: cisternd [-f FILE] [--check [-v] | --dump]\n"
    "\n"
    "Serves the listeners that FILE describes, in the foreground.\n"
    "\n"
    "  -f, --config=FILE  read FILE instead of " CISTERN_CONF "\n"
    "  -c, --check        say what is wrong with FILE and exit (0: nothing, 78: something)\n"
    "  -d, --dump         print FILE as it takes effect, defaults included, and exit\n"
    "  -v, --verbose      with --check: print the memory and descriptors it needs at worst\n"
    "  -V, --version      print the version and exit\n"
    "  -h, --help         print this and exit\n"
    "\n"
    "Signals: HUP reloads FILE; TERM and INT finish and stop; QUIT stops at once;\n"
    "         USR1 logs the state; USR2 switches debug messages on and off.\n"
    "Manual: cisternd(8), server.conf(5)\n";

static void print_version(void)
{
    printf("cisternd %s (libevent %s)\n", PACKAGE_VERSION, event_get_version());
}

/* Returns -1 to go on, or the exit code. */
static int parse_options(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {
        {"config", required_argument, NULL, 'f'},
        {"check", no_argument, NULL, 'c'},
        {"dump", no_argument, NULL, 'd'},
        {"verbose", no_argument, NULL, 'v'},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "f:cdvVh", names, NULL)) != -1) {
        switch (option) {
        case 'f':
            options->path = optarg;
            break;
        case 'c':
            options->check = true;
            break;
        case 'd':
            options->dump = true;
            break;
        case 'v':
            options->verbose = true;
            break;
        case 'V':
            print_version();
            return EX_OK;
        case 'h':
            fputs(usage, stdout);
            return EX_OK;
        default:
            fputs("Try 'cisternd --help'.\n", stderr);
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "cisternd: unexpected argument '%s'\nTry 'cisternd --help'.\n",
                argv[optind]);
        return EX_USAGE;
    }
    return -1;
}

static void print_report(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        fprintf(stderr, "%s\n", report->lines[i]);
    if (report->dropped > 0)
        fprintf(stderr, "and %zu more errors\n", report->dropped);
}

/* Output that could not be written must not look like success. */
static int finish_output(void)
{
    return fflush(stdout) == 0 && !ferror(stdout) ? EX_OK : EX_IOERR;
}

int main(int argc, char **argv)
{
    struct options options = {.path = CISTERN_CONF};
    int result = parse_options(argc, argv, &options);
    if (result >= 0)
        return result;
    log_init(getenv("CISTERN_JOURNAL_SOCKET"));
    /* What is large goes back to the system when it is freed: no small piece behind it keeps it. */
    mallopt(M_MMAP_THRESHOLD, 64 * 1024);
    /* Nor does it come back from the arenas that glibc would give the other workers. */
    mallopt(M_ARENA_MAX, 1);

    struct report report = {0};
    struct config *config = config_load(options.path, &report);
    print_report(&report);
    report_clear(&report);
    if (config == NULL)
        return EX_CONFIG;

    if (!options.check && !options.dump)
        return server_run(options.path, config);
    if (options.dump)
        config_dump(config, stdout);
    if (options.check && options.verbose)
        config_print_worst_case(config, stdout);
    else if (options.check)
        printf("%s: valid (listeners: %zu)\n", options.path, config->listener_count);
    config_free(config);
    return finish_output();
}
