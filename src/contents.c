#include "contents.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "factory.h"

#define MAGIC "cistern\n"
#define ENVELOPE_VERSION UINT64_C(1)
#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

/* MFD_NOEXEC_SEAL of Linux 6.3, which the headers of 6.1 do not have. */
#define NOEXEC_SEAL 0x0008U

/* Written at a time. */
#define BUFFER_SIZE (256U * 1024)
/* After so many bytes what the module has freed meanwhile goes back to the system. */
#define TRIM_INTERVAL (64U * 1024 * 1024)
/* A number is at most so long. */
#define NUMBER_SIZE 10U

/* Its numbers little-endian. */
struct envelope {
    char magic[8];
    uint64_t version;
    uint64_t length;
    uint64_t items;
    char module[CONTENTS_MODULE_SIZE];
    uint64_t checksum;
};
_Static_assert(sizeof(struct envelope) == CONTENTS_ENVELOPE_SIZE, "an envelope has no gaps");

/* --- the body, written -------------------------------------------------------------- */

struct contents_writer {
    int fd;
    int error; /* errno of the first write that failed */
    XXH3_state_t *hash;
    uint64_t length;  /* of the body, without what is still in the buffer */
    uint64_t trimmed; /* length when memory was last given back */
    size_t used;
    unsigned char buffer[BUFFER_SIZE];
};

static void write_out(struct contents_writer *writer, const void *data, size_t length)
{
    const char *from = data;
    XXH3_64bits_update(writer->hash, data, length);
    writer->length += length;
    while (length > 0 && writer->error == 0) {
        ssize_t written = write(writer->fd, from, length);
        if (written < 0 && errno != EINTR)
            writer->error = errno;
        if (written > 0) {
            from += written;
            length -= (size_t)written;
        }
    }
}

static void flush(struct contents_writer *writer)
{
    write_out(writer, writer->buffer, writer->used);
    writer->used = 0;
    if (writer->length - writer->trimmed >= TRIM_INTERVAL) {
        malloc_trim(0);
        writer->trimmed = writer->length;
    }
}

void contents_put(struct contents_writer *writer, const void *data, size_t length)
{
    if (length > BUFFER_SIZE - writer->used)
        flush(writer);
    if (length > BUFFER_SIZE) {
        write_out(writer, data, length);
    } else if (length > 0) { /* else data may be NULL */
        memcpy(writer->buffer + writer->used, data, length);
        writer->used += length;
    }
}

void contents_put_number(struct contents_writer *writer, uint64_t number)
{
    unsigned char bytes[NUMBER_SIZE];
    size_t length = 0;
    while (number > 0x7f) {
        bytes[length++] = (unsigned char)(number | 0x80);
        number >>= 7;
    }
    bytes[length++] = (unsigned char)number;
    contents_put(writer, bytes, length);
}

/* --- the body, read ------------------------------------------------------------------- */

bool contents_get(struct contents_reader *reader, uint64_t length, const char **data)
{
    if (length > (uint64_t)(reader->end - reader->at))
        return false;
    *data = (const char *)reader->at;
    reader->at += length;
    return true;
}

bool contents_get_number(struct contents_reader *reader, uint64_t *number)
{
    const unsigned char *at = reader->at;
    *number = 0;
    for (unsigned shift = 0; at < reader->end && shift < 64; shift += 7) {
        uint64_t group = *at & 0x7fU;
        if (group << shift >> shift != group)
            return false;
        *number |= group << shift;
        if ((*at++ & 0x80U) == 0) {
            reader->at = at;
            return true;
        }
    }
    return false;
}

bool contents_at_end(const struct contents_reader *reader)
{
    return reader->at == reader->end;
}

/* --- saving --------------------------------------------------------------------------- */

bool contents_possible(const struct factory *factory)
{
    const struct protocol *protocol = factory_protocol(factory);
    return protocol->factory_save != NULL && protocol->factory_load != NULL;
}

/* As it stands in an envelope. */
static void fill_module(const struct factory *factory, char module[CONTENTS_MODULE_SIZE])
{
    const char *name = factory_protocol(factory)->name;
    memset(module, 0, CONTENTS_MODULE_SIZE);
    memcpy(module, name, strnlen(name, CONTENTS_MODULE_SIZE));
}

/* Where the kernel can be told that nobody will execute it, it wants to be. */
static int create(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd;
}

static struct contents_writer *writer_new(const char *name)
{
    struct contents_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return NULL;
    writer->fd = create(name);
    writer->error = writer->fd < 0 ? errno : 0;
    writer->hash = XXH3_createState();
    if (writer->hash == NULL) {
        if (writer->fd >= 0)
            close(writer->fd);
        free(writer);
        return NULL;
    }
    XXH3_64bits_reset(writer->hash);
    if (lseek(writer->fd, CONTENTS_ENVELOPE_SIZE, SEEK_SET) < 0 && writer->error == 0)
        writer->error = errno;
    return writer;
}

