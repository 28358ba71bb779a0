/* The modules but the queue, over both kinds of stream: RFC 862, 863, 864, 867, 868. */
#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

#include "pattern.h"
#include "stage.h"
#include "unit.h"

/* The module's parameters as the defaults have them, but for one. */
static void *module_parameters(const struct protocol *protocol, const char *name, const char *text)
{
    char why[PARAMETER_WHY_SIZE];
    if (protocol->parameters == NULL)
        return NULL;
    void *block = calloc(1, protocol->parameters_size);
    ck_assert_ptr_nonnull(block);
    ck_assert(parameters_init(protocol->parameters, block));
    if (name != NULL) {
        const struct parameter *row = parameter_find(protocol->parameters, name);
        ck_assert_ptr_nonnull(row);
        ck_assert_msg(parameter_parse(row, text, block, why, sizeof why), "%s", why);
    }
    return block;
}

static void begin(struct stage *stage, int stream, const char *module, const char *name,
                  const char *text)
{
    const struct protocol *protocol = protocol_find(module);
    ck_assert_ptr_nonnull(protocol);
    void *block = module_parameters(protocol, name, text);
    stage_begin(stage, stream, protocol, block);
    if (block != NULL)
        parameters_clear(protocol->parameters, block);
    free(block);
}

/* --- echo -------------------------------------------------------------------------------- */

static size_t held(const struct peer *peer)
{
    return input_length(&peer->connection->kept) + session_backlog(&peer->connection->session);
}

START_TEST(echo_sends_all_back)
{
    static const char *const buffers[] = {"512", "64KiB", "1MiB"};
    struct stage stage;
    pattern_fill();
    begin(&stage, _i % STREAMS, "echo", "buffer", buffers[_i / STREAMS]);
    struct peer *peer = stage_connect(&stage);
    peer_say(peer, "");
    peer_send(peer, pattern, PATTERN_SIZE);
    peer_finish(peer);
    RUN_UNTIL(&stage, stage.owner.count == 0 && peer_received(peer) == PATTERN_SIZE);
    pattern_expect(peer, PATTERN_SIZE);
    stage_end(&stage);
}
END_TEST

/* Of one who sends and does not read, no more than the buffer is taken; nothing is lost. */
START_TEST(echo_holds_no_more_than_its_buffer)
{
    struct stage stage;
    size_t most = 0;
    pattern_fill();
    begin(&stage, _i, "echo", "buffer", "10000");
    stage.late_readers = true;
    struct peer *peer = stage_connect(&stage);
    peer_send(peer, pattern, PATTERN_SIZE);
    for (int turn = 0; turn < 200; turn++) {
        event_base_loop(stage.worker->base, EVLOOP_NONBLOCK);
        most = held(peer) > most ? held(peer) : most;
    }
    ck_assert_uint_gt(most, 0);
    ck_assert_uint_le(most, 10000);
    ck_assert(!peer->connection->reading);
    stage_arm(&stage);
    peer_read(peer);
    while (peer_received(peer) < PATTERN_SIZE && !stage.late) {
        event_base_loop(stage.worker->base, EVLOOP_ONCE);
        MUST(held(peer) <= 10000);
    }
    pattern_expect(peer, PATTERN_SIZE);
    stage_end(&stage);
}
END_TEST

/* What has come before the half-close goes out after it, to one who reads only then. */
START_TEST(echo_after_a_half_close)
{
    struct stage stage;
    pattern_fill();
    begin(&stage, _i, "echo", "buffer", "64KiB");
    stage.late_readers = true;
    struct peer *peer = stage_connect(&stage);
    peer_send(peer, pattern, 60000);
    peer_finish(peer);
    stage_settle(&stage);
    ck_assert_uint_eq(stage.owner.count, 1);
    peer_read(peer);
    RUN_UNTIL(&stage, stage.owner.count == 0 && peer_received(peer) == 60000);
    pattern_expect(peer, 60000);
    stage_end(&stage);
}
END_TEST

/* --- discard ----------------------------------------------------------------------------- */

START_TEST(discard_takes_all_and_says_nothing)
{
    struct stage stage;
    begin(&stage, _i, "discard", NULL, NULL);
    struct peer *peer = stage_connect(&stage);
    peer_send(peer, pattern, PATTERN_SIZE);
    RUN_UNTIL(&stage, peer_unsent(peer) == 0);
    stage_settle(&stage);
    ck_assert_uint_eq(stage.owner.count, 1);
    ck_assert_uint_eq(held(peer), 0);
    peer_finish(peer);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    ck_assert_uint_eq(peer_received(peer), 0);
    stage_end(&stage);
}
END_TEST

/* --- chargen ------------------------------------------------------------------------------------
 */

#define LINE 74U

/* The RFC's example: 72 characters of the ring of 95, each line one further. */
static void expect_lines(const char *text, size_t count)
{
    for (size_t line = 0; line < count; line++, text += LINE) {
        for (size_t column = 0; column < LINE - 2; column++)
            MUST(text[column] == (char)(' ' + (line + column) % 95));
        MUST(text[LINE - 2] == '\r' && text[LINE - 1] == '\n');
    }
}

