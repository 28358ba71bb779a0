/* What a session writes: kept within the watermarks, and sent to the end. */
#include "actor.h"
#include "pattern.h"
#include "stage.h"
#include "unit.h"

static bool has_told(const char *story)
{
    return strcmp(actor.story, story) == 0;
}

/* --- watermarks -------------------------------------------------------------------------- */

#define HIGH 10000U
#define LOW 3000U
#define READ_LIMIT 5000U
#define PIECE 700U

static void set_bounds(struct session *session)
{
    session_set_write_watermarks(session, HIGH, LOW);
    session_set_read_limit(session, READ_LIMIT);
}

static void check_pause(struct session *session)
{
    MUST(actor.calls[ON_PAUSE] == actor.calls[ON_RESUME] + 1);
    MUST(session_backlog(session) > HIGH);
    MUST(session_must_wait(session));
}

static void check_resume(struct session *session)
{
    MUST(actor.calls[ON_PAUSE] == actor.calls[ON_RESUME]);
    MUST(session_backlog(session) <= LOW);
    MUST(!session_must_wait(session));
}

static size_t echo_in_pieces(struct session *session, const char *data, size_t length)
{
    size_t taken = 0;
    MUST(length <= READ_LIMIT);
    MUST(actor.calls[ON_PAUSE] == actor.calls[ON_RESUME]);
    MUST(session_backlog(session) <= HIGH);
    while (taken < length && !session_must_wait(session)) {
        size_t piece = length - taken < PIECE ? length - taken : PIECE;
        session_write(session, data + taken, piece);
        taken += piece;
        MUST(session_backlog(session) <= HIGH + PIECE);
    }
    return taken;
}

START_TEST(nothing_is_read_above_the_high_watermark)
{
    struct stage stage;
    pattern_fill();
    stage_begin(&stage, _i, &actor_protocol, NULL);
    stage.late_readers = true;
    actor.silent = true;
    actor.act[ON_MADE] = set_bounds;
    actor.act[ON_PAUSE] = check_pause;
    actor.act[ON_RESUME] = check_resume;
    actor.take = echo_in_pieces;
    struct peer *peer = stage_connect(&stage);
    struct connection *connection = peer->connection;
    peer_send(peer, pattern, PATTERN_SIZE);
    RUN_UNTIL(&stage, actor.calls[ON_PAUSE] == 1);
    stage_settle(&stage);
    ck_assert(!connection->reading);
    ck_assert_uint_le(input_length(&connection->kept), READ_LIMIT);
    ck_assert_uint_le(session_backlog(actor.session), HIGH + PIECE);
    peer_read(peer);
    RUN_UNTIL(&stage, peer_received(peer) == PATTERN_SIZE);
    pattern_expect(peer, PATTERN_SIZE);
    ck_assert_uint_gt(actor.calls[ON_RESUME], 0);
    stage_end(&stage);
}
END_TEST

START_TEST(pause_and_resume_alternate)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    stage.late_readers = true;
    struct peer *peer = stage_connect(&stage);
    for (size_t i = 1; i <= 5; i++) {
        session_write(actor.session, pattern, 200000);
        session_write(actor.session, pattern, 200000);
        RUN_UNTIL(&stage, actor.calls[ON_PAUSE] == i);
        peer_read(peer);
        RUN_UNTIL(&stage, actor.calls[ON_RESUME] == i);
        peer_stop_reading(peer);
    }
    ck_assert(has_told("made;pause;resume;pause;resume;pause;resume;pause;resume;pause;resume;"));
    stage_end(&stage);
}
END_TEST

static void write_on(struct session *session)
{
    if (actor.calls[ON_RESUME] < 5)
        session_write(session, pattern, 200000);
}

/* A module that fills up again as soon as it may. */
START_TEST(resume_leads_to_pause)
{
    struct stage stage;
    stage_begin(&stage, STREAM_SOCKET, &actor_protocol, NULL);
    actor.act[ON_MADE] = write_on;
    actor.act[ON_RESUME] = write_on;
    struct peer *peer = stage_connect(&stage);
    RUN_UNTIL(&stage, peer_received(peer) == 5 * 200000);
    stage_settle(&stage);
    ck_assert(has_told("made;pause;resume;pause;resume;pause;resume;pause;resume;pause;resume;"));
    stage_end(&stage);
}
END_TEST

