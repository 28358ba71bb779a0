/*
 * config_section: the statements of one section to the values of its rows.
 */
#ifndef CISTERN_CONFIG_SECTION_H
#define CISTERN_CONFIG_SECTION_H

#include "config.h"
#include "config_places.h"
#include "config_text.h"

/* What is shared by all sections of a file while its configuration is built. */
struct builder {
    const struct config_text *text;
    struct config *config;
    struct config_places places;
    bool no_memory; /* give up; to be reported at the end */
};

/* For the caller to return. */
bool builder_out_of_memory(struct builder *builder);

/*
 * Gives the section a block of that size with every row's default, and then what the statements
 * say. False, and reported, if not all of them can be used.
 */
bool config_section_build(struct builder *builder, uint32_t statement, const struct parameter *rows,
                          size_t size, struct config_section *section);

/* Reports an error at a parameter, or a sub-section, of a section that could be built. */
void config_section_error(const struct builder *builder, uint32_t statement,
                          const struct config_section *section, const struct parameter_fault *fault,
                          const char *why);

#endif
