/*
 * log_journal: entries in the journal's own protocol: a datagram of FIELD=value
 * lines, as systemd documents it under "Native Journal Protocol". No value has a
 * line end, so that the form for binary values is not needed.
 */
#include "log_record.h"

#include <ctype.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static size_t write_text(char *out, const char *field, const char *text)
{
    return text == NULL ? 0 : (size_t)sprintf(out, "%s=%s\n", field, text);
}

static size_t write_number(char *out, const char *field, uint64_t value)
{
    return value == 0 ? 0 : (size_t)sprintf(out, "%s=%" PRIu64 "\n", field, value);
}

/* CISTERN_ and the name in upper case. */
static size_t write_figure(char *out, const struct log_number *number)
{
    int prefix = sprintf(out, "CISTERN_");
    int length = sprintf(out + prefix, "%s=%" PRIu64 "\n", number->name, number->value);
    for (char *c = out + prefix; *c != '='; c++)
        *c = (char)toupper((unsigned char)*c);
    return (size_t)(prefix + length);
}

size_t log_journal_write(const struct log_record *record, char buffer[LOG_FORM_SIZE])
{
    const struct log_context *about = record->about;
    char *out = buffer;
    out += write_text(out, "MESSAGE", record->line);
    out += sprintf(out, "PRIORITY=%d\nSYSLOG_IDENTIFIER=cisternd\n", (int)record->level);
    out += write_text(out, "MESSAGE_ID", log_event_id(about->event));
    out += write_text(out, "CISTERN_LISTENER", about->listener);
    out += write_text(out, "CISTERN_PEER", about->peer);
    out += write_number(out, "CISTERN_CONN", about->connection);
    out += write_number(out, "CISTERN_GENERATION", about->generation);
    for (const struct log_number *number = about->numbers; number != NULL && number->name != NULL;
         number++)
        out += write_figure(out, number);
    return (size_t)(out - buffer);
}

int log_journal_open(void)
{
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

/* Not connected, so that a journal that was started anew is found again. */
bool log_journal_send(int fd, const char *path, const char *entry, size_t length)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (fd < 0 || strlen(path) >= sizeof address.sun_path)
        return false;
    strcpy(address.sun_path, path);
    return sendto(fd, entry, length, MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&address,
                  sizeof address) >= 0;
}
