/* The live view: see commands.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "format.h"
#include "table.h"

/* How many of the largest are shown, and how many are asked for, to find them. */
#define SHOWN_MAX 10U
#define ASKED_MAX "limit=10000"

/* What the daemon said at one time. */
struct sample {
    double at; /* seconds of a clock that never steps back */
    struct value status;
    struct value listeners;
    struct value queues;
    struct value connections;
};

/* Two samples, of which the earlier may be empty. */
struct view {
    const struct sample *before;
    const struct sample *now;
    FILE *out;
};

static void clear_sample(struct sample *sample)
{
    value_clear(&sample->status);
    value_clear(&sample->listeners);
    value_clear(&sample->queues);
    value_clear(&sample->connections);
}

static bool take_sample(struct client *client, struct sample *sample, char why[CLIENT_WHY_SIZE])
{
    static const char *const status[] = {"status"}, *const listeners[] = {"listeners"};
    static const char *const queues[] = {"queues", "sort=items", ASKED_MAX};
    static const char *const connections[] = {"connections", ASKED_MAX};
    struct timespec now;
    *sample = (struct sample){0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    sample->at = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
    return client_ask(client, status, 1, &sample->status, why) &&
           client_ask(client, listeners, 1, &sample->listeners, why) &&
           client_ask(client, queues, 3, &sample->queues, why) &&
           client_ask(client, connections, 2, &sample->connections, why);
}

/* --- rates ------------------------------------------------------------------------------- */

static bool same(const struct value *one, const struct value *other, const char *name)
{
    return value_number(one, name) == value_number(other, name) &&
           strcmp(value_text(one, name), value_text(other, name)) == 0;
}

/* The row of the earlier sample that is about the same thing; NULL if there is none. */
static const struct value *find_before(const struct value *rows, const struct value *row,
                                       const char *key, const char *other_key, size_t guess)
{
    for (size_t i = 0; i < rows->count; i++) {
        /* Rows seldom change their places: begin where it was. */
        const struct value *each = &rows->items[(guess + i) % rows->count];
        if (same(each, row, key) && (other_key == NULL || same(each, row, other_key)))
            return each;
    }
    return NULL;
}

/* How much the figure grows in a second. */
static double rate(const struct view *view, const struct value *before, const struct value *row,
                   const char *name)
{
    double elapsed = view->now->at - view->before->at;
    uint64_t now = value_number(row, name);
    if (before == NULL || elapsed <= 0 || now < value_number(before, name))
        return 0;
    return (double)(now - value_number(before, name)) / elapsed;
}

/* --- cells ------------------------------------------------------------------------------- */

static char *number_cell(uint64_t number)
{
    char text[FORMAT_SIZE];
    snprintf(text, sizeof text, "%" PRIu64, number);
    return strdup(text);
}

static char *rate_cell(double rate)
{
    char text[FORMAT_SIZE];
    snprintf(text, sizeof text, rate < 10 ? "%.1f" : "%.0f", rate);
    return strdup(text);
}

static char *bytes_rate_cell(double rate)
{
    char text[FORMAT_SIZE];
    return strdup(format_bytes((uint64_t)rate, text));
}

static char *figure_cell(const struct value *row, const char *name)
{
    static const struct value none = {.kind = VALUE_NONE};
    const struct value *value = value_get(row, name);
    return format_value(name, value != NULL ? value : &none);
}

static void add_columns(struct table *table, const char *const *heads, size_t count, size_t texts)
{
    for (size_t i = 0; i < count; i++)
        table_column(table, heads[i], i >= texts);
}

static void print_table(struct table *table, FILE *out)
{
    if (table->count > 0 && !table->no_memory) {
        putc('\n', out);
        table_print(table, out);
    }
    table_clear(table);
}

/* --- parts of the view ----------------------------------------------------------------------- */

static void print_status(const struct view *view)
{
    const struct value *status = &view->now->status;
    const struct value *queued = value_get(status, "max_queued_bytes");
    char up[FORMAT_SIZE], used[FORMAT_SIZE], limit[FORMAT_SIZE] = "no limit", clock[16];
    struct tm local;
    time_t now = time(NULL);
    localtime_r(&now, &local);
    strftime(clock, sizeof clock, "%H:%M:%S", &local);
    if (queued != NULL && queued->kind == VALUE_NUMBER)
        format_bytes((uint64_t)queued->number, limit);
    fprintf(view->out, "%s  cistern %s, %s for %s, generation %" PRIu64 "\n", clock,
            value_text(status, "version"), value_text(status, "state"),
            format_duration(value_number(status, "uptime_ms"), up),
            value_number(status, "generation"));
    fprintf(view->out,
            "connections %" PRIu64 " of %" PRIu64 ", descriptors %" PRIu64 " of %" PRIu64
            ", queued %s of %s\n",
            value_number(status, "connections"), value_number(status, "max_connections"),
            value_number(status, "descriptors"), value_number(status, "max_descriptors"),
            format_bytes(value_number(status, "queued_bytes"), used), limit);
    if (strcmp(value_text(status, "last_reload"), "failed") == 0)
        fputs("the last reload failed: see cisternctl status\n", view->out);
}

static void print_listeners(const struct view *view)
{
    static const char *const heads[] = {"LISTENER",  "STATE", "CONNECTIONS", "ACCEPTED/s",
                                        "REFUSED/s", "IN/s",  "OUT/s"};
    const struct value *rows = &view->now->listeners;
    struct table table = {0};
    add_columns(&table, heads, 7, 2);
    for (size_t i = 0; i < rows->count; i++) {
        const struct value *row = &rows->items[i];
        const struct value *before = find_before(&view->before->listeners, row, "name", NULL, i);
        table_cell(&table, figure_cell(row, "name"));
        table_cell(&table, figure_cell(row, "state"));
        table_cell(&table, number_cell(value_number(row, "connections")));
        table_cell(&table, rate_cell(rate(view, before, row, "accepted")));
        table_cell(&table, rate_cell(rate(view, before, row, "refused")));
        table_cell(&table, bytes_rate_cell(rate(view, before, row, "bytes_received")));
        table_cell(&table, bytes_rate_cell(rate(view, before, row, "bytes_sent")));
    }
    print_table(&table, view->out);
}

static void print_queues(const struct view *view)
{
    static const char *const heads[] = {"QUEUE", "LISTENER", "ITEMS",    "MAX",
                                        "BYTES", "PUSHED/s", "POPPED/s", "WAITING"};
    const struct value *rows = &view->now->queues;
    struct table table = {0};
    add_columns(&table, heads, 8, 2);
    for (size_t i = 0; i < rows->count && i < SHOWN_MAX; i++) {
        const struct value *row = &rows->items[i];
        const struct value *before = find_before(&view->before->queues, row, "name", "listener", i);
        table_cell(&table, figure_cell(row, "name"));
        table_cell(&table, figure_cell(row, "listener"));
        table_cell(&table, figure_cell(row, "items"));
        table_cell(&table, figure_cell(row, "max_items"));
        table_cell(&table, figure_cell(row, "bytes"));
        table_cell(&table, rate_cell(rate(view, before, row, "pushed")));
        table_cell(&table, rate_cell(rate(view, before, row, "popped")));
        table_cell(&table, number_cell(value_number(row, "waiting_pop") +
                                       value_number(row, "waiting_push")));
    }
    print_table(&table, view->out);
}

struct user {
    const struct value *row;
    double in;
    double out;
};

static int busiest_first(const void *one, const void *other)
{
    const struct user *a = one, *b = other;
    return (a->in + a->out < b->in + b->out) - (a->in + a->out > b->in + b->out);
}

static void print_users(const struct view *view, const struct user *users, size_t count)
{
    static const char *const heads[] = {"PEER",  "LISTENER", "ID",  "IN/s",
                                        "OUT/s", "BACKLOG",  "IDLE"};
    struct table table = {0};
    add_columns(&table, heads, 7, 2);
    for (size_t i = 0; i < count && i < SHOWN_MAX; i++) {
        table_cell(&table, figure_cell(users[i].row, "peer"));
        table_cell(&table, figure_cell(users[i].row, "listener"));
        table_cell(&table, figure_cell(users[i].row, "id"));
        table_cell(&table, bytes_rate_cell(users[i].in));
        table_cell(&table, bytes_rate_cell(users[i].out));
        table_cell(&table, figure_cell(users[i].row, "backlog_bytes"));
        table_cell(&table, figure_cell(users[i].row, "idle_ms"));
    }
    print_table(&table, view->out);
}

static void print_connections(const struct view *view)
{
    const struct value *rows = &view->now->connections;
    struct user *users = calloc(rows->count + 1, sizeof *users);
    for (size_t i = 0; users != NULL && i < rows->count; i++) {
        const struct value *row = &rows->items[i];
        const struct value *before = find_before(&view->before->connections, row, "id", NULL, i);
        users[i] = (struct user){row, rate(view, before, row, "bytes_received"),
                                 rate(view, before, row, "bytes_sent")};
    }
    if (users != NULL) {
        qsort(users, rows->count, sizeof *users, busiest_first);
        print_users(view, users, rows->count);
    }
    free(users);
}

/* --- the screen -------------------------------------------------------------------------- */

/* A terminal that can be drawn over; elsewhere block follows block. */
static bool can_redraw(void)
{
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

/* Prints as much of a line as the width has room for; the rest of the old one goes. */
static void draw_line(const char *line, size_t length, size_t width)
{
    size_t end = 0;
    for (size_t shown = 0; end < length; end++) {
        bool begins = ((unsigned char)line[end] & 0xc0) != 0x80;
        if (begins && shown++ == width)
            break;
    }
    fwrite(line, 1, end, stdout);
    fputs("\033[K", stdout);
}

static void draw(const char *text)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    fputs("\033[H", stdout);
    for (unsigned row = 0; *text != '\0' && row < size.ws_row; row++) {
        size_t length = strcspn(text, "\n");
        if (row > 0)
            putchar('\n');
        draw_line(text, length, size.ws_col);
        text += length + (text[length] == '\n');
    }
    fputs("\033[J", stdout);
}

static bool show(const struct sample *before, const struct sample *now, bool redraws)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    const struct view view = {.before = before, .now = now, .out = out};
    if (out == NULL)
        return false;
    print_status(&view);
    print_listeners(&view);
    print_queues(&view);
    print_connections(&view);
    bool written = fclose(out) == 0;
    if (written && redraws)
        draw(text);
    else if (written)
        printf("%s\n", text);
    free(text);
    return written && fflush(stdout) == 0;
}

static void wait_for(double seconds)
{
    struct timespec delay = {.tv_sec = (time_t)seconds};
    delay.tv_nsec = (long)((seconds - (double)delay.tv_sec) * 1e9);
    nanosleep(&delay, NULL);
}

static int watch(struct client *client, unsigned long count, double delay, char *why)
{
    struct sample before = {0}, now;
    bool redraws = can_redraw(), written = true, taken = true;
    for (unsigned long i = 0; written && (count == 0 || i < count); i++) {
        if (i > 0)
            wait_for(delay);
        taken = take_sample(client, &now, why);
        written = taken && show(&before, &now, redraws);
        clear_sample(&before);
        before = now;
    }
    clear_sample(&before);
    return !taken ? EX_UNAVAILABLE : written ? EX_OK : EX_IOERR;
}

int top_run(const char *path, unsigned long count, double delay)
{
    struct client client;
    char why[CLIENT_WHY_SIZE] = "";
    int result = client_open(&client, path, why);
    if (result == EX_OK)
        result = watch(&client, count, delay, why);
    client_close(&client);
    if (result != EX_OK)
        fprintf(stderr, "cisternctl: %s\n", why[0] != '\0' ? why : "cannot write");
    return result;
}
