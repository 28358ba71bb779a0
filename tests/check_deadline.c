/* What a connection may not take longer for, and what it has all the time in the world for. */
#include "actor.h"
#include "pattern.h"
#include "stage.h"
#include "unit.h"

/* A deadline, ms; and a time in which it would run out, and does not. */
#define SHORT 60U
#define LONG (2 * SHORT)
/* A deadline for what has to be done in time; no machine is so busy. */
#define AMPLE 1000U

static bool has_told(const char *story)
{
    return strcmp(actor.story, story) == 0;
}

static bool over;

static void on_over(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
    over = true;
}

/* Runs the events for so many milliseconds. */
static void let_pass(struct stage *stage, unsigned milliseconds)
{
    const struct timeval after = worker_interval(milliseconds);
    struct event *timer = evtimer_new(stage->worker->base, on_over, NULL);
    over = false;
    evtimer_add(timer, &after);
    RUN_UNTIL(stage, over);
    event_free(timer);
}

/* --- request_timeout --------------------------------------------------------------------- */

/* Requests are lines. */
static size_t take_lines(struct session *session, const char *data, size_t length)
{
    const char *end = memrchr(data, '\n', length);
    (void)session;
    return end == NULL ? 0 : (size_t)(end - data) + 1;
}

static struct peer *connect_with_request_timeout(struct stage *stage, int stream, unsigned timeout)
{
    stage_begin(stage, stream, &actor_protocol, NULL);
    stage_promise(stage, &(struct listener_options){.request_timeout = timeout});
    actor.take = take_lines;
    return stage_connect(stage);
}

START_TEST(half_a_request_is_waited_for_so_long)
{
    struct stage stage;
    struct peer *peer = connect_with_request_timeout(&stage, _i, SHORT);
    uint64_t before = clock_now();
    peer_say(peer, "ab\ncd");
    RUN_UNTIL(&stage, peer->eof);
    ck_assert_uint_ge(clock_now() - before, SHORT);
    peer_finish(peer);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    ck_assert(has_told("made;data ab\ncd;lost request timeout;"));
    ck_assert_uint_eq(stage.owner.stats.lost[LOST_REQUEST], 1);
    stage_end(&stage);
}
END_TEST

/* Bytes of it are no reason to wait longer. */
START_TEST(dribbled_request)
{
    struct stage stage;
    struct peer *peer = connect_with_request_timeout(&stage, _i, SHORT);
    actor.silent = true;
    while (!peer->eof) {
        peer_say(peer, "x");
        let_pass(&stage, SHORT / 6);
    }
    ck_assert_uint_lt(actor.calls[ON_DATA], 12);
    peer_finish(peer);
    RUN_UNTIL(&stage, actor.calls[ON_LOST] == 1);
    ck_assert_int_eq(actor.reason, LOST_REQUEST);
    stage_end(&stage);
}
END_TEST

/* There is always half a request, and never the same for long. */
START_TEST(requests_in_halves)
{
    struct stage stage;
    struct peer *peer = connect_with_request_timeout(&stage, _i, AMPLE);
    actor.silent = true;
    uint64_t before = clock_now();
    for (size_t i = 1; clock_now() - before < AMPLE * 3 / 2; i++) {
        peer_say(peer, i % 2 == 0 ? "\nc" : "ab\nab");
        RUN_UNTIL(&stage, actor.calls[ON_DATA] == i);
        ck_assert(!peer->eof);
    }
    stage_end(&stage);
}
END_TEST

START_TEST(no_request_is_no_late_one)
{
    struct stage stage;
    struct peer *peer = connect_with_request_timeout(&stage, _i, SHORT);
    peer_say(peer, "a");
    RUN_UNTIL(&stage, actor.calls[ON_DATA] == 1);
    peer_say(peer, "b\n");
    RUN_UNTIL(&stage, actor.calls[ON_DATA] == 2);
    let_pass(&stage, LONG);
    ck_assert(has_told("made;data a;data ab\n;"));
    stage_end(&stage);
}
END_TEST

static size_t take_one_and_pause(struct session *session, const char *data, size_t length)
{
    (void)data;
    (void)length;
    session_pause_reading(session);
    return 1;
}

/* Half a request behind another one that the module is still busy with. */
START_TEST(it_is_the_module_that_waits)
{
    struct stage stage;
    struct peer *peer = connect_with_request_timeout(&stage, _i, SHORT);
    actor.take = take_one_and_pause;
    peer_say(peer, "abc");
    RUN_UNTIL(&stage, actor.calls[ON_DATA] == 1);
    let_pass(&stage, LONG);
    ck_assert(has_told("made;data abc;"));
    actor.take = take_lines;
    session_resume_reading(actor.session);
    RUN_UNTIL(&stage, peer->eof);
    peer_finish(peer);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    ck_assert(has_told("made;data abc;data bc;lost request timeout;"));
    stage_end(&stage);
}
END_TEST

