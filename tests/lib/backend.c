/* SPDX-License-Identifier: MIT */
/* The loop that the library's tests run on: EFF_BACKEND=uv in the environment is libuv, nothing is libev. The linker leads
 * every call of eff_rt_new(), the library's own too, through here (--wrap), so that the tests need not know and the library
 * has no such switch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop.h"

int __real_eff_rt_new(const struct eff_rt_opts *opts, struct eff_rt **ret_rt);
int __wrap_eff_rt_new(const struct eff_rt_opts *opts, struct eff_rt **ret_rt);

static const struct eff_backend *chosen;

/* Before main(): what libuv keeps for the process is there before a test counts its descriptors. */
__attribute__((constructor)) static void choose(void)
{
	struct eff__backend_state *state;
	const char *name = getenv("EFF_BACKEND");

	if (!name || !strcmp(name, "ev"))
		return;
	chosen = strcmp(name, "uv") ? NULL : eff_backend_uv();
	if (!chosen) {
		(void)printf("there is no loop %s in this build\n", name);
		exit(77);
	}
	if (chosen->open(NULL, &state) < 0)
		exit(1);
	chosen->close(state);
}

int __wrap_eff_rt_new(const struct eff_rt_opts *opts, struct eff_rt **ret_rt)
{
	struct eff_rt_opts mine = opts ? *opts : (struct eff_rt_opts){0};

	if (!mine.backend)
		mine.backend = chosen;
	return __real_eff_rt_new(&mine, ret_rt);
}
