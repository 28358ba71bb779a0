/* cisternctl: asks a running cisternd, and prints the answer. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "../control/command.h"
#include "commands.h"
#include "format.h"
#include "table.h"

#ifndef CISTERN_CONTROL
#error "CISTERN_CONTROL must be the path of the default control socket"
#endif

/* The daemon has said no, or could not. */
#define EXIT_REFUSED 1
/* The most words of one command. */
#define WORDS_MAX 64

const struct own_command own_commands[] = {
    {"top", "", "Shows who uses most, every few seconds"},
    {0},
};

const struct own_option own_options[] = {
    {'a', "all", NULL, "print all columns"},
    {'d', "delay", "SECONDS", "top: the time between two samples; 2 if not given"},
    {'h', "help", NULL, "print this and exit"},
    {'j', "json", NULL, "print JSON, for programs"},
    {'n', "count", "NUMBER", "top: end after so many samples"},
    {'s', "socket", "PATH", "the control socket; " CISTERN_CONTROL " if not given"},
    {'V', "version", NULL, "print the version and exit"},
    {0},
};

struct options {
    const char *path;
    bool all;
    bool json;
    unsigned long count;
    double delay;
};

/* --- help --------------------------------------------------------------------------------- */

static void print_command(const char *name, const char *arguments, const char *summary)
{
    printf("  %s%s%s\n      %s\n", name, arguments[0] == '\0' ? "" : " ", arguments, summary);
}

