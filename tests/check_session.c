/* What a module may do with its session: write, set timers, ask; from any callback. */
#include "actor.h"
#include "pattern.h"
#include "random.h"
#include "stage.h"
#include "unit.h"

static bool has_told(const char *story)
{
    return strcmp(actor.story, story) == 0;
}

/* --- pieces ------------------------------------------------------------------------------ */

static void count_one(struct evbuffer *output, const struct evbuffer_cb_info *info, void *context)
{
    (void)output;
    if (info->n_added > 0)
        ++*(size_t *)context;
}

/* Counts what the connection hands to its transport: of a pair, which has no socket. */
static void count_sends(struct peer *peer, size_t *sends)
{
    evbuffer_add_cb(bufferevent_get_output(peer->connection->transport), count_one, sends);
}

static size_t sends, other_sends;

static void write_three(struct session *session)
{
    session_write(session, "a", 1);
    session_write(session, "", 0);
    session_write(session, "bcd", 3);
    session_write(session, "e", 1);
    ck_assert_uint_eq(session_backlog(session), 5);
    ck_assert_uint_eq(sends, 0);
}

START_TEST(writes_of_a_callback_leave_as_one)
{
    struct stage stage;
    stage_begin(&stage, STREAM_PAIR, &actor_protocol, NULL);
    actor.act[_i] = write_three;
    struct peer *peer = stage_connect(&stage);
    count_sends(peer, &sends);
    if (_i == ON_DATA)
        peer_say(peer, "x");
    else if (_i == ON_TIMER)
        session_set_timer(actor.session, 0);
    else
        peer_finish(peer);
    RUN_UNTIL(&stage, peer_received(peer) > 0);
    ck_assert(peer_has(peer, "abcde"));
    ck_assert_uint_eq(sends, 1);
    stage_end(&stage);
}
END_TEST

static struct session *other;

static void write_to_both(struct session *session)
{
    session_write(session, "one ", 4);
    ck_assert_ptr_null(session_append(other, 1));
    session_cork(other);
    ck_assert_ptr_null(session_append(session, 1));
    session_write(other, "x", 1);
    session_write(other, "yz", 2);
    ck_assert_uint_eq(session_backlog(other), 3);
    ck_assert_uint_eq(other_sends, 0);
    session_uncork(other);
    ck_assert_uint_eq(other_sends, 1);
    session_write(session, "two", 3);
    ck_assert_uint_eq(session_backlog(session), 7);
}

START_TEST(cork_of_another_session)
{
    struct stage stage;
    stage_begin(&stage, STREAM_PAIR, &actor_protocol, NULL);
    actor.act[ON_DATA] = write_to_both;
    struct peer *one = stage_connect(&stage);
    struct peer *two = stage_connect(&stage);
    other = &two->connection->session;
    count_sends(one, &sends);
    count_sends(two, &other_sends);
    peer_say(one, "x");
    RUN_UNTIL(&stage, peer_received(one) > 0 && peer_received(two) > 0);
    ck_assert(peer_has(one, "one two"));
    ck_assert(peer_has(two, "xyz"));
    ck_assert_uint_eq(sends, 1);
    ck_assert_uint_eq(other_sends, 1);
    stage_end(&stage);
}
END_TEST

static void write_three_and_abort(struct session *session)
{
    write_three(session);
    session_abort(session);
    ck_assert_ptr_null(session_append(session, 1));
}

START_TEST(abort_sends_nothing_more)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    actor.act[ON_DATA] = write_three_and_abort;
    struct peer *peer = stage_connect(&stage);
    peer_say(peer, "x");
    RUN_UNTIL(&stage, stage.owner.count == 0);
    stage_settle(&stage);
    ck_assert_uint_eq(peer_received(peer), 0);
    stage_end(&stage);
}
END_TEST

