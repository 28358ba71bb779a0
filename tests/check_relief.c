/* All connections together hold no more than they may: who is not read from, and who goes. */
#include "actor.h"
#include "pattern.h"
#include "relief.h"
#include "stage.h"
#include "unit.h"
#include "workers.h"

/* Bytes. What a peer that does not read leaves of it in the connection is somewhat less. */
#define LIMIT ((int64_t)400000)
#define PIECE ((size_t)100000)

static struct stage stage;
static struct workers workers;
static struct relief relief;

static void each_connection(void *whose, connection_visitor *visit, void *context)
{
    const struct stage *of = whose;
    struct connection *connection;
    TAILQ_FOREACH(connection, &of->owner.connections, siblings)
    visit(connection, context);
}

static void begin(int stream)
{
    pattern_fill();
    stage_begin(&stage, stream, &actor_protocol, NULL);
    stage.late_readers = true;
    actor.silent = true;
    workers = (struct workers){.count = 1, .items = &stage.worker};
    ck_assert(relief_init(&relief, &workers, each_connection, &stage));
    relief_set_limit(&relief, LIMIT);
}

static void end(void)
{
    relief_set_limit(&relief, PARAMETER_IS_NONE);
    ck_assert_int_eq(relief.buffers.held, 0);
    relief_clear(&relief);
    stage_end(&stage);
}

/* A connection whose peer is to take so much and does not. */
static struct peer *connect_with_backlog(size_t bytes)
{
    struct peer *peer = stage_connect(&stage);
    session_set_write_watermarks(actor.session, PATTERN_SIZE, 0);
    session_write(actor.session, pattern, bytes);
    return peer;
}

/* What is really there. */
static int64_t sum(void)
{
    int64_t bytes = 0;
    struct connection *connection;
    TAILQ_FOREACH(connection, &stage.owner.connections, siblings)
    bytes += (int64_t)buffers_of(connection);
    return bytes;
}

static bool is_full(void)
{
    return relief.on && relief.buffers.full;
}

static bool is_heard(struct peer *peer)
{
    size_t before = actor.calls[ON_DATA];
    peer_say(peer, "x");
    stage_settle(&stage);
    return actor.calls[ON_DATA] > before;
}

/* --- counting ---------------------------------------------------------------------------- */

static size_t take_nothing(struct session *session, const char *data, size_t length)
{
    (void)session;
    (void)data;
    (void)length;
    return 0;
}

static size_t take_all(struct session *session, const char *data, size_t length)
{
    (void)session;
    (void)data;
    return length;
}

START_TEST(input_and_output_are_counted)
{
    begin(_i);
    actor.take = take_nothing;
    struct peer *peer = connect_with_backlog(PIECE);
    ck_assert_int_eq(relief.buffers.held, sum());
    ck_assert_int_gt(sum(), 0);
    int64_t output = sum();
    peer_send(peer, pattern, 3000);
    RUN_UNTIL(&stage, actor.calls[ON_DATA] == 1);
    ck_assert_int_eq(relief.buffers.held, sum());
    ck_assert_int_ge(sum(), output + 3000);
    actor.take = take_all;
    peer_read(peer);
    peer_say(peer, "x");
    RUN_UNTIL(&stage, peer_received(peer) == PIECE);
    RUN_UNTIL(&stage, sum() == 0);
    ck_assert_int_eq(relief.buffers.held, 0);
    end();
}
END_TEST

START_TEST(who_goes_is_not_counted)
{
    begin(_i);
    connect_with_backlog(PIECE);
    connect_with_backlog(PIECE);
    session_abort(actor.session);
    RUN_UNTIL(&stage, stage.owner.count == 1);
    ck_assert_int_gt(sum(), 0);
    ck_assert_int_eq(relief.buffers.held, sum());
    end();
}
END_TEST

/* --- the limit --------------------------------------------------------------------------- */

