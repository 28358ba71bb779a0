/* echo as libuv's guide has it: memory for each read, a write request for each answer. */
#include <stdlib.h>
#include <uv.h>

struct answer {
    uv_write_t request;
    uv_buf_t buffer;
};

static void on_closed(uv_handle_t *client)
{
    free(client);
}

static void on_alloc(uv_handle_t *client, size_t suggested, uv_buf_t *buffer)
{
    (void)client;
    *buffer = uv_buf_init(malloc(suggested), (unsigned)suggested);
}

static void on_written(uv_write_t *request, int status)
{
    struct answer *answer = (struct answer *)request;
    (void)status;
    free(answer->buffer.base);
    free(answer);
}

static void on_read(uv_stream_t *client, ssize_t length, const uv_buf_t *buffer)
{
    if (length > 0) {
        struct answer *answer = malloc(sizeof *answer);
        answer->buffer = uv_buf_init(buffer->base, (unsigned)length);
        uv_write(&answer->request, client, &answer->buffer, 1, on_written);
        return;
    }
    if (length < 0)
        uv_close((uv_handle_t *)client, on_closed);
    free(buffer->base);
}

static void on_connection(uv_stream_t *listener, int status)
{
    uv_tcp_t *client = malloc(sizeof *client);
    (void)status;
    uv_tcp_init(listener->loop, client);
    if (uv_accept(listener, (uv_stream_t *)client) == 0) {
        uv_tcp_nodelay(client, 1);
        uv_read_start((uv_stream_t *)client, on_alloc, on_read);
    } else {
        uv_close((uv_handle_t *)client, on_closed);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in address;
    uv_tcp_t listener;
    if (argc != 3)
        return 64;
    uv_ip4_addr(argv[1], atoi(argv[2]), &address);
    uv_tcp_init(uv_default_loop(), &listener);
    uv_tcp_bind(&listener, (const struct sockaddr *)&address, 0);
    if (uv_listen((uv_stream_t *)&listener, SOMAXCONN, on_connection) != 0)
        return 1;
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