/* Some are gathered, some too large for that, and all are more than is gathered at once. */
static void write_in_pieces(struct session *session)
{
    static const size_t sizes[] = {1, 100, 16383, 16384, 16385, 100000, WORKER_BUFFER_SIZE + 1};
    for (size_t sent = 0, piece; sent < PATTERN_SIZE; sent += piece) {
        piece = sizes[below(sizeof sizes / sizeof sizes[0])];
        if (piece > PATTERN_SIZE - sent)
            piece = PATTERN_SIZE - sent;
        char *place = below(2) == 0 ? session_append(session, piece) : NULL;
        if (place != NULL)
            memcpy(place, pattern + sent, piece);
        else
            session_write(session, pattern + sent, piece);
        if (connection_of(session)->worker->corked != NULL)
            MUST(session_backlog(session) <= sent + piece);
    }
}

START_TEST(pieces_stay_in_order)
{
    struct stage stage;
    random_begin(_i);
    pattern_fill();
    stage_begin(&stage, _i, &actor_protocol, NULL);
    actor.act[ON_DATA] = write_in_pieces;
    struct peer *peer = stage_connect(&stage);
    peer_say(peer, "x");
    RUN_UNTIL(&stage, peer_received(peer) == PATTERN_SIZE);
    pattern_expect(peer, PATTERN_SIZE);
    stage_end(&stage);
}
END_TEST

/* --- timers, and what a session knows ----------------------------------------------------------
 */

static void set_timer_again(struct session *session)
{
    if (actor.calls[ON_TIMER] < 3)
        session_set_timer(session, 0);
}

START_TEST(timers)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    stage_connect(&stage);
    session_stop_timer(actor.session);
    session_set_timer(actor.session, 0);
    session_stop_timer(actor.session);
    stage_settle(&stage);
    ck_assert(has_told("made;"));
    session_set_timer(actor.session, 3600000);
    session_set_timer(actor.session, 0);
    stage_settle(&stage);
    ck_assert(has_told("made;timer;"));
    actor.act[ON_TIMER] = set_timer_again;
    session_set_timer(actor.session, 1);
    RUN_UNTIL(&stage, actor.calls[ON_TIMER] == 3);
    stage_settle(&stage);
    ck_assert(has_told("made;timer;timer;timer;"));
    stage_end(&stage);
}
END_TEST

/* --- idling ------------------------------------------------------------------------------ */

/* More than the high watermark and what a socket takes. */
static void write_much(struct session *session)
{
    session_write(session, pattern, 300000);
}

START_TEST(idle)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    stage_promise(&stage, &(struct listener_options){.idle_timeout = 20});
    struct peer *peer = stage_connect(&stage);
    RUN_UNTIL(&stage, peer->eof);
    peer_finish(peer);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    stage_settle(&stage);
    ck_assert_str_eq(actor.story, "made;lost idle timeout;");
    stage_end(&stage);
}
END_TEST

START_TEST(idle_with_a_backlog)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    stage_promise(&stage, &(struct listener_options){.idle_timeout = 20});
    stage.late_readers = true;
    actor.act[ON_MADE] = write_much;
    stage_connect(&stage);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    stage_settle(&stage);
    ck_assert_str_eq(actor.story, "made;pause;lost idle timeout;");
    stage_end(&stage);
}
END_TEST

/* The timer runs out long after idle_timeout would have: they are due in this order. */
static void pause_and_set_timer(struct session *session)
{
    session_pause_reading(session);
    session_set_timer(session, 100);
}

START_TEST(not_idle_while_reading_is_paused)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    stage_promise(&stage, &(struct listener_options){.idle_timeout = 10});
    actor.act[ON_MADE] = pause_and_set_timer;
    actor.act[ON_TIMER] = session_resume_reading;
    struct peer *peer = stage_connect(&stage);
    RUN_UNTIL(&stage, peer->eof);
    peer_finish(peer);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    ck_assert_str_eq(actor.story, "made;timer;lost idle timeout;");
    stage_end(&stage);
}
END_TEST

/* --- what it knows ----------------------------------------------------------------------- */