START_TEST(chargen_goes_on)
{
    struct stage stage;
    const char first[] =
        " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg";
    begin(&stage, _i, "chargen", NULL, NULL);
    struct peer *peer = stage_connect(&stage);
    RUN_UNTIL(&stage, peer_received(peer) >= 2000 * LINE);
    ck_assert(memcmp(peer_data(peer), first, sizeof first - 1) == 0);
    expect_lines(peer_data(peer), 2000);
    peer_finish(peer);
    RUN_UNTIL(&stage, stage.owner.count == 0);
    stage_end(&stage);
}
END_TEST

/* To one who does not read it writes up to the high watermark; it goes on where it was. */
START_TEST(chargen_waits_for_its_reader)
{
    struct stage stage;
    begin(&stage, _i, "chargen", NULL, NULL);
    stage.late_readers = true;
    struct peer *peer = stage_connect(&stage);
    stage_settle(&stage);
    size_t backlog = session_backlog(&peer->connection->session);
    ck_assert_uint_gt(backlog, SESSION_WRITE_HIGH);
    ck_assert_uint_le(backlog, SESSION_WRITE_HIGH + WORKER_BUFFER_SIZE);
    stage_settle(&stage);
    ck_assert_uint_eq(session_backlog(&peer->connection->session), backlog);
    peer_say(peer, "what comes is thrown away");
    peer_read(peer);
    RUN_UNTIL(&stage, peer_received(peer) >= 10000 * LINE);
    expect_lines(peer_data(peer), 10000);
    peer_vanish(peer);
    stage_end(&stage);
}
END_TEST

/* --- daytime and time
 * ------------------------------------------------------------------------------ */

static struct peer *hear(struct stage *stage, int stream, const char *module)
{
    begin(stage, stream, module, NULL, NULL);
    struct peer *peer = stage_connect(stage);
    RUN_UNTIL(stage, peer->eof);
    peer_finish(peer);
    RUN_UNTIL(stage, stage->owner.count == 0);
    return peer;
}

/* One line, and a time that lies between before and after. */
START_TEST(daytime_says_the_time)
{
    struct stage stage;
    char line[100] = "";
    struct tm parsed = {0};
    time_t before = time(NULL);
    struct peer *peer = hear(&stage, _i, "daytime");
    time_t after = time(NULL);
    ck_assert_uint_lt(peer_received(peer), sizeof line);
    memcpy(line, peer_data(peer), peer_received(peer));
    char *rest = strptime(line, "%A, %B %d, %Y %T%z", &parsed);
    ck_assert_msg(rest != NULL, "%s", line);
    ck_assert_str_eq(rest, "\r\n");
    long zone = parsed.tm_gmtoff;
    time_t said = timegm(&parsed) - zone;
    ck_assert_int_ge(said, before);
    ck_assert_int_le(said, after);
    stage_end(&stage);
}
END_TEST

START_TEST(time_says_the_seconds)
{
    struct stage stage;
    uint32_t said;
    uint32_t before = (uint32_t)time(NULL) + 2208988800U;
    struct peer *peer = hear(&stage, _i, "time");
    uint32_t after = (uint32_t)time(NULL) + 2208988800U;
    ck_assert_uint_eq(peer_received(peer), sizeof said);
    memcpy(&said, peer_data(peer), sizeof said);
    said = ntohl(said);
    ck_assert_uint_ge(said, before);
    ck_assert_uint_le(said, after);
    stage_end(&stage);
}
END_TEST

/* --- the array
 * -------------------------------------------------------------------------------------- */

START_TEST(modules_are_found_by_name)
{
    size_t count = 0;
    for (const struct protocol *const *protocol = protocols; *protocol != NULL; protocol++) {
        ck_assert_ptr_eq(protocol_find((*protocol)->name), *protocol);
        ck_assert(((*protocol)->parameters == NULL) == ((*protocol)->parameters_size == 0));
        ck_assert_str_ne((*protocol)->summary, "");
        count++;
    }
    ck_assert_uint_ge(count, 6);
    ck_assert_ptr_null(protocol_find("ech"));
    ck_assert_ptr_null(protocol_find("echoo"));
    ck_assert_ptr_null(protocol_find(""));
}
END_TEST

START_TEST(every_reason_has_a_text)
{
    for (int one = 0; one < LOST_REASONS; one++) {
        for (int other = 0; other < one; other++)
            ck_assert_str_ne(lost_reason_text((enum lost_reason)one),
                             lost_reason_text((enum lost_reason)other));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("modules");
    TCase *modules = tcase_create("modules");
    tcase_set_timeout(modules, 30);
    tcase_add_loop_test(modules, echo_sends_all_back, 0, 3 * STREAMS);
    tcase_add_loop_test(modules, echo_holds_no_more_than_its_buffer, 0, STREAMS);
    tcase_add_loop_test(modules, echo_after_a_half_close, 0, STREAMS);
    tcase_add_loop_test(modules, discard_takes_all_and_says_nothing, 0, STREAMS);
    tcase_add_loop_test(modules, chargen_goes_on, 0, STREAMS);
    tcase_add_loop_test(modules, chargen_waits_for_its_reader, 0, STREAMS);
    tcase_add_loop_test(modules, daytime_says_the_time, 0, STREAMS);
    tcase_add_loop_test(modules, time_says_the_seconds, 0, STREAMS);
    tcase_add_test(modules, modules_are_found_by_name);
    tcase_add_test(modules, every_reason_has_a_text);
    suite_add_tcase(suite, modules);
    return unit_main(suite);
}
