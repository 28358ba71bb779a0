/*
 * contents: what a factory holds, in a piece of memory that outlives the process.
 *
 * A module writes what its factory shares (factory_save in protocol.h) into a
 * memfd, of which systemd keeps a descriptor; the daemon that is started next
 * has a new factory take it in (factory_load). Around what the module writes,
 * the body, is an envelope:
 *
 *     offset  size
 *          0     8  "cistern\n"
 *          8     8  version of the envelope
 *         16     8  length of the body, bytes
 *         24     8  items in it, for people
 *         32    24  name of the module, filled up with NUL
 *         56     8  XXH3-64 of the body, then of bytes 0 to 55
 *         64        the body
 *
 * Numbers here are little-endian. Those of the body are in groups of seven
 * bits, the lowest first, all but the last with the high bit set: small ones
 * take a byte, and none has a byte order.
 *
 * The envelope is written last, and then the memory is sealed against every
 * change. Whoever reads it demands the seals and checks the envelope before the
 * body; the body's reader checks each length against what is left.
 */
#ifndef CISTERN_CONTENTS_H
#define CISTERN_CONTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTENTS_ENVELOPE_SIZE 64U
#define CONTENTS_MODULE_SIZE 24U

struct factory;
struct contents_writer;

/* --- for modules, which have them from protocol.h ------------------------------ */

/*
 * Appends to the body. When the memory for it runs out, what follows is thrown
 * away: whoever called factory_save sees to that.
 */
void contents_put(struct contents_writer *writer, const void *data, size_t length);
void contents_put_number(struct contents_writer *writer, uint64_t number);

/* What is left of a body that is being read. Pure: [at, end) is any bytes. */
struct contents_reader {
    const unsigned char *at;
    const unsigned char *end;
};

/* So many bytes, which stay where they are; false, and nothing is read, if there are less. */
bool contents_get(struct contents_reader *reader, uint64_t length, const char **data);
/* False, and nothing is read, if there is no number that fits. */
bool contents_get_number(struct contents_reader *reader, uint64_t *number);
bool contents_at_end(const struct contents_reader *reader);

/* --- for the core ---------------------------------------------------------------- */

/* Whether its module has contents. */
bool contents_possible(const struct factory *factory);

/*
 * Has the factory, which has no session left, write down what it holds. *fd is
 * then a sealed memfd, the caller's to close; or -1 if there is nothing to be
 * kept. False, with the reason in why, if it cannot be kept: then it is lost,
 * for the module may have given up what it wrote. items: how many there are.
 */
bool contents_save(struct factory *factory, int *fd, uint64_t *items, char *why, size_t size);

/*
 * Has the factory, which has no session yet, take in what another has written.
 * False, with the reason in why, if it is damaged, not the module's, or too
 * much for the memory: then the factory is as it was. fd stays the caller's.
 * items: how many there are, as far as that is known.
 */
bool contents_load(struct factory *factory, int fd, uint64_t *items, char *why, size_t size);

/* What the envelope says, unchecked but for its form. False if fd is none such. */
struct contents_label {
    char module[CONTENTS_MODULE_SIZE + 1];
    uint64_t items;
};
bool contents_look(int fd, struct contents_label *label);

#endif
