#include "peer.h"

#include <arpa/inet.h>
#include <string.h>

/* All these return where they have ended. */
static char *put_number(char *text, unsigned number)
{
    if (number > 9)
        text = put_number(text, number / 10);
    *text++ = (char)('0' + number % 10);
    return text;
}

static char *put_ipv4(char *text, const struct in_addr *address)
{
    uint32_t host = ntohl(address->s_addr);
    for (unsigned shift = 32; shift > 0; *text++ = '.') {
        shift -= 8;
        text = put_number(text, host >> shift & 255);
    }
    return text - 1;
}

static char *put_ipv6(char *text, const struct in6_addr *address)
{
    *text++ = '[';
    inet_ntop(AF_INET6, address, text, INET6_ADDRSTRLEN);
    text += strlen(text);
    *text++ = ']';
    return text;
}

const char *peer_format(const union peer_address *peer, char text[PEER_TEXT_SIZE])
{
    char *end;
    in_port_t port;
    switch (peer->any.sa_family) {
    case AF_INET:
        end = put_ipv4(text, &peer->inet.sin_addr);
        port = peer->inet.sin_port;
        break;
    case AF_INET6:
        end = put_ipv6(text, &peer->inet6.sin6_addr);
        port = peer->inet6.sin6_port;
        break;
    default:
        return strcpy(text, "unix");
    }
    *end++ = ':';
    *put_number(end, ntohs(port)) = '\0';
    return text;
}
