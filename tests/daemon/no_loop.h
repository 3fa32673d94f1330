/* SPDX-License-Identifier: MIT */
/* A runtime that gets no loop, for want of descriptors: what needs one is refused, and has not begun. */
#ifndef TESTS_DAEMON_NO_LOOP_H
#define TESTS_DAEMON_NO_LOOP_H

#include <sys/resource.h>

#include <check.h>

#include <eff/clock.h>
#include <eff/runtime.h>

static inline void without_loop(eff_exit (*root)(void *arg), void *arg)
{
	struct rlimit before, none;
	struct eff_testclock *clock = eff_testclock_new(EFF_S(1));
	const struct eff_rt_opts opts = {.clock = clock, .stack_bytes = (size_t)256 * 1024};
	struct eff_rt *rt;

	ck_assert_int_eq(eff_rt_new(&opts, &rt), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_max = before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert(eff_is_ok(eff_rt_run(rt, EFF(root, arg))));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	eff_rt_free(rt);
	eff_testclock_free(clock);
}

#endif
