#include "address.h"

#include "fdstore.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define UNIX_PREFIX "unix:"
#define SYSTEMD_PREFIX "systemd:"
#define UNIX_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)
#define LABEL_MAX 63
#define NAME_MAX_LENGTH 253

static bool refuse(char *why, size_t size, const char *reason)
{
    snprintf(why, size, "%s", reason);
    return false;
}

static bool parse_port(const char *text, uint16_t *port)
{
    unsigned value = 0;

    if (*text == '\0' || (text[0] == '0' && text[1] != '\0'))
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (unsigned)(*text - '0');
        if (value > UINT16_MAX)
            return false;
    }
    *port = (uint16_t)value;
    return true;
}

/* Writes the address as the system spells it. False when text is none of that family. */
static bool parse_numeric(int family, const char *text, char *host)
{
    struct in6_addr binary; /* the larger of the two */

    return inet_pton(family, text, &binary) == 1 &&
           inet_ntop(family, &binary, host, ADDRESS_HOST_SIZE) != NULL;
}

/* RFC 1123, section 2.1: the last label is not all digits, or it would be an IPv4 address. */
static bool parse_name(const char *text, char *host)
{
    size_t length = strlen(text);
    size_t label = 0;
    bool digits = true;

    if (length > NAME_MAX_LENGTH)
        return false;
    for (size_t i = 0; i <= length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '.' || c == '\0') {
            if (label == 0 || label > LABEL_MAX || text[i - 1] == '-')
                return false;
            if (c == '\0')
                break;
            label = 0;
            digits = true;
        } else if (c < 0x80 && (isalnum(c) || (c == '-' && label > 0))) {
            label++;
            digits = digits && isdigit(c);
        } else {
            return false;
        }
        host[i] = (char)tolower(c);
    }
    host[length] = '\0';
    return !digits;
}

static bool parse_unix(struct address *address, const char *path, char *why, size_t size)
{
    size_t length = strlen(path);

    if (path[0] != '/')
        return refuse(why, size, "the path of a unix socket is absolute");
    if (length > UNIX_PATH_MAX)
        return refuse(why, size, "the path of a unix socket has at most 107 bytes");
    if (path[length - 1] == '/')
        return refuse(why, size, "the path of a unix socket ends in a file's name");
    for (size_t i = 0; i < length; i++) {
        if (iscntrl((unsigned char)path[i]))
            return refuse(why, size, "the path has a control character");
    }
    address->family = ADDRESS_UNIX;
    memcpy(address->host, path, length + 1);
    return true;
}

/* FileDescriptorName= in systemd.socket(5). */
static bool parse_systemd(struct address *address, const char *name, char *why, size_t size)
{
    size_t length = strlen(name);

    if (length == 0 || length >= ADDRESS_HOST_SIZE)
        return refuse(why, size, "the name of a passed socket has 1 to 255 bytes");
    for (size_t i = 0; i < length; i++) {
        if (name[i] < ' ' || name[i] > '~' || name[i] == ':')
            return refuse(why, size, "the name of a passed socket is ASCII without colons");
    }
    if (fdstore_is_reserved(name))
        return refuse(why, size, "names that begin so are for what the daemon itself has stored");
    address->family = ADDRESS_SYSTEMD;
    memcpy(address->host, name, length + 1);
    return true;
}

/* host: what stands before the last colon. */
static bool parse_host(struct address *address, char *host, char *why, size_t size)
{
    size_t length = strlen(host);

    if (strcmp(host, "*") == 0) {
        address->family = ADDRESS_ANY;
        memcpy(address->host, "*", 2);
        return true;
    }
    if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        address->family = ADDRESS_IPV6;
        return parse_numeric(AF_INET6, host + 1, address->host) ||
               refuse(why, size, "there is no IPv6 address between the brackets");
    }
    if (strchr(host, ':') != NULL)
        return refuse(why, size, "an IPv6 address stands in brackets, as in [::1]:7007");
    if (parse_numeric(AF_INET, host, address->host)) {
        address->family = ADDRESS_IPV4;
        return true;
    }
    if (parse_name(host, address->host)) {
        address->family = ADDRESS_NAME;
        return true;
    }
    return refuse(why, size, "before the port stands neither an IPv4 address nor a host name");
}

static bool parse_inet(struct address *address, const char *text, char *why, size_t size)
{
    char host[ADDRESS_HOST_SIZE];
    const char *colon = strrchr(text, ':');

    if (colon == NULL)
        return refuse(why, size, "it has no port");
    size_t length = (size_t)(colon - text);
    if (length >= sizeof(host))
        return refuse(why, size, "a host name has at most 253 bytes");
    memcpy(host, text, length);
    host[length] = '\0';
    if (!parse_host(address, host, why, size))
        return false;
    return parse_port(colon + 1, &address->port) ||
           refuse(why, size, "a port is a number from 0 to 65535");
}

/* What follows the prefix, or NULL when text does not begin with it. */
static const char *behind(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);

    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

bool address_parse(struct address *address, const char *text, char *why, size_t size)
{
    struct address parsed = {0};
    const char *path = behind(text, UNIX_PREFIX);
    const char *name = behind(text, SYSTEMD_PREFIX);
    bool valid = path != NULL   ? parse_unix(&parsed, path, why, size)
                 : name != NULL ? parse_systemd(&parsed, name, why, size)
                                : parse_inet(&parsed, text, why, size);

    if (valid)
        *address = parsed;
    return valid;
}

const char *address_format(const struct address *address, char *buffer, size_t size)
{
    switch (address->family) {
    case ADDRESS_UNIX:
        snprintf(buffer, size, UNIX_PREFIX "%s", address->host);
        break;
    case ADDRESS_SYSTEMD:
        snprintf(buffer, size, SYSTEMD_PREFIX "%s", address->host);
        break;
    case ADDRESS_IPV6:
        snprintf(buffer, size, "[%s]:%u", address->host, address->port);
        break;
    default:
        snprintf(buffer, size, "%s:%u", address->host, address->port);
        break;
    }
    return buffer;
}

bool address_equal(const struct address *one, const struct address *other)
{
    return one->family == other->family && one->port == other->port &&
           strcmp(one->host, other->host) == 0;
}

bool address_has_port(const struct address *address)
{
    return address->family != ADDRESS_UNIX && address->family != ADDRESS_SYSTEMD;
}

static bool covers(const struct address *wildcard, const struct address *other)
{
    switch (wildcard->family) {
    case ADDRESS_ANY:
        return address_has_port(other);
    case ADDRESS_IPV4:
        return other->family == ADDRESS_IPV4 && strcmp(wildcard->host, "0.0.0.0") == 0;
    case ADDRESS_IPV6:
        return other->family == ADDRESS_IPV6 && strcmp(wildcard->host, "::") == 0;
    default:
        return false;
    }
}

bool address_clash(const struct address *one, const struct address *other)
{
    if (!address_has_port(one) || !address_has_port(other))
        return address_equal(one, other);
    if (one->port != other->port || one->port == 0)
        return false;
    return address_equal(one, other) || covers(one, other) || covers(other, one);
}
