/* SPDX-License-Identifier: MIT */
/* A hundred thousand fibers at once (ten thousand where that is too many), in virtual time: forked, slept and awaited, cold and warm; interrupted one and all; left
 * to the scope that owns them. Counted exactly, and what they took the second time is what they took the first. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <eff.h>

#include "internal.h"
#include "leak.h"
#include "run.h"

Suite *test_suite(void);

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static struct eff_fiber **fibers;
static int many;
static int n_done, n_unwound;

/* Before Linux 6.13 a guard is a mapping of its own, of which a process has 65530. */
static bool guards_are_mappings(void)
{
#ifdef EFF_GUARD_MPROTECT
	return true;
#else
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *at = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool refused = madvise(at, page, MADV_GUARD_INSTALL) < 0;

	munmap(at, page);
	return refused;
#endif
}

static void setup(void)
{
	run_setup();
	/* Sanitized a fiber takes ten times the memory, and the leak checker looks for each stack in a list of all. */
	many = EFF__ASAN || EFF__TSAN || guards_are_mappings() ? 10000 : 100000;
	fibers = calloc((size_t)many, sizeof(struct eff_fiber *));
	ck_assert_ptr_nonnull(fibers);
	n_done = n_unwound = 0;
}

static void teardown(void)
{
	free(fibers);
	run_teardown();
}

/* A ck_assert() tells its place to another process each time it is passed. */
#define HOLDS(claim) \
	do { \
		if (!(claim)) \
			ck_abort_msg("%s", #claim); \
	} while (0)

static eff_exit sleeps(void *arg)
{
	int r = eff_sleep(*(eff_ns *)arg);

	n_done += r == 0;
	n_unwound += r == -ECANCELED;
	return eff_exit_of(r);
}

static void fork_all(eff_ns *duration)
{
	for (int i = 0; i < many; i++)
		HOLDS(eff_fork(EFF(sleeps, duration), &fibers[i]) == 0);
}

static void await_all(enum eff_tag tag)
{
	for (int i = 0; i < many; i++) {
		eff_exit exit;

		HOLDS(eff_await(fibers[i], &exit) == 0);
		HOLDS(exit.tag == tag && !exit.notes);
		eff_fiber_unref(fibers[i]);
	}
}

static eff_exit sleep_and_await(void *arg)
{
	eff_ns duration = EFF_MS(1);
	struct eff_rt_stats before, after;
	size_t mapped = 0;

	for (int round = 1; round <= 3; round++) {
		eff_rt_stats(run_rt, &before);
		fork_all(&duration);
		await_all(EFF_OK);
		eff_rt_stats(run_rt, &after);
		ck_assert_int_eq(n_done, round * many);
		ck_assert_int_eq(eff_now(), round * EFF_MS(1));
		ck_assert_uint_eq(after.forks - before.forks, (unsigned)many);
		ck_assert_uint_eq(after.fibers_live, 1);
		ck_assert_uint_eq(after.fibers_peak, (unsigned)many + 1);
		ck_assert_uint_eq(after.timers_armed, 0);
		/* Each begins, and wakes in its turn; who awaits them wakes for each. */
		ck_assert_uint_eq(after.switches - before.switches, 3 * (unsigned)many);
		ck_assert(!mapped || mapped == after.stack_bytes_mapped);
		mapped = after.stack_bytes_mapped;
	}
	return eff_ok(arg);
}

START_TEST(a_hundred_thousand_sleep_a_millisecond_and_are_awaited)
{
	run_ok(sleep_and_await, NULL);
}
END_TEST

static eff_exit interrupt_all(void *arg)
{
	eff_ns duration = EFF_FOREVER;
	struct eff_rt_stats stats;

	for (int round = 1; round <= 2; round++) {
		fork_all(&duration);
		HOLDS(eff_yield() == 0);
		ck_assert_int_eq(eff_interrupt_all(fibers, (size_t)many), 0);
		ck_assert_int_eq(n_unwound, round * many);
		await_all(EFF_INTERRUPT);
	}
	eff_rt_stats(run_rt, &stats);
	ck_assert_uint_eq(stats.fibers_live, 1);
	ck_assert_int_eq(eff_now(), 0);
	return eff_ok(arg);
}

START_TEST(a_hundred_thousand_are_interrupted_at_once)
{
	run_ok(interrupt_all, NULL);
}
END_TEST

static eff_exit interrupt_the_unborn(void *arg)
{
	eff_ns duration = EFF_FOREVER;

	fork_all(&duration);
	ck_assert_int_eq(eff_interrupt_all(fibers, (size_t)many), 0);
	await_all(EFF_INTERRUPT);
	ck_assert_int_eq(n_unwound, 0);
	return eff_ok(arg);
}

START_TEST(a_hundred_thousand_that_have_not_begun_never_do)
{
	run_ok(interrupt_the_unborn, NULL);
}
END_TEST

static eff_exit close_over_all(void *arg)
{
	eff_ns duration = EFF_MS(1);
	struct eff_scope scope;

	eff_scope_open(&scope);
	eff_scope_limit(&scope, EFF_MS(1) - 1);
	for (int i = 0; i < many; i++)
		HOLDS(eff_fork_in(&scope, EFF(sleeps, &duration), NULL) == 0);
	ck_assert_int_eq(eff_sleep(EFF_S(1)), -ETIMEDOUT);
	ck_assert_int_eq(eff_scope_close(&scope), -ETIMEDOUT);
	ck_assert_int_eq(n_unwound, many);
	ck_assert_int_eq(eff_now(), EFF_MS(1) - 1);
	return eff_ok(arg);
}

START_TEST(a_scope_that_owns_a_hundred_thousand_closes_over_them)
{
	run_ok(close_over_all, NULL);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("many");
	TCase *tcase = tcase_create("many");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_hundred_thousand_sleep_a_millisecond_and_are_awaited);
	tcase_add_test(tcase, a_hundred_thousand_are_interrupted_at_once);
	tcase_add_test(tcase, a_hundred_thousand_that_have_not_begun_never_do);
	tcase_add_test(tcase, a_scope_that_owns_a_hundred_thousand_closes_over_them);
	suite_add_tcase(suite, tcase);
	return suite;
}
