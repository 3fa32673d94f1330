/* SPDX-License-Identifier: MIT */
/* Fiber units' entries. A module is a shared object that effd loads into itself; it stays loaded, so that nothing that runs
 * in it can lose its code. A rebuilt file takes effect at effd's next start. */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/trust.h"
#include "control/web.h"
#include "effd/effd.h"

static char reason[512];

static int cannot(const char *what, const char *name, const char *why, const char **ret_reason)
{
	(void)snprintf(reason, sizeof(reason), "cannot %s %s: %s", what, name,
		why ? why : "no reason given");
	*ret_reason = reason;
	return -ENOEXEC;
}

/* Whoever can write it is root. */
static bool module_is_trusted(const char *path)
{
	struct stat st;

	if (geteuid() != 0 || *path != '/' || stat(path, &st) < 0)
		return true;
	return trust_stat(&st) && trust_above(path) == 0;
}

int module_entry(const struct plan_unit *spec, eff_fn **ret_entry, const char **ret_reason)
{
	void *module, *entry;

	if (spec->builtin) {
		*ret_entry = builtin_fiber(spec->builtin);
		if (!*ret_entry)
			*ret_entry = web_fiber(spec->builtin);
		if (*ret_entry)
			return 0;
		return cannot("find the built-in fiber", spec->builtin,
			"there is none of this name", ret_reason);
	}
	if (!module_is_trusted(spec->module))
		return cannot("load", spec->module,
			"it is to be root's, with all folders above it, and nobody else's to write",
			ret_reason);
	/* All symbols now: a missing one must not end effd in the middle of a run. */
	module = dlopen(spec->module, RTLD_NOW | RTLD_LOCAL);
	if (!module)
		return cannot("load", spec->module, dlerror(), ret_reason);
	(void)dlerror();
	entry = dlsym(module, spec->entry);
	if (!entry)
		return cannot("find the entry", spec->entry, dlerror(), ret_reason);
	*(void **)ret_entry = entry;
	return 0;
}