/* Fills it to somewhat above the limit, with peers of which none is closed. */
static void fill(struct peer *peers[3])
{
    for (int i = 0; i < 3; i++)
        peers[i] = connect_with_backlog(PIECE);
    session_write(actor.session, pattern, (size_t)(LIMIT - sum()) + 10);
    RUN_UNTIL(&stage, is_full());
    ck_assert_int_eq(sum(), LIMIT + 10);
}

START_TEST(who_holds_something_is_not_read_from)
{
    struct peer *peers[3];
    begin(_i);
    fill(peers);
    struct peer *other = stage_connect(&stage);
    ck_assert(is_heard(other));
    for (int i = 0; i < 3; i++)
        ck_assert(!is_heard(peers[i]));
    ck_assert(is_heard(other));
    ck_assert_uint_eq(relief.times, 1);
    ck_assert_uint_eq(actor.calls[ON_LOST], 0);
    end();
}
END_TEST

START_TEST(who_gets_rid_of_it_is_read_from)
{
    struct peer *peers[3];
    begin(_i);
    fill(peers);
    stage_settle(&stage);
    evtimer_del(relief.timer); /* so that it stays full */
    ck_assert(!is_heard(peers[0]));
    size_t before = actor.calls[ON_DATA];
    peer_read(peers[0]);
    RUN_UNTIL(&stage, actor.calls[ON_DATA] > before);
    ck_assert_uint_eq(actor.calls[ON_LOST], 0);
    end();
}
END_TEST

START_TEST(all_are_read_from_when_it_is_well_below)
{
    struct peer *peers[3];
    begin(_i);
    fill(peers);
    for (int i = 0; i < 3; i++)
        peer_say(peers[i], "x");
    stage_settle(&stage);
    ck_assert_uint_eq(actor.calls[ON_DATA], 0);
    peer_read(peers[0]);
    RUN_UNTIL(&stage, actor.calls[ON_DATA] == 3);
    ck_assert(!is_full());
    ck_assert(!evtimer_pending(relief.timer, NULL));
    ck_assert_uint_eq(actor.calls[ON_LOST], 0);
    end();
}
END_TEST

START_TEST(the_largest_go_first)
{
    const struct connection *largest = NULL, *connection;
    const size_t pieces[STAGE_PEERS] = {PIECE, 2 * PIECE, PIECE / 2, 3 * PIECE};
    begin(_i);
    for (int i = 0; i < STAGE_PEERS; i++)
        largest = connect_with_backlog(pieces[i])->connection;
    RUN_UNTIL(&stage, stage.owner.count < STAGE_PEERS);
    ck_assert_uint_eq(stage.owner.count, 3);
    TAILQ_FOREACH(connection, &stage.owner.connections, siblings)
    ck_assert_ptr_ne(connection, largest);
    ck_assert_uint_eq(stage.owner.stats.lost[LOST_BUFFERED], 1);
    ck_assert_int_le(sum(), LIMIT);
    ck_assert_int_eq(relief.buffers.held, sum());
    end();
}
END_TEST

/* One after the other, until it is enough. */
START_TEST(as_many_go_as_have_to)
{
    begin(_i);
    for (int i = 0; i < STAGE_PEERS; i++)
        connect_with_backlog(4 * PIECE + (size_t)i);
    RUN_UNTIL(&stage, stage.owner.count == 1);
    stage_settle(&stage);
    ck_assert_uint_eq(stage.owner.count, 1);
    ck_assert_int_eq(relief.buffers.held, sum());
    end();
}
END_TEST

/* Nobody takes anything, and nobody is read from: that would be for ever. */
START_TEST(patience_ends)
{
    struct peer *peers[3];
    begin(_i);
    fill(peers);
    stage_settle(&stage);
    ck_assert_uint_eq(stage.owner.count, 3);
    relief.since -= RELIEF_PATIENCE;
    RUN_UNTIL(&stage, stage.owner.count == 2);
    RUN_UNTIL(&stage, !is_full());
    ck_assert(is_heard(peers[0]));
    ck_assert_int_le(sum(), buffers_floor(&relief.buffers));
    end();
}
END_TEST

