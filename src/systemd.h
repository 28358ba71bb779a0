/*
 * systemd: the service's side of sd_notify(3), without libsystemd.
 *
 * The protocol, a datagram of KEY=VALUE lines to the socket that NOTIFY_SOCKET
 * names, is stable and documented; systemd's maintainers advise to embed it.
 * Outside of systemd every function does nothing.
 */
#ifndef CISTERN_SYSTEMD_H
#define CISTERN_SYSTEMD_H

#include <stdbool.h>

/* Sends the lines, printf-style; failures are not the daemon's concern. */
void systemd_notify(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with a copy of a descriptor. False when it could not be sent. */
bool systemd_notify_fd(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "RELOADING=1" with the MONOTONIC_USEC that systemd wants beside it. */
void systemd_notify_reloading(void);

/* Waits, for some seconds at most, until the manager has done what it was told before. */
void systemd_barrier(void);

#endif
