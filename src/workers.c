#include "workers.h"

#include <signal.h>
#include <stdlib.h>

#include "shard.h"

/* Taken over in one turn of the loop, so that a flood does not starve who is connected. */
#define TAKEN_PER_TURN 32U

/* What a worker beyond the first has besides. */
struct thread {
    struct workers *workers;
    struct worker *worker;
    pthread_t id;
    struct wakeup wakeup;
    struct event *woken;
    bool posted;       /* into the mailbox, without a wake-up yet; the main thread's */
    uint64_t answered; /* the last question it has seen; under the mutex */
    struct mailbox mailbox;
};

/* --- the loops --------------------------------------------------------------------- */

/* One turn after the other: what one has freed of memory is there for all at its end. */
static void run(struct worker *worker)
{
    while (event_base_loop(worker->base, EVLOOP_ONCE) == 0 && !event_base_got_break(worker->base))
        budget_settle(&worker->memory);
}

void workers_run(struct workers *workers)
{
    if (workers->count == 1)
        event_base_dispatch(workers->items[0]->base);
    else
        run(workers->items[0]);
}

/* What is left after that many is for another turn. */
static void take_over(struct thread *thread, unsigned most)
{
    struct handover item;
    for (unsigned i = 0; i < most && mailbox_take(&thread->mailbox, &item); i++)
        shard_open(&item);
    if (!mailbox_is_empty(&thread->mailbox))
        wakeup_send(&thread->wakeup);
}

/* Leaves with the hold that it came in, also when the next one has begun by then. */
static void park(struct workers *workers)
{
    pthread_mutex_lock(&workers->mutex);
    uint64_t hold = workers->hold;
    workers->parked++;
    pthread_cond_broadcast(&workers->changed);
    while (workers->held && workers->hold == hold)
        pthread_cond_wait(&workers->changed, &workers->mutex);
    pthread_mutex_unlock(&workers->mutex);
}

/* The main thread wants something of this one, and does nothing else until it is held. */
static void on_woken(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct thread *thread = context;
    struct workers *workers = thread->workers;
    wakeup_clear(&thread->wakeup);
    pthread_mutex_lock(&workers->mutex);
    thread->answered = workers->question;
    bool held = workers->held, stopping = workers->stopping;
    pthread_mutex_unlock(&workers->mutex);
    take_over(thread, held ? MAILBOX_SIZE : TAKEN_PER_TURN);
    if (held)
        park(workers);
    if (stopping)
        event_base_loopbreak(thread->worker->base);
}

static void *run_thread(void *context)
{
    const struct thread *thread = context;
    pthread_setname_np(pthread_self(), "worker");
    run(thread->worker);
    return NULL;
}

/* --- life -------------------------------------------------------------------------- */

static struct event *new_wakeup(struct wakeup *wakeup, struct worker *worker,
                                event_callback_fn callback, void *context)
{
    if (!wakeup_init(wakeup))
        return NULL;
    struct event *event =
        event_new(worker->base, wakeup->fd, EV_READ | EV_PERSIST, callback, context);
    if (event != NULL && event_add(event, NULL) != 0) {
        event_free(event);
        event = NULL;
    }
    return event;
}

static void free_wakeup(struct wakeup *wakeup, struct event *woken)
{
    if (woken != NULL)
        event_free(woken);
    wakeup_close(wakeup);
}

static void free_thread(struct thread *thread)
{
    if (thread == NULL)
        return;
    free_wakeup(&thread->wakeup, thread->woken);
    free(thread);
}

static bool add_thread(struct workers *workers, struct worker *worker)
{
    struct thread *thread = calloc(1, sizeof *thread);
    if (thread == NULL)
        return false;
    *thread = (struct thread){.workers = workers, .worker = worker, .wakeup.fd = -1};
    worker->thread = thread;
    thread->woken = new_wakeup(&thread->wakeup, worker, on_woken, thread);
    return thread->woken != NULL;
}

/* Connections get every count-th number, so that no two workers give the same. */
static bool add_worker(struct workers *workers, unsigned index)
{
    struct worker *worker = worker_new();
    workers->items[index] = worker;
    if (worker == NULL)
        return false;
    worker->workers = workers;
    worker->connection_id_step = workers->count;
    worker->last_connection_id = index + UINT64_C(1) - workers->count;
    return index == 0 || add_thread(workers, worker);
}