/* What has left since it was counted is no reason for anything. */
START_TEST(it_only_seemed_so)
{
    begin(_i);
    struct peer *one = connect_with_backlog(PIECE);
    struct peer *two = connect_with_backlog(PIECE);
    ck_assert(is_heard(one));
    relief.buffers.held += LIMIT;
    session_write(actor.session, "x", 1);
    ck_assert(relief.buffers.full);
    connection_settle(one->connection);
    ck_assert(!one->connection->reading);
    RUN_UNTIL(&stage, !relief.buffers.full);
    ck_assert(is_heard(one));
    ck_assert(is_heard(two));
    ck_assert_uint_eq(relief.times, 0);
    ck_assert_uint_eq(actor.calls[ON_LOST], 0);
    end();
}
END_TEST

START_TEST(no_limit_any_more)
{
    struct peer *peers[3];
    begin(_i);
    fill(peers);
    ck_assert(!is_heard(peers[1]));
    relief_set_limit(&relief, PARAMETER_IS_NONE);
    for (int i = 0; i < 3; i++)
        ck_assert(is_heard(peers[i]));
    connect_with_backlog(20 * PIECE);
    stage_settle(&stage);
    ck_assert_uint_eq(actor.calls[ON_LOST], 0);
    ck_assert_int_eq(relief.buffers.held, 0);
    relief_set_limit(&relief, (uint64_t)sum() - 1);
    ck_assert(is_full());
    end();
}
END_TEST

/* --- deadlines --------------------------------------------------------------------------- */

/* It is not the client who is late, when it is not read from. */
START_TEST(half_a_request_waits_for_room)
{
    struct peer *peers[3];
    begin(_i);
    stage_promise(&stage, &(struct listener_options){.request_timeout = 1000});
    struct peer *late = stage_connect(&stage);
    actor.take = take_nothing;
    peer_say(late, "x");
    RUN_UNTIL(&stage, actor.calls[ON_DATA] == 1);
    stage_promise(&stage, &(struct listener_options){0});
    fill(peers);
    ck_assert(!late->connection->reading);
    late->connection->request_at -= 2000; /* all the time, and more */
    event_active(late->connection->request, EV_TIMEOUT, 1);
    stage_settle(&stage);
    ck_assert_int_eq(late->connection->state, CONNECTION_OPEN);
    late->connection->request_at -= 2000;
    for (int i = 0; i < 3; i++)
        peer_read(peers[i]);
    RUN_UNTIL(&stage, late->connection->reading);
    event_active(late->connection->request, EV_TIMEOUT, 1);
    stage_settle(&stage);
    ck_assert_int_eq(late->connection->state, CONNECTION_OPEN);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("relief");
    TCase *counting = tcase_create("counting");
    tcase_set_timeout(counting, 30);
    tcase_add_loop_test(counting, input_and_output_are_counted, 0, STREAMS);
    tcase_add_loop_test(counting, who_goes_is_not_counted, 0, STREAMS);
    suite_add_tcase(suite, counting);
    TCase *limit = tcase_create("limit");
    tcase_set_timeout(limit, 30);
    tcase_add_loop_test(limit, who_holds_something_is_not_read_from, 0, STREAMS);
    tcase_add_loop_test(limit, who_gets_rid_of_it_is_read_from, 0, STREAMS);
    tcase_add_loop_test(limit, all_are_read_from_when_it_is_well_below, 0, STREAMS);
    tcase_add_loop_test(limit, the_largest_go_first, 0, STREAMS);
    tcase_add_loop_test(limit, as_many_go_as_have_to, 0, STREAMS);
    tcase_add_loop_test(limit, patience_ends, 0, STREAMS);
    tcase_add_loop_test(limit, it_only_seemed_so, 0, STREAMS);
    tcase_add_loop_test(limit, no_limit_any_more, 0, STREAMS);
    suite_add_tcase(suite, limit);
    TCase *deadlines = tcase_create("deadlines");
    tcase_set_timeout(deadlines, 30);
    tcase_add_loop_test(deadlines, half_a_request_waits_for_room, 0, STREAMS);
    suite_add_tcase(suite, deadlines);
    return unit_main(suite);
}
