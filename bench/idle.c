/* idle: connections that have been greeted, and then do nothing. */
#include "load.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

void run_idle(const struct options *options)
{
    struct pollfd *connections = allocate(options->connections, sizeof *connections);
    for (uint32_t i = 0; i < options->connections; i++) {
        connections[i].fd = net_connect_and_greet(options, i);
        connections[i].events = POLLIN | POLLRDHUP;
    }
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    int lost = poll(connections, options->connections, 0);
    free(connections);
    printf("{\"connections\": %u, \"lost\": %d}\n", options->connections, lost);
}