static int print_help(void)
{
    puts("usage: cisternctl [OPTION ...] COMMAND [ARGUMENT ...]\n"
         "\n"
         "Asks a running cisternd.\n");
    for (const struct own_option *option = own_options; option->letter != '\0'; option++) {
        char name[40];
        snprintf(name, sizeof name, "%s%s%s", option->name, option->value ? "=" : "",
                 option->value ? option->value : "");
        printf("  -%c, --%-16s %s\n", option->letter, name, option->help);
    }
    puts("\nCommands:");
    for (size_t i = 0; i < CONTROL_COMMANDS; i++)
        print_command(control_commands[i].name, control_commands[i].arguments,
                      control_commands[i].summary);
    for (const struct own_command *own = own_commands; own->name != NULL; own++)
        print_command(own->name, own->arguments, own->summary);
    puts("\nManual: cisternctl(1)");
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static int usage_error(const char *what)
{
    fprintf(stderr, "cisternctl: %s\nTry 'cisternctl --help'.\n", what);
    return EX_USAGE;
}

/* --- asking -------------------------------------------------------------------------------- */

/* Without the word that is for programs; a report has its lines as cisternd prints them. */
static int print_error(const struct value *error)
{
    const char *text = strchr(error->text, ' ');
    bool is_report = strncmp(error->text, "INVALID ", 8) == 0;
    bool is_denied = strncmp(error->text, "NOPERM ", 7) == 0;
    text = text == NULL ? error->text : text + 1;
    size_t length = strlen(text);
    fprintf(stderr, "%s%s%s", is_report ? "" : "cisternctl: ", text,
            length > 0 && text[length - 1] == '\n' ? "" : "\n");
    return is_denied ? EX_NOPERM : EXIT_REFUSED;
}

static bool print_text(const struct value *value)
{
    char *text = format_value("", value);
    if (text == NULL)
        return false;
    puts(text);
    free(text);
    return true;
}

static int print_answer(const struct control_command *command, const struct value *answer,
                        const struct options *options)
{
    bool complete = true;
    if (answer->kind == VALUE_ERROR)
        return print_error(answer);
    if (options->json) {
        format_json(answer, stdout);
        putchar('\n');
    } else if (answer->kind == VALUE_LIST) {
        complete = table_print_rows(answer, options->all ? NULL : command->columns, stdout);
    } else if (answer->kind == VALUE_MAP) {
        complete = table_print_map(answer, stdout);
    } else {
        complete = print_text(answer);
    }
    if (!complete)
        fputs("cisternctl: out of memory\n", stderr);
    return !complete ? EX_OSERR : fflush(stdout) == 0 && !ferror(stdout) ? EX_OK : EX_IOERR;
}

static int ask(const struct control_command *command, const char *const *words, size_t count,
               const struct options *options)
{
    struct client client;
    struct value answer = {0};
    char why[CLIENT_WHY_SIZE];
    int result = client_open(&client, options->path, why);
    if (result == EX_OK && !client_ask(&client, words, count, &answer, why))
        result = EX_PROTOCOL;
    if (result == EX_OK)
        result = print_answer(command, &answer, options);
    else
        fprintf(stderr, "cisternctl: %s\n", why);
    value_clear(&answer);
    client_close(&client);
    return result;
}

/* What the daemon would say of it is said at once. */
static int check_and_ask(char **words, size_t count, const struct options *options)
{
    struct resp_argument arguments[WORDS_MAX];
    struct control_request request;
    char why[CONTROL_WHY_SIZE];
    if (count > WORDS_MAX)
        return usage_error("too many words");
    for (size_t i = 0; i < count; i++)
        arguments[i] = (struct resp_argument){words[i], strlen(words[i])};
    if (!control_parse(&request, arguments, count, why))
        return usage_error(why);
    return ask(request.command, (const char *const *)words, count, options);
}

/* --- options --------------------------------------------------------------------------------- */

static bool parse_number(const char *text, double least, double most, double *number)
{
    char *end;
    *number = strtod(text, &end);
    return *text != '\0' && *end == '\0' && *number >= least && *number <= most;
}

/* Returns -1 to go on, or the exit code. */
static int take_option(int letter, struct options *options)
{
    double number;
    switch (letter) {
    case 'a':
        options->all = true;
        return -1;
    case 'j':
        options->json = true;
        return -1;
    case 's':
        options->path = optarg;
        return -1;
    case 'd':
        return parse_number(optarg, 0.01, 60, &options->delay)
                   ? -1
                   : usage_error("a delay is 0.01 to 60 seconds");
    case 'n':
        if (!parse_number(optarg, 1, 1e9, &number))
            return usage_error("a count is 1 or more");
        options->count = (unsigned long)number;
        return -1;
    case 'h':
        return print_help();
    case 'V':
        puts("cisternctl " PACKAGE_VERSION);
        return EX_OK;
    default:
        fputs("Try 'cisternctl --help'.\n", stderr);
        return EX_USAGE;
    }
}

static int parse_options(int argc, char **argv, struct options *options)
{
    struct option names[sizeof own_options / sizeof own_options[0]] = {0};
    char letters[2 * sizeof names / sizeof names[0]], *end = letters;
    for (size_t i = 0; own_options[i].letter != '\0'; i++) {
        bool takes = own_options[i].value != NULL;
        names[i] = (struct option){own_options[i].name, takes ? required_argument : no_argument,
                                   NULL, own_options[i].letter};
        *end++ = own_options[i].letter;
        if (takes)
            *end++ = ':';
    }
    *end = '\0';
    for (int letter; (letter = getopt_long(argc, argv, letters, names, NULL)) != -1;) {
        int result = take_option(letter, options);
        if (result >= 0)
            return result;
    }
    return -1;
}

int main(int argc, char **argv)
{
    struct options options = {.path = CISTERN_CONTROL, .delay = 2};
    signal(SIGPIPE, SIG_IGN); /* a daemon that has gone is told by its missing answer */
    if (argc > 1 && strcmp(argv[1], "complete") == 0) /* options behind it are no options of ours */
        return complete_run(options.path, (const char *const *)argv + 2, (size_t)argc - 2);
    int result = parse_options(argc, argv, &options);
    if (result >= 0)
        return result;
    if (optind == argc)
        return usage_error("a command is needed");
    char **words = argv + optind;
    size_t count = (size_t)(argc - optind);
    if (strcmp(words[0], "top") == 0 && count == 1 && !options.json)
        return top_run(options.path, options.count, options.delay);
    if (strcmp(words[0], "top") == 0)
        return usage_error("top takes no arguments, and prints no JSON");
    if (strcmp(words[0], "help") == 0 && count == 1)
        return print_help();
    return check_and_ask(words, count, &options);
}