static void write_envelope(struct contents_writer *writer, struct envelope *envelope)
{
    memcpy(envelope->magic, MAGIC, sizeof envelope->magic);
    envelope->version = htole64(ENVELOPE_VERSION);
    envelope->length = htole64(writer->length);
    XXH3_64bits_update(writer->hash, envelope, offsetof(struct envelope, checksum));
    envelope->checksum = htole64(XXH3_64bits_digest(writer->hash));
    ssize_t written = pwrite(writer->fd, envelope, sizeof *envelope, 0);
    if (writer->error == 0 && written != (ssize_t)sizeof *envelope)
        writer->error = written < 0 ? errno : ENOSPC;
    if (writer->error == 0 && fcntl(writer->fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) != 0)
        writer->error = errno;
}

bool contents_save(struct factory *factory, int *fd, uint64_t *items, char *why, size_t size)
{
    struct envelope envelope;
    struct contents_writer *writer = writer_new(factory_name(factory));
    *fd = -1;
    *items = 0;
    if (writer == NULL) {
        snprintf(why, size, "out of memory");
        return false;
    }
    *items = factory_protocol(factory)->factory_save(factory, writer);
    flush(writer);
    bool nothing = writer->length == 0;
    if (!nothing) {
        fill_module(factory, envelope.module);
        envelope.items = htole64(*items);
        write_envelope(writer, &envelope);
    }
    bool saved = nothing || writer->error == 0;
    if (!saved)
        snprintf(why, size, "%s", strerror(writer->error));
    if (saved && !nothing)
        *fd = writer->fd;
    else if (writer->fd >= 0)
        close(writer->fd);
    XXH3_freeState(writer->hash);
    free(writer);
    return saved;
}

/* --- loading -------------------------------------------------------------------------- */

/* The memory's size, if it can neither change nor go away while it is read. */
static bool measure(int fd, size_t *length)
{
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &status) != 0)
        return false;
    *length = (size_t)status.st_size;
    return true;
}

static bool read_envelope(int fd, struct envelope *envelope, size_t *length)
{
    return measure(fd, length) &&
           pread(fd, envelope, sizeof *envelope, 0) == (ssize_t)sizeof *envelope &&
           memcmp(envelope->magic, MAGIC, sizeof envelope->magic) == 0;
}

bool contents_look(int fd, struct contents_label *label)
{
    struct envelope envelope;
    size_t length;
    if (!read_envelope(fd, &envelope, &length))
        return false;
    memcpy(label->module, envelope.module, sizeof envelope.module);
    label->module[sizeof envelope.module] = '\0';
    label->items = le64toh(envelope.items);
    return true;
}

static bool is_whole(const unsigned char *data, size_t length, const struct envelope *envelope)
{
    XXH3_state_t *hash = XXH3_createState();
    if (hash == NULL)
        return false;
    XXH3_64bits_reset(hash);
    XXH3_64bits_update(hash, data + sizeof *envelope, length - sizeof *envelope);
    XXH3_64bits_update(hash, data, offsetof(struct envelope, checksum));
    bool whole = XXH3_64bits_digest(hash) == le64toh(envelope->checksum);
    XXH3_freeState(hash);
    return whole;
}

/* The whole memory is at data. */
static bool load(struct factory *factory, const unsigned char *data, size_t length,
                 const struct envelope *envelope, char *why, size_t size)
{
    if (!is_whole(data, length, envelope)) {
        snprintf(why, size, "its checksum is wrong");
        return false;
    }
    struct contents_reader reader = {.at = data + sizeof *envelope, .end = data + length};
    return factory_protocol(factory)->factory_load(factory, &reader, why, size);
}

bool contents_load(struct factory *factory, int fd, uint64_t *items, char *why, size_t size)
{
    struct envelope envelope;
    size_t length;
    char module[CONTENTS_MODULE_SIZE];
    *items = 0;
    fill_module(factory, module);
    if (!read_envelope(fd, &envelope, &length)) {
        snprintf(why, size, "it is not what a cisternd has written");
        return false;
    }
    *items = le64toh(envelope.items);
    if (le64toh(envelope.version) != ENVELOPE_VERSION) {
        snprintf(why, size, "it was written by another version, in form %llu",
                 (unsigned long long)le64toh(envelope.version));
    } else if (le64toh(envelope.length) != length - sizeof envelope) {
        snprintf(why, size, "it has %zu bytes where %llu were written", length - sizeof envelope,
                 (unsigned long long)le64toh(envelope.length));
    } else if (memcmp(envelope.module, module, sizeof module) != 0) {
        snprintf(why, size, "it is of the protocol %.*s", (int)sizeof module, envelope.module);
    } else {
        void *data = mmap(NULL, length, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        if (data == MAP_FAILED) {
            snprintf(why, size, "it cannot be mapped: %s", strerror(errno));
            return false;
        }
        bool loaded = load(factory, data, length, &envelope, why, size);
        munmap(data, length);
        return loaded;
    }
    return false;
}
