/* inspect: what a service tells about its queues, to clients and to the administrator. */
#ifndef CISTERN_QUEUE_INSPECT_H
#define CISTERN_QUEUE_INSPECT_H

#include "../figure.h"
#include "service.h"

/* The counters that have a row of their own in every account. */
#define INSPECT_COUNTERS 11
void inspect_counters(const struct queue_counters *counters,
                      struct figure figures[INSPECT_COUNTERS]);

/* All figures of a queue; the first is its name. They are borrowed from it. */
#define INSPECT_FIGURES (1 + 6 + INSPECT_COUNTERS + 6)
void inspect_queue(const struct named_queue *queue, uint64_t now,
                   struct figure figures[INSPECT_FIGURES]);

/*
 * For the module's hooks of the same names (protocol.h). Of the queues that all
 * connections share; those of single connections are their own business.
 */
void inspect_list(struct service *service, const char *pattern, figure_visitor *visit,
                  void *context);
bool inspect_purge(struct service *service, struct resp_argument name, uint64_t *removed);

#endif
