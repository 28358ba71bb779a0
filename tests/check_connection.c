/* The life of a connection: every way of ending it, each told exactly once, and nothing after. */
#include <stdlib.h>

#include "actor.h"
#include "stage.h"
#include "unit.h"

/* More than the high watermark and what a socket takes. */
#define MUCH ((size_t)300 * 1024)

static char much[MUCH];

static void write_much(struct session *session)
{
    session_write(session, much, sizeof much);
}

static void set_timer(struct session *session)
{
    session_set_timer(session, 0);
}

/* --- close and abort, in every callback -------------------------------------------------- */

#define WHOLE_STORY "made;timer;data x;pause;resume;eof;lost closed by peer;"

static bool over(void)
{
    return actor.calls[ON_LOST] > 0 || !session_is_open(actor.session);
}

/* A visit in which a module hears of everything, unless it ends before. */
static void play(struct stage *stage)
{
    stage->late_readers = true;
    struct peer *peer = stage_connect(stage);
    RUN_UNTIL(stage, actor.calls[ON_TIMER] > 0 || over());
    if (!over())
        peer_say(peer, "x");
    RUN_UNTIL(stage, actor.calls[ON_PAUSE] > 0 || over());
    peer_read(peer);
    RUN_UNTIL(stage, actor.calls[ON_RESUME] > 0 || over());
    peer_finish(peer);
    RUN_UNTIL(stage, stage->owner.count == 0);
    stage_settle(stage);
}

static void close_it(struct session *session)
{
    session_close(session);
    ck_assert(!session_is_open(session));
    ck_assert(session_must_wait(session));
    session_write(session, "too late", 8);
    session_close(session);
}

static void abort_it(struct session *session)
{
    session_abort(session);
    ck_assert(!session_is_open(session));
    ck_assert(session_must_wait(session));
    session_write(session, "too late", 8);
    session_close(session);
    session_abort(session);
}

static void close_and_abort_it(struct session *session)
{
    session_close(session);
    session_abort(session);
}

static const struct ending {
    void (*act)(struct session *session);
    const char *lost;
} endings[] = {
    {close_it, "lost finished;"},
    {abort_it, "lost aborted;"},
    {close_and_abort_it, "lost aborted;"},
};
enum { ENDINGS = sizeof endings / sizeof endings[0] };

static const struct ending *ending;

/* After the callback has done what it does without. */
static void end_it(struct session *session)
{
    ending->act(session);
}

static void set_timer_and_end(struct session *session)
{
    set_timer(session);
    end_it(session);
}

static void write_much_and_end(struct session *session)
{
    write_much(session);
    end_it(session);
}

static void expect_story_ends_after(enum callback callback, const char *lost)
{
    char expected[sizeof WHOLE_STORY + 40] = WHOLE_STORY;
    char *end = strchr(strstr(expected, callback_names[callback]), ';') + 1;
    strcpy(end, lost);
    ck_assert_str_eq(actor.story, expected);
}

START_TEST(everything_in_order)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    actor.act[ON_MADE] = set_timer;
    actor.act[ON_DATA] = write_much;
    play(&stage);
    ck_assert_str_eq(actor.story, WHOLE_STORY);
    ck_assert_uint_eq(peer_received(&stage.peers[0]), MUCH);
    stage_end(&stage);
}
END_TEST

START_TEST(end_in_a_callback)
{
    struct stage stage;
    enum callback callback = (enum callback)(_i / STREAMS % ON_LOST);
    ending = &endings[_i / STREAMS / ON_LOST];
    stage_begin(&stage, _i % STREAMS, &actor_protocol, NULL);
    actor.act[ON_MADE] = callback == ON_MADE ? set_timer_and_end : set_timer;
    actor.act[ON_DATA] = callback == ON_DATA ? write_much_and_end : write_much;
    if (callback != ON_MADE && callback != ON_DATA)
        actor.act[callback] = end_it;
    play(&stage);
    expect_story_ends_after(callback, ending->lost);
    if (ending->act == close_it)
        ck_assert_uint_eq(peer_received(&stage.peers[0]), actor.calls[ON_DATA] * MUCH);
    stage_end(&stage);
}
END_TEST

