/*
 * factory: a protocol module with the parameters of one listener, the closure
 * that makes its sessions.
 *
 * Immutable and counted: the listener holds one reference, each connection
 * another. A reload that changes parameters gives the listener a new factory;
 * the connections keep theirs, and the last of them takes it along.
 */
#ifndef CISTERN_FACTORY_H
#define CISTERN_FACTORY_H

#include "protocol.h"

struct server;
struct worker;

/*
 * A started factory with one reference, or NULL with the reason in why. Copies
 * name and parameters (a block of protocol->parameters; NULL if it has none).
 */
struct factory *factory_new(const struct protocol *protocol, const char *name,
                            const void *parameters, char *why, size_t size);

struct factory *factory_get(struct factory *factory);
/* The last reference stops and frees it. NULL is allowed. */
void factory_put(struct factory *factory);

/* Gives it the thread that it lives on: from then on it can have a timer, and a budget. */
void factory_attach(struct factory *factory, struct worker *worker);

/* Whether the module lets go of it, for these parameters of the same module (NULL: for none). */
bool factory_may_change(struct factory *factory, const struct protocol *protocol,
                        const void *parameters, char *why, size_t size);

/* Hands what `old` shares to `factory`, if both are of one module. */
void factory_adopt(struct factory *factory, struct factory *old);

/* The server that it serves, for a privileged module; NULL before it is attached. */
struct server *factory_server(const struct factory *factory);

const struct protocol *factory_protocol(const struct factory *factory);

/* Whether a factory made from these would do the same as this one. */
bool factory_matches(const struct factory *factory, const struct protocol *protocol,
                     const void *parameters);

#endif
