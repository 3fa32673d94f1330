/* SPDX-License-Identifier: MIT */
/* A fiber runs beside the one that forked it, which awaits its end and gets its result. */
#include "example.h"

static eff_exit long_running_task(void *arg)
{
	(void)arg;
	for (int i = 1; i <= 5; i++) {
		int r = eff_sleep(EFF_MS(500));

		/* -ECANCELED: somebody wants us to end. To unwind is to return. */
		if (r < 0)
			return eff_exit_of(r);
		say("Working... %d/5", i);
	}
	return eff_ok((void *)"Task completed!");
}

static eff_exit fiber_basics(void *arg)
{
	struct eff_fiber *fiber;
	eff_exit result;
	int r;

	(void)arg;
	r = eff_fork(EFF(long_running_task, NULL), &fiber);
	if (r < 0)
		return eff_exit_of(r);
	say("Fiber started: %s", eff_fiber_name(fiber));

	/* Do other work while the fiber runs. Should we be interrupted here, join() says so at once. */
	if (eff_sleep(EFF_S(1)) == 0)
		say("Doing other work...");

	result = join(fiber);
	if (eff_is_ok(result))
		say("Result: %s", (const char *)result.value.pointer);
	return result;
}

int main(int argc, char **argv)
{
	struct eff_rt_opts opts = example_opts(argc, argv);

	return eff_main(EFF(fiber_basics, NULL), &opts);
}