/* --- the other ways to end --------------------------------------------------------------- */

START_TEST(refused)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    actor.refusal = "not today";
    actor.act[ON_MADE] = write_much;
    struct peer *peer = stage_connect(&stage);
    ck_assert(!peer->taken);
    peer_say(peer, "hello?");
    RUN_UNTIL(&stage, peer->eof);
    peer_finish(peer);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    stage_settle(&stage);
    ck_assert_str_eq(actor.story, "made;");
    ck_assert_uint_eq(peer_received(peer), MUCH);
    stage_end(&stage);
}
END_TEST

START_TEST(refused_after_abort)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    actor.refusal = "not at all";
    actor.act[ON_MADE] = abort_it;
    stage_connect(&stage);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    stage_settle(&stage);
    ck_assert_str_eq(actor.story, "made;");
    stage_end(&stage);
}
END_TEST

START_TEST(peer_closes)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    struct peer *peer = stage_connect(&stage);
    peer_say(peer, "abc");
    peer_finish(peer);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    stage_settle(&stage);
    ck_assert_str_eq(actor.story, "made;data abc;eof;lost closed by peer;");
    stage_end(&stage);
}
END_TEST

static void write_a_byte(struct session *session)
{
    session_write(session, "y", 1);
}

/* What the peer has not read turns its close into a reset: seen by a read, or by a write. */
START_TEST(peer_resets)
{
    static void (*const made[])(struct session *) = {write_a_byte, write_much};
    struct stage stage;
    stage_begin(&stage, STREAM_SOCKET, &actor_protocol, NULL);
    stage.late_readers = true;
    actor.act[ON_MADE] = made[_i];
    struct peer *peer = stage_connect(&stage);
    stage_settle(&stage);
    peer_vanish(peer);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    stage_settle(&stage);
    ck_assert_str_eq(actor.story,
                     _i == 0 ? "made;lost connection reset;" : "made;pause;lost connection reset;");
    stage_end(&stage);
}
END_TEST

START_TEST(write_to_one_who_has_gone)
{
    struct stage stage;
    stage_begin(&stage, STREAM_SOCKET, &actor_protocol, NULL);
    actor.act[ON_DATA] = write_a_byte;
    struct peer *peer = stage_connect(&stage);
    int fd = bufferevent_getfd(peer->end);
    ck_assert_int_eq(send(fd, "abc", 3, 0), 3);
    peer_vanish(peer);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    stage_settle(&stage);
    ck_assert_str_eq(actor.story, "made;data abc;lost connection reset;");
    stage_end(&stage);
}
END_TEST

static size_t take_nothing(struct session *session, const char *data, size_t length)
{
    (void)session;
    (void)data;
    (void)length;
    return 0;
}

static void set_small_read_limit(struct session *session)
{
    session_set_read_limit(session, 20);
}

START_TEST(overflow)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    actor.act[ON_MADE] = set_small_read_limit;
    actor.take = take_nothing;
    struct peer *peer = stage_connect(&stage);
    peer_say(peer, "0123456789abcdefghijklmnopqrstuvwxyz");
    RUN_UNTIL(&stage, stage.owner.count == 0);
    stage_settle(&stage);
    ck_assert_str_eq(actor.story, "made;data 0123456789abcdefghij;lost input over the read limit;");
    stage_end(&stage);
}
END_TEST

static void write_a_byte_and_close(struct session *session)
{
    write_a_byte(session);
    session_close(session);
}

/* It has said all and waits for the peer: how that ends does not matter any more. */
START_TEST(reason_is_kept_while_lingering)
{
    struct stage stage;
    stage_begin(&stage, STREAM_SOCKET, &actor_protocol, NULL);
    actor.act[ON_MADE] = write_a_byte_and_close;
    struct peer *peer = stage_connect(&stage);
    RUN_UNTIL(&stage, peer->eof);
    ck_assert_uint_eq(stage.owner.count, 1);
    connection_abort(peer->connection, LOST_STOPPED);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    ck_assert_str_eq(actor.story, "made;lost finished;");
    stage_end(&stage);
}
END_TEST

