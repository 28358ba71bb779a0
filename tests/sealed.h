/* sealed: memory as contents are handed over in, made of any bytes, and its bytes back. */
#ifndef CISTERN_TESTS_SEALED_H
#define CISTERN_TESTS_SEALED_H

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "must.h"

static inline int sealed_by(int seals, const void *bytes, size_t length)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    MUST(fd >= 0);
    MUST(write(fd, bytes, length) == (ssize_t)length);
    MUST(fcntl(fd, F_ADD_SEALS, seals) == 0);
    return fd;
}

static inline int sealed(const void *bytes, size_t length)
{
    return sealed_by(F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW, bytes, length);
}

/* All of it, to be freed. */
static inline unsigned char *bytes_of(int fd, size_t *length)
{
    struct stat status;
    MUST(fstat(fd, &status) == 0);
    *length = (size_t)status.st_size;
    unsigned char *bytes = malloc(*length);
    MUST(bytes != NULL);
    MUST(pread(fd, bytes, *length, 0) == (ssize_t)*length);
    return bytes;
}

#endif
