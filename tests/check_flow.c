/* What a connection receives: offered whole, in order, and no more of it kept than allowed. */
#include "actor.h"
#include "pattern.h"
#include "random.h"
#include "stage.h"
#include "unit.h"

static size_t kept(struct session *session)
{
    return input_length(&connection_of(session)->kept);
}

/* --- input ------------------------------------------------------------------------------- */

static size_t take_lines(struct session *session, const char *data, size_t length)
{
    const char *end = memrchr(data, '\n', length);
    (void)session;
    return end == NULL ? 0 : (size_t)(end - data) + 1;
}

START_TEST(rest_is_offered_again)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    actor.take = take_lines;
    struct peer *peer = stage_connect(&stage);
    const char *const pieces[] = {"ab", "c\nde", "f", "\n", "g"};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        peer_say(peer, pieces[i]);
        RUN_UNTIL(&stage, actor.calls[ON_DATA] == i + 1);
    }
    peer_finish(peer);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    ck_assert_str_eq(actor.story, "made;data ab;data abc\nde;data def;data def\n;data g;eof;"
                                  "lost closed by peer;");
    stage_end(&stage);
}
END_TEST

/* Messages that are cut from the pattern; before each, four bytes with its length. */
#define LIMIT 20000U
#define MESSAGES 400U

static size_t messages;
static size_t pattern_used;

static size_t take_messages(struct session *session, const char *data, size_t length)
{
    size_t taken = 0;
    uint32_t size;
    MUST(length > 0 && length <= LIMIT);
    MUST(kept(session) <= LIMIT);
    for (; length - taken >= sizeof size; taken += sizeof size + size) {
        memcpy(&size, data + taken, sizeof size);
        if (length - taken - sizeof size < size)
            break;
        MUST(memcmp(data + taken + sizeof size, pattern + pattern_used, size) == 0);
        pattern_used += size;
        messages++;
    }
    return taken;
}

static void set_limit(struct session *session)
{
    session_set_read_limit(session, LIMIT);
}

static size_t random_size(void)
{
    static const size_t edges[] = {0, 1, 4091, 4092, 4093, LIMIT / 2, LIMIT - 5, LIMIT - 4};
    return below(3) > 0 ? below(40) : edges[below(sizeof edges / sizeof edges[0])];
}

static size_t make_messages(char *stream)
{
    size_t length = 0, used = 0;
    for (size_t i = 0; i < MESSAGES; i++) {
        uint32_t size = (uint32_t)random_size();
        memcpy(stream + length, &size, sizeof size);
        memcpy(stream + length + sizeof size, pattern + used, size);
        length += sizeof size + size;
        used += size;
    }
    return length;
}

START_TEST(messages_in_any_pieces)
{
    static char stream[MESSAGES * LIMIT];
    struct stage stage;
    random_begin(_i);
    pattern_fill();
    stage_begin(&stage, _i % STREAMS, &actor_protocol, NULL);
    actor.silent = true;
    actor.act[ON_MADE] = set_limit;
    actor.take = take_messages;
    struct peer *peer = stage_connect(&stage);
    size_t length = make_messages(stream);
    for (size_t sent = 0, piece; sent < length; sent += piece) {
        piece = below(2) == 0 ? 1 + below(40) : 1 + below(2 * LIMIT);
        if (piece > length - sent)
            piece = length - sent;
        peer_send(peer, stream + sent, piece);
        if (below(3) == 0)
            stage_settle(&stage);
    }
    RUN_UNTIL(&stage, messages == MESSAGES);
    ck_assert_uint_eq(kept(actor.session), 0);
    stage_end(&stage);
}
END_TEST

/* What does not come in one read, behind something that is kept, comes without a further push. */
START_TEST(long_message_behind_a_kept_byte)
{
    struct stage stage;
    pattern_fill();
    stage_begin(&stage, _i, &actor_protocol, NULL);
    actor.silent = true;
    actor.act[ON_MADE] = set_limit;
    actor.take = take_messages;
    struct peer *peer = stage_connect(&stage);
    const uint32_t size = LIMIT - sizeof size;
    peer_send(peer, &size, 1);
    RUN_UNTIL(&stage, actor.calls[ON_DATA] == 1);
    peer_send(peer, (const char *)&size + 1, sizeof size - 1);
    peer_send(peer, pattern, size);
    RUN_UNTIL(&stage, messages == 1);
    stage_end(&stage);
}
END_TEST

/* A module that answers each byte, and waits for the answer to be gone. */
static size_t answer_one(struct session *session, const char *data, size_t length)
{
    size_t taken = 0;
    while (taken < length && !session_must_wait(session))
        session_write(session, data + taken++, 1);
    return taken;
}

static void let_no_output_wait(struct session *session)
{
    session_set_write_watermarks(session, 0, 0);
}

START_TEST(eof_comes_after_the_data)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    actor.act[ON_MADE] = let_no_output_wait;
    actor.take = answer_one;
    struct peer *peer = stage_connect(&stage);
    peer_say(peer, "abcdef");
    peer_finish(peer);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    ck_assert_str_eq(actor.story, "made;data abcdef;data bcdef;data cdef;data def;data ef;data f;"
                                  "eof;lost closed by peer;");
    ck_assert(peer_has(peer, "abcdef"));
    stage_end(&stage);
}
END_TEST

