#include "mailbox.h"

bool mailbox_is_full(const struct mailbox *mailbox)
{
    unsigned taken = atomic_load_explicit(&mailbox->taken, memory_order_acquire);
    unsigned posted = atomic_load_explicit(&mailbox->posted, memory_order_relaxed);
    return posted - taken == MAILBOX_SIZE;
}

void mailbox_post(struct mailbox *mailbox, const struct handover *item)
{
    unsigned posted = atomic_load_explicit(&mailbox->posted, memory_order_relaxed);
    mailbox->items[posted % MAILBOX_SIZE] = *item;
    atomic_store_explicit(&mailbox->posted, posted + 1, memory_order_release);
}

bool mailbox_is_empty(const struct mailbox *mailbox)
{
    return atomic_load_explicit(&mailbox->posted, memory_order_acquire) ==
           atomic_load_explicit(&mailbox->taken, memory_order_relaxed);
}

bool mailbox_take(struct mailbox *mailbox, struct handover *item)
{
    if (mailbox_is_empty(mailbox))
        return false;
    unsigned taken = atomic_load_explicit(&mailbox->taken, memory_order_relaxed);
    *item = mailbox->items[taken % MAILBOX_SIZE];
    atomic_store_explicit(&mailbox->taken, taken + 1, memory_order_release);
    return true;
}
