/* parameter_access: between parameter.c and the types that say who may do what. */
#ifndef CISTERN_PARAMETER_ACCESS_H
#define CISTERN_PARAMETER_ACCESS_H

#include "parameter.h"

/* NULL if text is one of the row's type, and its value is set; else what is wrong with it. */
const char *access_parse(const struct parameter *row, const char *text, void *value);
const char *access_format(const struct parameter *row, const void *value, char *buffer,
                          size_t size);

#endif
