/* endpoint_parts: between endpoint.c and the files for its families. All return 0 or an errno. */
#ifndef CISTERN_ENDPOINT_PARTS_H
#define CISTERN_ENDPOINT_PARTS_H

#include <netinet/in.h>

#include "endpoint.h"
#include "fdstore.h"

/* Listens on a socket and takes it over, or closes it. */
int endpoint_add_socket(struct endpoint *endpoint, int fd, int backlog);

int endpoint_open_inet(struct endpoint *endpoint, const struct endpoint_options *options);
int endpoint_open_unix(struct endpoint *endpoint, const struct endpoint_options *options);
int endpoint_open_passed(struct endpoint *endpoint, const struct endpoint_options *options);

/* The port that was bound, in network order; 0 if it cannot be told. */
in_port_t endpoint_bound_port(int fd);

/* Gives the file of a unix socket its mode and owner. */
int endpoint_set_access(const struct endpoint *endpoint, const struct endpoint_access *access);
/* Removes the file of a unix socket, if it still is this one's. */
void endpoint_remove_file(const struct endpoint *endpoint);
/* What a unix socket is stored as: by its file, so that it is known whether that is still there. */
void endpoint_name_file(dev_t device, ino_t inode, char name[FDSTORE_NAME_SIZE]);

#endif