/* While it is not read from, as its output is full, the rest cannot come. */
START_TEST(it_is_the_output_that_waits)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    stage_promise(&stage, &(struct listener_options){.request_timeout = SHORT});
    stage.late_readers = true;
    actor.take = take_lines;
    struct peer *peer = stage_connect(&stage);
    peer_say(peer, "ab");
    RUN_UNTIL(&stage, actor.calls[ON_DATA] == 1);
    session_write(actor.session, pattern, 300000);
    RUN_UNTIL(&stage, actor.calls[ON_PAUSE] == 1);
    let_pass(&stage, LONG);
    ck_assert(has_told("made;data ab;pause;"));
    peer_read(peer);
    peer_say(peer, "c\n");
    RUN_UNTIL(&stage, actor.calls[ON_DATA] == 3);
    ck_assert(has_told("made;data ab;pause;resume;data ab;data abc\n;"));
    stage_end(&stage);
}
END_TEST

/* --- write_timeout ----------------------------------------------------------------------- */

static void write_much(struct session *session)
{
    session_write(session, pattern, 300000);
}

/* A pair knows no timeout here. */
static struct peer *connect_with_write_timeout(struct stage *stage)
{
    stage_begin(stage, STREAM_SOCKET, &actor_protocol, NULL);
    stage_promise(stage, &(struct listener_options){.write_timeout = SHORT});
    stage->late_readers = true;
    actor.silent = true;
    return stage_connect(stage);
}

START_TEST(peer_takes_nothing)
{
    struct stage stage;
    connect_with_write_timeout(&stage);
    uint64_t before = clock_now();
    write_much(actor.session);
    RUN_UNTIL(&stage, actor.calls[ON_LOST] == 1);
    ck_assert_uint_ge(clock_now() - before, SHORT);
    ck_assert_int_eq(actor.reason, LOST_STALLED);
    ck_assert_uint_eq(stage.owner.stats.lost[LOST_STALLED], 1);
    stage_end(&stage);
}
END_TEST

/* Nothing waits, so there is nothing to take. */
START_TEST(nothing_to_take)
{
    struct stage stage;
    connect_with_write_timeout(&stage);
    session_write(actor.session, pattern, 100);
    let_pass(&stage, LONG);
    ck_assert_uint_eq(actor.calls[ON_LOST], 0);
    stage_end(&stage);
}
END_TEST

/* So little at a time that the socket seldom becomes writable: the kernel knows. */
START_TEST(peer_takes_little)
{
    struct stage stage;
    char buffer[STAGE_SOCKET_BUFFER];
    struct peer *peer = connect_with_write_timeout(&stage);
    write_much(actor.session);
    size_t backlog = session_backlog(actor.session);
    for (int i = 0; i < 12; i++) {
        ck_assert_int_gt(read(bufferevent_getfd(peer->end), buffer, sizeof buffer), 0);
        let_pass(&stage, SHORT * 3 / 4);
        ck_assert_uint_eq(actor.calls[ON_LOST], 0);
    }
    ck_assert_uint_gt(session_backlog(actor.session), backlog / 2);
    RUN_UNTIL(&stage, actor.calls[ON_LOST] == 1);
    ck_assert_int_eq(actor.reason, LOST_STALLED);
    stage_end(&stage);
}
END_TEST

/* Also when the session has said all. */
START_TEST(peer_takes_nothing_of_the_last_words)
{
    struct stage stage;
    connect_with_write_timeout(&stage);
    write_much(actor.session);
    session_close(actor.session);
    RUN_UNTIL(&stage, actor.calls[ON_LOST] == 1);
    ck_assert_int_eq(actor.reason, LOST_STALLED);
    stage_end(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("deadline");
    TCase *requests = tcase_create("requests");
    tcase_set_timeout(requests, 30);
    tcase_add_loop_test(requests, half_a_request_is_waited_for_so_long, 0, STREAMS);
    tcase_add_loop_test(requests, dribbled_request, 0, STREAMS);
    tcase_add_loop_test(requests, requests_in_halves, 0, STREAMS);
    tcase_add_loop_test(requests, no_request_is_no_late_one, 0, STREAMS);
    tcase_add_loop_test(requests, it_is_the_module_that_waits, 0, STREAMS);
    tcase_add_loop_test(requests, it_is_the_output_that_waits, 0, STREAMS);
    suite_add_tcase(suite, requests);
    TCase *stalls = tcase_create("stalls");
    tcase_set_timeout(stalls, 30);
    tcase_add_test(stalls, peer_takes_nothing);
    tcase_add_test(stalls, nothing_to_take);
    tcase_add_test(stalls, peer_takes_little);
    tcase_add_test(stalls, peer_takes_nothing_of_the_last_words);
    suite_add_tcase(suite, stalls);
    return unit_main(suite);
}