/* Another session's callback has written, and all of it has gone before this one was told. */
START_TEST(pause_that_was_not_told)
{
    struct stage stage;
    stage_begin(&stage, STREAM_PAIR, &actor_protocol, NULL);
    stage.late_readers = true;
    struct peer *peer = stage_connect(&stage);
    session_write(actor.session, pattern, 200000);
    ck_assert(session_must_wait(actor.session));
    peer_read(peer);
    ck_assert_uint_eq(session_backlog(actor.session), 0);
    connection_on_drained(peer->connection);
    ck_assert(!session_must_wait(actor.session));
    stage_settle(&stage);
    ck_assert(has_told("made;"));
    stage_end(&stage);
}
END_TEST

/* A backlog that is above the high watermark because that was lowered. */
START_TEST(watermarks_are_lowered)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    stage.late_readers = true;
    struct peer *peer = stage_connect(&stage);
    session_write(actor.session, pattern, 40000);
    session_set_write_watermarks(actor.session, 0, 0);
    peer_say(peer, "abc");
    stage_settle(&stage);
    ck_assert(has_told("made;pause;"));
    peer_read(peer);
    RUN_UNTIL(&stage, actor.calls[ON_DATA] == 1);
    ck_assert(has_told("made;pause;resume;data abc;"));
    stage_end(&stage);
}
END_TEST

/* --- the end of it ----------------------------------------------------------------------- */

static void write_all_and_close(struct session *session)
{
    session_write(session, pattern, PATTERN_SIZE);
    session_close(session);
}

START_TEST(close_waits_for_a_late_reader)
{
    struct stage stage;
    pattern_fill();
    stage_begin(&stage, _i, &actor_protocol, NULL);
    stage.late_readers = true;
    actor.act[ON_MADE] = write_all_and_close;
    struct peer *peer = stage_connect(&stage);
    stage_settle(&stage);
    ck_assert(has_told("made;"));
    peer_read(peer);
    RUN_UNTIL(&stage, peer->eof);
    peer_finish(peer);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    ck_assert(has_told("made;lost finished;"));
    pattern_expect(peer, PATTERN_SIZE);
    stage_end(&stage);
}
END_TEST

static void say_bye(struct session *session)
{
    session_write(session, "bye", 3);
    session_close(session);
}

static void read_little(struct session *session)
{
    session_set_read_limit(session, 30);
}

/* A close with input unread would be a reset, and take the last words along. */
START_TEST(last_words_survive_unread_input)
{
    struct stage stage;
    stage_begin(&stage, STREAM_SOCKET, &actor_protocol, NULL);
    actor.act[ON_MADE] = read_little;
    actor.act[ON_DATA] = say_bye;
    struct peer *peer = stage_connect(&stage);
    peer_send(peer, pattern, PATTERN_SIZE / 4);
    RUN_UNTIL(&stage, peer->eof);
    peer_finish(peer);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    ck_assert(has_told("made;data 30;lost finished;"));
    ck_assert(peer_has(peer, "bye"));
    ck_assert(!peer->reset);
    stage_end(&stage);
}
END_TEST

static void set_timer(struct session *session)
{
    session_set_timer(session, 0);
}

START_TEST(half_closed_connection_is_written_to)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    actor.stays = true;
    actor.act[ON_EOF] = set_timer;
    actor.act[ON_TIMER] = say_bye;
    struct peer *peer = stage_connect(&stage);
    peer_say(peer, "abc");
    peer_finish(peer);
    RUN_UNTIL(&stage, stage.owner.count == 0 && peer_received(peer) > 0);
    ck_assert(has_told("made;data abc;eof;timer;lost finished;"));
    ck_assert(peer_has(peer, "bye"));
    stage_end(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("output");
    TCase *watermarks = tcase_create("watermarks");
    tcase_set_timeout(watermarks, 30);
    tcase_add_loop_test(watermarks, nothing_is_read_above_the_high_watermark, 0, STREAMS);
    tcase_add_loop_test(watermarks, pause_and_resume_alternate, 0, STREAMS);
    tcase_add_test(watermarks, resume_leads_to_pause);
    tcase_add_test(watermarks, pause_that_was_not_told);
    tcase_add_loop_test(watermarks, watermarks_are_lowered, 0, STREAMS);
    suite_add_tcase(suite, watermarks);
    TCase *end = tcase_create("end");
    tcase_set_timeout(end, 30);
    tcase_add_loop_test(end, close_waits_for_a_late_reader, 0, STREAMS);
    tcase_add_test(end, last_words_survive_unread_input);
    tcase_add_loop_test(end, half_closed_connection_is_written_to, 0, STREAMS);
    suite_add_tcase(suite, end);
    return unit_main(suite);
}
