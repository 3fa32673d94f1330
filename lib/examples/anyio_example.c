/* SPDX-License-Identifier: MIT */
/* The optional second loop: the same fibers on libuv, where the library was built with it. */
#include <stdio.h>
#include <string.h>

#include <eff.h>

static eff_exit compatible_task(void *arg)
{
	int r = eff_sleep(EFF_MS(100)); /* is the same on both loops */

	(void)arg;
	return r < 0 ? eff_exit_of(r) : eff_ok((void *)"Task completed with libuv!");
}

static eff_exit example(void *arg)
{
	struct eff_fiber *fiber;
	eff_exit exit;
	char text[128];
	int r = eff_fork(EFF(compatible_task, NULL), &fiber);

	if (r < 0)
		return eff_exit_of(r);
	r = eff_await(fiber, &exit);
	eff_fiber_unref(fiber);
	if (r < 0)
		return eff_exit_of(r);
	if (eff_is_ok(exit))
		printf("Second loop result: %s\n", (const char *)exit.value.pointer);
	else
		printf("Second loop example failed: %s\n", eff_exit_text(exit, text, sizeof(text)));
	eff_exit_drop(exit);
	(void)arg;
	return eff_ok(NULL);
}

int main(void)
{
	struct eff_rt_opts opts = {.backend = eff_backend_uv()};

	if (!opts.backend) {
		puts("Second loop not available (build with libuv)");
		return 0;
	}
	return eff_main(EFF(example, NULL), &opts);
}