/* The kernel will not poll it: here because it is no descriptor, elsewhere for want of memory. */
START_TEST(reading_cannot_begin)
{
    struct stage stage;
    struct bufferevent *ends[2];
    stage_begin(&stage, STREAM_SOCKET, &actor_protocol, NULL);
    stage_make_ends(&stage, ends);
    close(bufferevent_getfd(ends[0]));
    ck_assert(connection_open(stage.worker, &stage.owner, stage.factory, ends[0], "the peer", NULL));
    RUN_UNTIL(&stage, stage.owner.count == 0);
    ck_assert_str_eq(actor.story, "made;lost aborted;");
    bufferevent_free(ends[1]);
    stage_end(&stage);
}
END_TEST

/* --- pausing ----------------------------------------------------------------------------- */

static size_t take_one_and_pause(struct session *session, const char *data, size_t length)
{
    (void)data;
    (void)length;
    session_pause_reading(session);
    return 1;
}

START_TEST(paused_reading_keeps_the_input)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    actor.take = take_one_and_pause;
    struct peer *peer = stage_connect(&stage);
    peer_say(peer, "abc");
    RUN_UNTIL(&stage, actor.calls[ON_DATA] == 1);
    peer_say(peer, "def");
    stage_settle(&stage);
    ck_assert_str_eq(actor.story, "made;data abc;");
    session_resume_reading(actor.session);
    RUN_UNTIL(&stage, actor.calls[ON_DATA] == 2);
    stage_settle(&stage);
    ck_assert_str_eq(actor.story, "made;data abc;data bcdef;");
    stage_end(&stage);
}
END_TEST

static void pause_with_limit(struct session *session)
{
    session_set_read_limit(session, 20);
    session_pause_reading(session);
}

/* Above the limit nothing is read, and it is no overflow: the module has not refused it. */
START_TEST(paused_reading_is_bounded)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    actor.act[ON_MADE] = pause_with_limit;
    struct peer *peer = stage_connect(&stage);
    peer_say(peer, "0123456789abcdefghijklmnop");
    stage_settle(&stage);
    ck_assert_str_eq(actor.story, "made;");
    ck_assert_uint_eq(kept(actor.session), 20);
    ck_assert(!peer->connection->reading);
    session_resume_reading(actor.session);
    RUN_UNTIL(&stage, actor.calls[ON_DATA] == 2);
    ck_assert_str_eq(actor.story, "made;data 0123456789abcdefghij;data klmnop;");
    stage_end(&stage);
}
END_TEST

/* Somebody who waits for somebody notices that he has gone; what he sent is still there. */
START_TEST(eof_while_paused)
{
    struct stage stage;
    stage_begin(&stage, _i, &actor_protocol, NULL);
    actor.act[ON_MADE] = session_pause_reading;
    actor.stays = true;
    struct peer *peer = stage_connect(&stage);
    peer_say(peer, "abc");
    peer_finish(peer);
    RUN_UNTIL(&stage, actor.calls[ON_EOF] == 1);
    ck_assert_str_eq(actor.story, "made;eof;");
    session_resume_reading(actor.session);
    stage_settle(&stage);
    ck_assert_str_eq(actor.story, "made;eof;data abc;");
    session_close(actor.session);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    ck_assert_str_eq(actor.story, "made;eof;data abc;lost finished;");
    stage_end(&stage);
}
END_TEST

static struct session *other;

static void resume_the_other(struct session *session)
{
    if (session != other)
        session_resume_reading(other);
}

/* At the end of a turn one resumes another, whose peer closes at the same time. */
START_TEST(eof_while_being_resumed)
{
    struct stage stage;
    stage_begin(&stage, STREAM_SOCKET, &actor_protocol, NULL);
    actor.act[ON_MADE] = session_pause_reading;
    actor.act[ON_DATA] = resume_the_other;
    struct peer *one = stage_connect(&stage);
    struct peer *two = stage_connect(&stage);
    other = &two->connection->session;
    peer_say(one, "abc");
    peer_say(two, "def");
    stage_settle(&stage);
    peer_finish(two);
    session_resume_reading(&one->connection->session);
    RUN_UNTIL(&stage, stage.owner.count == 1);
    ck_assert_str_eq(actor.story, "made;made;data abc;data def;eof;lost closed by peer;");
    stage_end(&stage);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("flow");
    TCase *input = tcase_create("input");
    tcase_set_timeout(input, 30);
    tcase_add_loop_test(input, rest_is_offered_again, 0, STREAMS);
    tcase_add_loop_test(input, messages_in_any_pieces, 0, 3 * STREAMS);
    tcase_add_loop_test(input, long_message_behind_a_kept_byte, 0, STREAMS);
    tcase_add_loop_test(input, eof_comes_after_the_data, 0, STREAMS);
    tcase_add_test(input, reading_cannot_begin);
    suite_add_tcase(suite, input);
    TCase *pauses = tcase_create("pauses");
    tcase_set_timeout(pauses, 30);
    tcase_add_loop_test(pauses, paused_reading_keeps_the_input, 0, STREAMS);
    tcase_add_loop_test(pauses, paused_reading_is_bounded, 0, STREAMS);
    tcase_add_loop_test(pauses, eof_while_paused, 0, STREAMS);
    tcase_add_test(pauses, eof_while_being_resumed);
    suite_add_tcase(suite, pauses);
    return unit_main(suite);
}