/* Signals are for the main thread's loop alone. */
static bool start_threads(struct workers *workers)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = true;
    for (unsigned i = 1; started && i < workers->count; i++) {
        struct thread *thread = workers->items[i]->thread;
        started = pthread_create(&thread->id, NULL, run_thread, thread) == 0;
        if (started)
            workers->running++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void on_released(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct workers *workers = context;
    wakeup_clear(&workers->wakeup);
    workers->released(workers->context);
}

static bool make_all(struct workers *workers)
{
    for (unsigned i = 0; i < workers->count; i++) {
        if (!add_worker(workers, i))
            return false;
    }
    if (workers->count == 1)
        return true;
    workers->woken = new_wakeup(&workers->wakeup, workers->items[0], on_released, workers);
    return workers->woken != NULL && start_threads(workers);
}

struct workers *workers_new(unsigned count, void (*released)(void *context), void *context)
{
    struct workers *workers = calloc(1, sizeof *workers);
    if (workers == NULL)
        return NULL;
    *workers = (struct workers){.count = count,
                                .items = calloc(count, sizeof(struct worker *)),
                                .max_connections = UINT64_MAX,
                                .released = released,
                                .context = context,
                                .wakeup.fd = -1};
    pthread_mutex_init(&workers->mutex, NULL);
    pthread_cond_init(&workers->changed, NULL);
    if (workers->items != NULL && make_all(workers))
        return workers;
    workers_free(workers);
    return NULL;
}

static void wake_threads(struct workers *workers)
{
    for (unsigned i = 1; i <= workers->running; i++)
        wakeup_send(&workers->items[i]->thread->wakeup);
}

void workers_stop(struct workers *workers)
{
    pthread_mutex_lock(&workers->mutex);
    workers->stopping = true;
    pthread_mutex_unlock(&workers->mutex);
    wake_threads(workers);
    for (; workers->running > 0; workers->running--)
        pthread_join(workers->items[workers->running]->thread->id, NULL);
}

void workers_free(struct workers *workers)
{
    if (workers == NULL)
        return;
    workers_stop(workers);
    free_wakeup(&workers->wakeup, workers->woken);
    for (unsigned i = 0; workers->items != NULL && i < workers->count; i++) {
        if (workers->items[i] != NULL)
            free_thread(workers->items[i]->thread);
        worker_free(workers->items[i]);
    }
    pthread_cond_destroy(&workers->changed);
    pthread_mutex_destroy(&workers->mutex);
    free(workers->items);
    free(workers);
}

/* --- holding ------------------------------------------------------------------------ */

void workers_hold(struct workers *workers)
{
    if (workers->holds++ > 0 || workers->running == 0)
        return;
    pthread_mutex_lock(&workers->mutex);
    workers->held = true;
    workers->hold++;
    workers->parked = 0;
    pthread_mutex_unlock(&workers->mutex);
    wake_threads(workers);
    pthread_mutex_lock(&workers->mutex);
    while (workers->parked < workers->running)
        pthread_cond_wait(&workers->changed, &workers->mutex);
    pthread_mutex_unlock(&workers->mutex);
}

void workers_release(struct workers *workers)
{
    if (--workers->holds > 0 || workers->running == 0)
        return;
    pthread_mutex_lock(&workers->mutex);
    workers->held = false;
    pthread_cond_broadcast(&workers->changed);
    pthread_mutex_unlock(&workers->mutex);
}

bool workers_alive(struct workers *workers)
{
    bool alive = true;
    pthread_mutex_lock(&workers->mutex);
    for (unsigned i = 1; i <= workers->running; i++)
        alive = alive && workers->items[i]->thread->answered == workers->question;
    workers->question++;
    pthread_mutex_unlock(&workers->mutex);
    wake_threads(workers);
    return alive;
}

/* --- connections --------------------------------------------------------------------- */

uint64_t workers_connections(const struct workers *workers)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < workers->count; i++)
        count += tally_count(&workers->items[i]->connections);
    return count - workers->items[0]->privileged_count;
}

static bool is_freer(const struct worker *one, const struct worker *other)
{
    return one->homes < other->homes ||
           (one->homes == other->homes &&
            tally_count(&one->connections) < tally_count(&other->connections));
}

struct worker *workers_choose_home(struct workers *workers)
{
    struct worker *home = workers->items[0];
    for (unsigned i = 1; i < workers->count; i++) {
        if (!is_freer(home, workers->items[i]))
            home = workers->items[i];
    }
    return home;
}

uint64_t workers_memory(const struct workers *workers)
{
    uint64_t used = 0;
    for (unsigned i = 0; i < workers->count; i++)
        used += workers->items[i]->memory.used;
    return used;
}

void workers_set_max_memory(struct workers *workers, uint64_t bytes)
{
    bool pooled = workers->count > 1 && bytes != UINT64_MAX;
    uint64_t used = workers_memory(workers);
    for (unsigned i = 0; i < workers->count; i++) {
        struct budget *memory = &workers->items[i]->memory;
        memory->limit = pooled ? memory->used : bytes;
        memory->pool = pooled ? &workers->memory : NULL;
    }
    atomic_store_explicit(&workers->memory.left, (int64_t)(bytes - used), memory_order_relaxed);
}

bool workers_can_take(const struct worker *worker)
{
    return worker->thread == NULL || !mailbox_is_full(&worker->thread->mailbox);
}

void workers_hand_over(const struct handover *item)
{
    struct worker *worker = item->shard->worker;
    tally_in(&worker->connections);
    tally_in(&item->shard->connections);
    if (worker->thread == NULL) {
        shard_open(item);
        return;
    }
    mailbox_post(&worker->thread->mailbox, item);
    worker->thread->posted = true;
}

void workers_flush(struct workers *workers)
{
    for (unsigned i = 1; i < workers->count; i++) {
        struct thread *thread = workers->items[i]->thread;
        if (thread->posted)
            wakeup_send(&thread->wakeup);
        thread->posted = false;
    }
}

void workers_count_out(struct worker *worker)
{
    struct workers *workers = worker->workers;
    tally_out(&worker->connections);
    if (!workers->watched)
        return;
    if (worker->thread == NULL)
        workers->released(workers->context);
    else
        wakeup_send(&workers->wakeup);
}
