#include "client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "../resp/resp.h"

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = CLIENT_PATIENCE};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Two streams, since one cannot both read and write; each has a descriptor of its own. */
static bool open_streams(struct client *client, int fd)
{
    int other = dup(fd);
    client->in = fdopen(fd, "r");
    client->out = other < 0 ? NULL : fdopen(other, "w");
    if (client->in == NULL)
        close(fd);
    if (client->out == NULL && other >= 0)
        close(other);
    return client->in != NULL && client->out != NULL;
}

/* What we understand. Not being let in shows here. Returns an exit code. */
static int greet(struct client *client, char why[CLIENT_WHY_SIZE])
{
    static const char *const hello[] = {"HELLO", "3"};
    static const char *const capable[] = {"CLIENT", "CAPA", "blob-errors"};
    struct value answer;
    int result = client_ask(client, hello, 2, &answer, why) ? EX_OK : EX_UNAVAILABLE;
    if (result == EX_OK && answer.kind != VALUE_MAP) {
        bool is_error = answer.kind == VALUE_ERROR;
        bool is_denied = is_error && strncmp(answer.text, "NOPERM ", 7) == 0;
        snprintf(why, CLIENT_WHY_SIZE, "%s", is_error ? answer.text : "it is no control socket");
        result = is_denied ? EX_NOPERM : EX_UNAVAILABLE;
    }
    value_clear(&answer);
    if (result == EX_OK && !client_ask(client, capable, 3, &answer, why))
        result = EX_UNAVAILABLE;
    value_clear(&answer);
    return result;
}

int client_open(struct client *client, const char *path, char why[CLIENT_WHY_SIZE])
{
    *client = (struct client){0};
    int fd = connect_to(path);
    if (fd >= 0 && open_streams(client, fd))
        return greet(client, why);
    snprintf(why, CLIENT_WHY_SIZE, "%s: %s", path, strerror(errno));
    return errno == EACCES || errno == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
}

void client_close(struct client *client)
{
    if (client->in != NULL)
        fclose(client->in);
    if (client->out != NULL)
        fclose(client->out);
    *client = (struct client){0};
}

static void write_out(void *context, const void *data, size_t length)
{
    fwrite(data, 1, length, context);
}

bool client_ask(struct client *client, const char *const *words, size_t count, struct value *answer,
                char why[CLIENT_WHY_SIZE])
{
    struct resp_writer writer = {.version = 3, .write = write_out, .context = client->out};
    resp_array(&writer, count);
    for (size_t i = 0; i < count; i++)
        resp_bulk_text(&writer, words[i]);
    *answer = (struct value){0};
    errno = 0;
    fflush(client->out); /* what is wrong with it shows when there is no answer */
    if (value_read(client->in, answer))
        return true;
    bool late = errno == EAGAIN;
    snprintf(why, CLIENT_WHY_SIZE, "%s",
             late ? "the daemon does not answer" : "the daemon has closed the connection");
    return false;
}
