/* SPDX-License-Identifier: MIT */
/* A sweep: a scene is played again and again, and in each round another allocation fails; first that one alone, then in
 * another sweep all from it on. It is over with the first round in which none has failed. Whatever fails, the scene ends,
 * every fiber of it too, and nothing is left: its runtime is freed, which asserts that, and what leaks is told by the checker
 * at the end of the test. EFF_ALLOCATION=N plays one round. */
#ifndef TESTS_LIB_MEMORY_H
#define TESTS_LIB_MEMORY_H

#include <stdlib.h>
#include <string.h>

#include <eff.h>

#include "alloc.h"
#include "leak.h"

enum { ALLOCATIONS_MOST = 2000 };

struct scene {
	eff_fn *fn;
	bool in_real_time;
};

static int memory_round; /* the allocation that fails in this round */
static bool memory_for_good;

/* Looked at while allocations fail, so it allocates nothing unless it does not hold. */
#define HOLDS(claim) \
	do { \
		if (!(claim)) { \
			(void)alloc_fail_after(0); \
			ck_abort_msg("allocation %d%s: %s", memory_round, \
				memory_for_good ? " and all after it" : "", #claim); \
		} \
	} while (0)

/* What a call may say that needs memory. */
__attribute__((unused)) static bool memory_said(int r)
{
	return r == 0 || r == -ENOMEM;
}

/* What an effect may: that it went well, or that it, or something in it, had no memory. */
__attribute__((unused)) static bool memory_ended(eff_exit exit)
{
	return eff_is_ok(exit) || (exit.tag == EFF_FAIL && exit.code == ENOMEM);
}

static void memory_unhandled(void *context, const char *name, eff_exit exit)
{
	(void)context;
	(void)name;
	(void)exit;
}

static void memory_never(void *context, const struct eff_fiber_info *info)
{
	(void)context;
	(void)info;
	HOLDS(!"some wait that nobody wakes, or outlive the shutdown");
}

static const struct eff_hooks memory_hooks = {
	.on_unhandled = memory_unhandled,
	.on_deadlock = memory_never,
	.on_late = memory_never,
};

/* A runtime and, unless in real time, its clock; NULL for want of memory. */
__attribute__((unused)) static struct eff_rt *memory_runtime(
	const struct scene *scene, struct eff_testclock **ret_clock)
{
	struct eff_rt_opts opts = {.seed = 1, .hooks = memory_hooks};
	struct eff_rt *rt = NULL;
	int r;

	*ret_clock = scene->in_real_time ? NULL : eff_testclock_new(0);
	if (!scene->in_real_time && !*ret_clock)
		return NULL;
	if (*ret_clock)
		eff_testclock_autojump(*ret_clock, true);
	opts.clock = *ret_clock;
	r = eff_rt_new(&opts, &rt);
	HOLDS(memory_said(r));
	return rt;
}

__attribute__((unused)) static void memory_play(const struct scene *scene)
{
	struct eff_testclock *clock;
	struct eff_rt *rt = memory_runtime(scene, &clock);
	eff_exit exit;
	int r;

	if (rt) {
		exit = eff_rt_run(rt, EFF(scene->fn, NULL));
		HOLDS(memory_ended(exit));
		eff_exit_drop(exit);
		r = eff_rt_shutdown(rt, EFF_M(1));
		HOLDS(r == 0);
		eff_rt_free(rt);
	}
	eff_testclock_free(clock);
}

/* Returns in how many rounds something failed. */
__attribute__((unused)) static int memory_sweep(
	void (*play)(const struct scene *scene), const struct scene *scene, bool for_good)
{
	const char *only = getenv("EFF_ALLOCATION");
	bool failed = true;

	memory_for_good = for_good;
	memory_round = only ? (int)strtol(only, NULL, 10) - 1 : 0;
	while (failed && memory_round < ALLOCATIONS_MOST) {
		memory_round++;
		(void)(for_good ? alloc_fail_from(memory_round) : alloc_fail_after(memory_round));
		play(scene);
		failed = alloc_fail_after(0) && !only;
	}
	ck_assert_int_lt(memory_round, ALLOCATIONS_MOST);
	return memory_round - 1;
}

/* Both sweeps, the first of which gets to `least` allocations at least. */
__attribute__((unused)) static void memory_sweeps(
	void (*play)(const struct scene *scene), const struct scene *scene, int least)
{
	int n = memory_sweep(play, scene, false);

	ck_assert_int_ge(n, least);
	ck_assert_int_gt(memory_sweep(play, scene, true), 0);
}

#endif