START_TEST(what_a_session_knows)
{
    static const char zeros[100];
    struct stage stage;
    uint64_t ids[3];
    stage_begin(&stage, _i, &actor_protocol, NULL);
    for (size_t i = 0; i < 3; i++) {
        stage_connect(&stage);
        struct session *session = actor.session;
        void *state = session_state(session);
        ids[i] = session_id(session);
        ck_assert_uint_gt(ids[i], i == 0 ? 0 : ids[i - 1]);
        ck_assert_uint_eq((uintptr_t)state % _Alignof(max_align_t), 0);
        ck_assert_mem_eq(state, zeros, sizeof zeros);
        memset(state, 'x', sizeof zeros);
        ck_assert_ptr_eq(session_of_state(state), session);
        ck_assert_ptr_eq(session_factory(session), stage.factory);
        ck_assert_str_eq(session_peer(session), "the peer");
        ck_assert(session_is_open(session));
        ck_assert(!session_must_wait(session));
        ck_assert_uint_eq(session_backlog(session), 0);
    }
    stage_end(&stage);
}
END_TEST

START_TEST(what_a_connection_counts)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    uint64_t before = clock_now();
    struct peer *peer = stage_connect(&stage);
    const struct connection *connection = peer->connection;
    ck_assert_uint_ge(connection->opened_at, before);
    ck_assert_uint_le(connection->opened_at, clock_now());
    peer_say(peer, "abc");
    RUN_UNTIL(&stage, actor.calls[ON_DATA] == 1);
    ck_assert_uint_eq(connection->bytes_received, 3);
    ck_assert_uint_eq(connection->bytes_sent, 0);
    session_write(actor.session, "answer", 6);
    session_write(actor.session, "!", 1);
    RUN_UNTIL(&stage, peer_has(peer, "answer!"));
    ck_assert_uint_eq(connection->bytes_received, 3);
    ck_assert_uint_eq(connection->bytes_sent, 7);
    stage_end(&stage);
}
END_TEST

static void call_everything(struct session *session)
{
    session_cork(session);
    session_write(session, "x", 1);
    session_uncork(session);
    session_pause_reading(session);
    session_resume_reading(session);
    session_set_read_limit(session, 1);
    session_set_write_watermarks(session, 1, 1);
    session_set_timer(session, 0);
    session_close(session);
    session_abort(session);
    session_log(session, LOG_LEVEL_INFO, "%s", session_peer(session));
    ck_assert_uint_eq(session_backlog(session), 0);
}

START_TEST(calls_from_connection_lost)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    actor.act[ON_LOST] = call_everything;
    peer_finish(stage_connect(&stage));
    RUN_UNTIL(&stage, stage.owner.count == 0);
    stage_settle(&stage);
    ck_assert_str_eq(actor.story, "made;eof;lost closed by peer;");
    stage_end(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *pieces = tcase_create("pieces");
    tcase_set_timeout(pieces, 30);
    tcase_add_loop_test(pieces, writes_of_a_callback_leave_as_one, ON_DATA, ON_EOF + 1);
    tcase_add_loop_test(pieces, writes_of_a_callback_leave_as_one, ON_TIMER, ON_TIMER + 1);
    tcase_add_test(pieces, cork_of_another_session);
    tcase_add_loop_test(pieces, abort_sends_nothing_more, 0, STREAMS);
    tcase_add_loop_test(pieces, pieces_stay_in_order, 0, STREAMS);
    suite_add_tcase(suite, pieces);
    TCase *others = tcase_create("others");
    tcase_set_timeout(others, 30);
    tcase_add_loop_test(others, timers, 0, STREAMS);
    tcase_add_loop_test(others, idle, 0, STREAMS);
    tcase_add_loop_test(others, idle_with_a_backlog, 0, STREAMS);
    tcase_add_loop_test(others, not_idle_while_reading_is_paused, 0, STREAMS);
    tcase_add_loop_test(others, what_a_session_knows, 0, STREAMS);
    tcase_add_loop_test(others, what_a_connection_counts, 0, STREAMS);
    tcase_add_loop_test(others, calls_from_connection_lost, 0, STREAMS);
    suite_add_tcase(suite, others);
    return unit_main(suite);
}
