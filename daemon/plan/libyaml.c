/* SPDX-License-Identifier: MIT */
/* All that is used of it is looked up at once: it is there as a whole, or not at all. */
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "plan/libyaml.h"

#define FUNCTION(name) \
	{ \
		"yaml_" #name, offsetof(struct libyaml, name) \
	}

static const struct {
	const char *name;
	size_t at;
} functions[] = {FUNCTION(parser_initialize), FUNCTION(parser_delete),
	FUNCTION(parser_set_encoding), FUNCTION(parser_set_input_string),
	FUNCTION(parser_parse), FUNCTION(event_delete)};

const char *libyaml_open(struct libyaml *yaml)
{
	const char *why = NULL;
	size_t i;

	yaml->handle = dlopen(YAML_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!yaml->handle)
		return dlerror();
	for (i = 0; i < sizeof(functions) / sizeof(functions[0]) && !why; i++) {
		/* An object's address is a function's here, as dlsym(3) has it. */
		void *address = dlsym(yaml->handle, functions[i].name);

		if (!address)
			why = dlerror();
		memcpy((char *)yaml + functions[i].at, &address, sizeof(address));
	}
	if (why)
		libyaml_close(yaml);
	return why;
}

void libyaml_close(struct libyaml *yaml)
{
	if (yaml && yaml->handle)
		(void)dlclose(yaml->handle);
}
