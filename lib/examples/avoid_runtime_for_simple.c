/* SPDX-License-Identifier: MIT */
/* A runtime and a fiber for what needs neither give the same as the call alone, at more cost. */
#include "example.h"

static eff_exit succeed(void *arg)
{
	return eff_ok_number(NUMBER_OF(arg));
}

/* Avoid: a fiber only to await it. */
static eff_exit in_a_fiber(void *arg)
{
	struct eff_fiber *fiber;
	int r = eff_fork(EFF(succeed, arg), &fiber);

	return r < 0 ? eff_exit_of(r) : join(fiber);
}

int main(int argc, char **argv)
{
	struct eff_rt_opts opts = example_opts(argc, argv);
	struct eff_rt *rt;
	eff_exit exit;

	if (eff_rt_new(&opts, &rt) < 0)
		return 1;
	exit = eff_rt_run(rt, EFF(in_a_fiber, NUMBER(42)));
	say("With a runtime and a fiber: %d", (int)exit.value.number);
	eff_rt_free(rt);

	/* Better: just call it. */
	exit = eff_call(EFF(succeed, NUMBER(42)));
	say("Directly: %d", (int)exit.value.number);
	return 0;
}
