/* house: a queue listener's factory and what it holds, to be saved and loaded as at a restart. */
#ifndef CISTERN_TESTS_HOUSE_H
#define CISTERN_TESTS_HOUSE_H

#include "contents.h"
#include "factory.h"
#include "queue/client.h"
#include "queue/service.h"
#include "sealed.h"
#include "space_words.h"
#include "worker.h"

struct house {
    struct worker *worker;
    struct factory *factory;
    struct service *service;
    struct space *space;
    struct client client; /* has the leases */
};

static inline void look(struct house *house)
{
    house->service = *(struct service **)factory_shared(house->factory);
    house->space = house->service->space;
}

static inline void open_house(struct house *house, const struct queue_parameters *parameters)
{
    char why[PARAMETER_WHY_SIZE];
    *house = (struct house){.worker = worker_new()};
    MUST(house->worker != NULL);
    house->factory = factory_new(protocol_find("queue"), "jobs", parameters, why, sizeof why);
    MUST(house->factory != NULL);
    factory_attach(house->factory, house->worker);
    look(house);
    house->space->limits->budget.outer = factory_budget(house->factory);
    house->client.service = house->service;
    TAILQ_INIT(&house->client.leases);
}

static inline void leave_house(struct house *house)
{
    factory_put(house->factory);
    ck_assert_uint_eq(house->worker->memory.used, 0);
    worker_free(house->worker);
}

/* All that ever came in is accounted for. */
static inline void check_house(const struct house *house)
{
    struct space_totals totals;
    space_sum(house->space, &totals);
    MUST(totals.bytes == house->space->limits->budget.used);
    MUST(totals.bytes == house->worker->memory.used);
    for (struct named_queue *queue = house->space->by_name; queue != NULL; queue = queue->hh.next)
        check_conservation(&queue->queue);
}

static inline void close_house(struct house *house)
{
    check_house(house);
    leave_house(house);
}

static inline int save_house(struct house *house, uint64_t *items)
{
    char why[PARAMETER_WHY_SIZE];
    int fd;
    if (!contents_save(house->factory, &fd, items, why, sizeof why))
        ck_abort_msg("%s", why);
    return fd;
}

/* Why it cannot; NULL if it can. */
static inline const char *load_house(struct house *house, int fd)
{
    static char why[PARAMETER_WHY_SIZE];
    uint64_t items;
    house->space->limits->budget.outer = NULL; /* as long as a listener has had no session */
    bool loaded = contents_load(house->factory, fd, &items, why, sizeof why);
    look(house);
    if (loaded)
        ck_assert_uint_eq(house->service->restored, items);
    return loaded ? NULL : why;
}

/* One after the other, as at a restart. */
static inline void move_house(struct house *house, const struct queue_parameters *parameters)
{
    uint64_t items;
    check_house(house);
    int fd = save_house(house, &items);
    leave_house(house);
    open_house(house, parameters);
    const char *why = load_house(house, fd);
    if (why != NULL)
        ck_abort_msg("%s", why);
    close(fd);
}

static inline const char *words_in(const struct house *house, const char *name)
{
    return words_of(&space_find(house->space, word(name))->queue);
}

#endif
