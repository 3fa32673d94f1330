/* SPDX-License-Identifier: MIT */
/* Libraries that are loaded when they are needed: only what reads a tree, or what becomes one, calls them, and with each
 * `effctl status` they were a tenth of its time. Each of their functions that effctl links is one of its own here, of the same
 * declaration, and finds the real one when it is first called. effd is linked with both libraries and comes with effctl: they
 * are there. (Tests are linked with them as effd is, and without this file.) */
#include <assert.h>
#include <dlfcn.h>
#include <seccomp.h>
#include <stdio.h>
#include <unistd.h>

#include <yaml.h>

#include "effctl/command.h"

#define YAML "libyaml-0.so.2"
#define SECCOMP "libseccomp.so.2"

static void *find(const char *library, const char *name)
{
	void *handle = dlopen(library, RTLD_NOW);
	void *found = handle ? dlsym(handle, name) : NULL;

	if (found)
		return found;
	(void)fprintf(stderr, "effctl: cannot load what it needs for this: %s\n", dlerror());
	_exit(CODE_FAILED);
}

#define LATE(library, type, name, parameters, ...) \
	type name parameters \
	{ \
		static typeof(name) *real; \
\
		if (!real) \
			real = (typeof(name) *)find(library, #name); \
		return real(__VA_ARGS__); \
	}

LATE(YAML, int, yaml_parser_initialize, (yaml_parser_t * parser), parser)
LATE(YAML, void, yaml_parser_delete, (yaml_parser_t * parser), parser)
LATE(YAML, void, yaml_parser_set_encoding, (yaml_parser_t * parser, yaml_encoding_t encoding),
	parser, encoding)
LATE(YAML, void, yaml_parser_set_input_string,
	(yaml_parser_t * parser, const unsigned char *input, size_t size), parser, input, size)
LATE(YAML, int, yaml_parser_parse, (yaml_parser_t * parser, yaml_event_t *event), parser, event)
LATE(YAML, void, yaml_event_delete, (yaml_event_t * event), event)
LATE(SECCOMP, scmp_filter_ctx, seccomp_init, (uint32_t action), action)
LATE(SECCOMP, void, seccomp_release, (scmp_filter_ctx ctx), ctx)
LATE(SECCOMP, int, seccomp_attr_set,
	(scmp_filter_ctx ctx, enum scmp_filter_attr attr, uint32_t value), ctx, attr, value)
LATE(SECCOMP, int, seccomp_export_bpf, (const scmp_filter_ctx ctx, int fd), ctx, fd)
LATE(SECCOMP, int, seccomp_syscall_resolve_name, (const char *name), name)
LATE(SECCOMP, char *, seccomp_syscall_resolve_num_arch, (uint32_t arch, int number), arch, number)
/* Of the arguments of a call no rule of ours says anything. */
LATE(SECCOMP, int, seccomp_rule_add,
	(scmp_filter_ctx ctx, uint32_t action, int syscall, unsigned int arg_cnt, ...), ctx,
	action, syscall, (assert(arg_cnt == 0), 0u))
