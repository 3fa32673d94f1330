/* SPDX-License-Identifier: MIT */
/* All that is used of it is looked up at once: it is there as a whole, or not at all. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/filter.h"
#include "base/seccomp.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct seccomp found;
static bool is_whole;

/* An object's address is a function's here, as dlsym(3) has it. */
static bool look_up(void *handle, const char *name, void *to)
{
	void *address = dlsym(handle, name);

	memcpy(to, &address, sizeof(address));
	return address;
}

static void load(void)
{
	void *handle = dlopen(FILTER_LIBRARY, RTLD_NOW | RTLD_LOCAL);

	is_whole = handle && look_up(handle, "seccomp_init", &found.init) &&
		look_up(handle, "seccomp_release", &found.release) &&
		look_up(handle, "seccomp_attr_set", &found.attr_set) &&
		look_up(handle, "seccomp_rule_add", &found.rule_add) &&
		look_up(handle, "seccomp_export_bpf", &found.export_bpf) &&
		look_up(handle, "seccomp_syscall_resolve_name", &found.resolve_name) &&
		look_up(handle, "seccomp_syscall_resolve_num_arch", &found.resolve_num_arch);
}

const struct seccomp *seccomp_get(void)
{
	(void)pthread_once(&once, load);
	return is_whole ? &found : NULL;
}