/* Draining, and its deadline. */
START_TEST(owner_stops)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    stage.late_readers = true;
    actor.act[ON_MADE] = write_much;
    struct peer *patient = stage_connect(&stage);
    struct peer *stuck = stage_connect(&stage);
    stage_settle(&stage);
    connection_close(patient->connection, LOST_STOPPED);
    connection_close(stuck->connection, LOST_STOPPED);
    peer_read(patient);
    RUN_UNTIL(&stage, patient->eof);
    peer_finish(patient);
    RUN_UNTIL(&stage, stage.owner.count == 1);
    ck_assert_uint_eq(peer_received(patient), MUCH);
    connection_abort(stuck->connection, LOST_STOPPED);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    stage_settle(&stage);
    ck_assert_str_eq(actor.story, "made;pause;made;pause;lost daemon stopped;lost daemon stopped;");
    stage_end(&stage);
}
END_TEST

/* --- at the end -------------------------------------------------------------------------- */

static struct session *other;

static void end_the_other(struct session *session)
{
    if (session == other)
        other = NULL;
    else if (other != NULL)
        ending->act(other);
}

/* The loss of one ends another, which stands before or behind it in the turn. */
START_TEST(one_takes_the_other_along)
{
    struct stage stage;
    ending = &endings[_i / STREAMS % ENDINGS];
    stage_begin(&stage, _i % STREAMS, &actor_protocol, NULL);
    actor.act[ON_LOST] = end_the_other;
    struct peer *one = stage_connect(&stage);
    struct peer *two = stage_connect(&stage);
    other = _i / STREAMS < ENDINGS ? &one->connection->session : &two->connection->session;
    peer_finish(one);
    peer_finish(two);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    stage_settle(&stage);
    ck_assert_uint_eq(actor.calls[ON_LOST], 2);
    stage_end(&stage);
}
END_TEST

static size_t releases;

static void free_owner(struct connection_owner *owner)
{
    releases++;
    if (owner->count > 0)
        return;
    terms_put(owner->terms);
    free(owner);
}

/* The last connection lets go of its owner. */
START_TEST(owner_is_released)
{
    struct stage stage;
    struct connection_owner *owner = malloc(sizeof *owner);
    ck_assert_ptr_nonnull(owner);
    stage_begin(&stage, _i, &actor_protocol, NULL);
    connection_owner_init(owner, "released");
    owner->terms = terms_get(stage.owner.terms);
    owner->released = free_owner;
    for (int i = 0; i < 2; i++) {
        struct bufferevent *ends[2];
        stage_make_ends(&stage, ends);
        bufferevent_free(ends[1]);
        ck_assert(connection_open(stage.worker, owner, stage.factory, ends[0], "the peer", NULL));
        ck_assert_uint_eq(owner->count, (size_t)i + 1);
        session_abort(actor.session);
    }
    RUN_UNTIL(&stage, releases == 2);
    ck_assert_str_eq(actor.story, "made;made;lost aborted;lost aborted;");
    stage_end(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("connection");
    TCase *ends = tcase_create("ends");
    tcase_set_timeout(ends, 30);
    tcase_add_loop_test(ends, everything_in_order, 0, STREAMS);
    tcase_add_loop_test(ends, end_in_a_callback, 0, STREAMS * ON_LOST * ENDINGS);
    tcase_add_loop_test(ends, refused, 0, STREAMS);
    tcase_add_loop_test(ends, refused_after_abort, 0, STREAMS);
    tcase_add_loop_test(ends, peer_closes, 0, STREAMS);
    tcase_add_loop_test(ends, peer_resets, 0, 2);
    tcase_add_test(ends, write_to_one_who_has_gone);
    tcase_add_loop_test(ends, overflow, 0, STREAMS);
    tcase_add_test(ends, reason_is_kept_while_lingering);
    tcase_add_loop_test(ends, owner_stops, 0, STREAMS);
    suite_add_tcase(suite, ends);
    TCase *after = tcase_create("after");
    tcase_set_timeout(after, 30);
    tcase_add_loop_test(after, one_takes_the_other_along, 0, STREAMS * ENDINGS * 2);
    tcase_add_loop_test(after, owner_is_released, 0, STREAMS);
    suite_add_tcase(suite, after);
    return unit_main(suite);
}
