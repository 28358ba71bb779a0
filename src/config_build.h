/*
 * config_build: statements to values.
 */
#ifndef CISTERN_CONFIG_BUILD_H
#define CISTERN_CONFIG_BUILD_H

#include "config.h"
#include "config_text.h"

/*
 * The configuration that the checked statements say. All that is wrong with it
 * is reported; what was reported is not a configuration, though it may be
 * returned, to be freed. NULL if memory is out, which is reported too.
 */
struct config *config_build(const struct config_text *text);

#endif
