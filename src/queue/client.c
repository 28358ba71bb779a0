#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void client_error(struct client *client, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    client->failed = true;
    resp_error(&client->reply, "%s", text);
}

bool client_may_reply(struct client *client, uint64_t bytes)
{
    if (bytes <= client->max_reply)
        return true;
    client_error(client, "TOOBIG a reply of %llu bytes is over max_reply_bytes, %llu",
                 (unsigned long long)bytes, (unsigned long long)client->max_reply);
    return false;
}

bool client_name_is_valid(struct client *client, struct resp_argument name)
{
    bool valid = true;
    for (size_t i = 0; i < name.length; i++)
        valid = valid && name.data[i] >= '!' && name.data[i] <= '~';
    if (!valid)
        client_error(client,
                     "ERR Client names cannot contain spaces, newlines or special characters.");
    else if (name.length > CLIENT_NAME_MAX)
        client_error(client, "ERR Client names cannot be longer than %u bytes", CLIENT_NAME_MAX);
    return valid && name.length <= CLIENT_NAME_MAX;
}

bool client_set_name(struct client *client, struct resp_argument name)
{
    char *copy = name.length > 0 ? strndup(name.data, name.length) : NULL;
    if (name.length > 0 && copy == NULL) {
        client_error(client, "OOM out of memory");
        return false;
    }
    free(client->name);
    client->name = copy;
    return true;
}
