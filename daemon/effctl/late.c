/* SPDX-License-Identifier: MIT */
/* libyaml, loaded when it is needed: only what reads a tree, or what becomes one, calls it. Each of its functions that effctl
 * links is one of its own here, of the same declaration, and finds the real one when it is first called. effd is linked with the
 * library and comes with effctl: it is there. (Tests are linked with it as effd is, and without this file.) */
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#include <yaml.h>

#include "effctl/command.h"

#define YAML "libyaml-0.so.2"

static void *find(const char *name)
{
	void *handle = dlopen(YAML, RTLD_NOW);
	void *found = handle ? dlsym(handle, name) : NULL;

	if (found)
		return found;
	(void)fprintf(stderr, "effctl: cannot load what it needs for this: %s\n", dlerror());
	_exit(CODE_FAILED);
}

#define LATE(type, name, parameters, ...) \
	type name parameters \
	{ \
		static typeof(name) *real; \
\
		if (!real) \
			real = (typeof(name) *)find(#name); \
		return real(__VA_ARGS__); \
	}

LATE(int, yaml_parser_initialize, (yaml_parser_t * parser), parser)
LATE(void, yaml_parser_delete, (yaml_parser_t * parser), parser)
LATE(void, yaml_parser_set_encoding, (yaml_parser_t * parser, yaml_encoding_t encoding), parser,
	encoding)
LATE(void, yaml_parser_set_input_string,
	(yaml_parser_t * parser, const unsigned char *input, size_t size), parser, input, size)
LATE(int, yaml_parser_parse, (yaml_parser_t * parser, yaml_event_t *event), parser, event)
LATE(void, yaml_event_delete, (yaml_event_t * event), event)
