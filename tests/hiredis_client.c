/*
 * hiredis_client: one conversation with a queue listener by hiredis, the C client that others are
 * built on: hiredis_client HOST PORT. Ends with status 0 if all went as it should.
 */
#include <hiredis/hiredis.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: not so: %s\n", __LINE__, #condition);                        \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static redisContext *connect_to(const char *host, const char *port)
{
    redisContext *context = redisConnect(host, atoi(port));
    EXPECT(context != NULL && context->err == 0);
    return context;
}

/* The next reply, of that type. */
static redisReply *take(redisContext *context, int type)
{
    void *reply = NULL;
    EXPECT(redisGetReply(context, &reply) == REDIS_OK && reply != NULL);
    EXPECT(((redisReply *)reply)->type == type);
    return reply;
}

static void take_integer(redisContext *context, long long expected)
{
    redisReply *reply = take(context, REDIS_REPLY_INTEGER);
    EXPECT(reply->integer == expected);
    freeReplyObject(reply);
}

static int equals(const redisReply *reply, const char *data, size_t length)
{
    return reply->type == REDIS_REPLY_STRING && (size_t)reply->len == length &&
           memcmp(reply->str, data, length) == 0;
}

static void take_text(redisContext *context, int type, const char *beginning)
{
    redisReply *reply = take(context, type);
    EXPECT(strncmp(reply->str, beginning, strlen(beginning)) == 0);
    freeReplyObject(reply);
}

static void push_and_pop(redisContext *context)
{
    static const char item[] = "a\0\r\nb";
    redisAppendCommand(context, "RPUSH q %b %s", item, sizeof item, "second");
    take_integer(context, 2);
    redisAppendCommand(context, "LPOP q");
    redisReply *reply = take(context, REDIS_REPLY_STRING);
    EXPECT(equals(reply, item, sizeof item));
    freeReplyObject(reply);
    redisAppendCommand(context, "LRANGE q 0 -1");
    reply = take(context, REDIS_REPLY_ARRAY);
    EXPECT(reply->elements == 1 && equals(reply->element[0], "second", 6));
    freeReplyObject(reply);
    redisAppendCommand(context, "LPOP nothing");
    freeReplyObject(take(context, REDIS_REPLY_NIL));
}

static void pipeline(redisContext *context)
{
    for (int i = 1; i <= 10000; i++)
        redisAppendCommand(context, "RPUSH pipeline %d", i);
    for (int i = 1; i <= 10000; i++)
        take_integer(context, i);
}

static void transact(redisContext *context)
{
    redisAppendCommand(context, "MULTI");
    redisAppendCommand(context, "RPUSH transaction x");
    redisAppendCommand(context, "LLEN transaction");
    redisAppendCommand(context, "EXEC");
    take_text(context, REDIS_REPLY_STATUS, "OK");
    take_text(context, REDIS_REPLY_STATUS, "QUEUED");
    take_text(context, REDIS_REPLY_STATUS, "QUEUED");
    redisReply *reply = take(context, REDIS_REPLY_ARRAY);
    EXPECT(reply->elements == 2 && reply->element[0]->integer == 1 &&
           reply->element[1]->integer == 1);
    freeReplyObject(reply);
}

/* Whoever waits is woken by another connection. */
static void wait_for_item(redisContext *context, redisContext *other)
{
    int written = 0, blocked = 0;
    redisAppendCommand(context, "BLPOP waiting 0");
    while (!written)
        EXPECT(redisBufferWrite(context, &written) == REDIS_OK);
    while (!blocked) {
        redisReply *info = redisCommand(other, "INFO clients");
        EXPECT(info != NULL && info->type == REDIS_REPLY_STRING);
        blocked = strstr(info->str, "blocked_clients:1\r\n") != NULL;
        freeReplyObject(info);
    }
    redisAppendCommand(other, "RPUSH waiting item");
    take_integer(other, 1);
    redisReply *reply = take(context, REDIS_REPLY_ARRAY);
    EXPECT(reply->elements == 2 && equals(reply->element[0], "waiting", 7) &&
           equals(reply->element[1], "item", 4));
    freeReplyObject(reply);
}

int main(int argc, char **argv)
{
    EXPECT(argc == 3);
    redisContext *context = connect_to(argv[1], argv[2]);
    redisContext *other = connect_to(argv[1], argv[2]);
    push_and_pop(context);
    pipeline(context);
    transact(context);
    wait_for_item(context, other);
    redisAppendCommand(context, "GET q");
    take_text(context, REDIS_REPLY_ERROR, "ERR unknown command");
    redisAppendCommand(context, "RPUSH full a b c");
    take_text(context, REDIS_REPLY_ERROR, "TOOBIG ");
    redisFree(context);
    redisFree(other);
    return 0;
}
