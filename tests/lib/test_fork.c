/* SPDX-License-Identifier: MIT */
/* Forking, awaiting, owning, and looking at fibers; and what happens without memory. */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <eff/event.h>
#include <eff/scope.h>

#include "internal.h"
#include "leak.h"
#include "run.h"

Suite *test_suite(void);
static eff_exit say_it(void *arg)
{
	say("%s", (const char *)arg);
	return eff_ok(arg);
}

static eff_exit sleep_for(void *arg)
{
	return eff_exit_of(eff_sleep(*(int64_t *)arg));
}

#define SLEEP(ns) sleep_for, NUMBER(ns)

static eff_exit fail_with_text(void *arg)
{
	return eff_failf(7, "%s", (const char *)arg);
}

/* ── await ── */

static eff_exit await_and_say(void *arg)
{
	eff_exit exit;

	ck_assert_int_eq(eff_await(arg, &exit), 0);
	say("%s", eff_exit_words(exit));
	eff_exit_drop(exit);
	return eff_ok(NULL);
}

static eff_exit many_await_one(void *arg)
{
	struct eff_fiber *one = forked(fail_with_text, TEXT("why"));
	eff_exit exit;

	(void)arg;
	ck_assert_int_eq(eff_fork(EFF(await_and_say, one), NULL), 0);
	ck_assert_int_eq(eff_fork(EFF(await_and_say, one), NULL), 0);
	ck_assert_int_eq(eff_await(one, NULL), 0);
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	/* Awaiting one that has ended is fine, again and again. */
	ck_assert_int_eq(eff_await(one, &exit), 0);
	say("again %s", eff_exit_words(exit));
	eff_exit_drop(exit);
	eff_fiber_unref(one);
	return eff_ok(NULL);
}

START_TEST(any_number_may_await_a_fiber)
{
	run_ok(many_await_one, NULL);
	ck_assert_str_eq(run_trace, "why@0 why@0 again why@1 ");
}
END_TEST

static eff_exit await_itself(void *arg)
{
	(void)arg;
	ck_assert_int_eq(eff_await(eff_self(), NULL), -EDEADLK);
	ck_assert_int_eq(eff_interrupt(eff_self(), NULL), -EDEADLK);
	return eff_ok(NULL);
}

START_TEST(a_fiber_that_awaits_itself_is_told)
{
	run_ok(await_itself, NULL);
}
END_TEST

static eff_exit unwind_slowly(void *arg)
{
	int r = eff_sleep(EFF_H(1));
	eff_masked masked = eff_mask();

	say("told");
	(void)eff_sleep(*(int64_t *)arg);
	eff_unmask(masked);
	return eff_exit_of(r);
}

static eff_exit interrupt_many(void *arg)
{
	struct eff_fiber *fibers[] = {forked(unwind_slowly, NUMBER(EFF_S(3))), NULL,
		forked(unwind_slowly, NUMBER(EFF_S(2))), forked(SLEEP(0))};
	struct eff_scope within;

	ck_assert_int_eq(eff_interrupt_all(NULL, 0), 0);
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	if (arg) {
		eff_scope_open(&within);
		eff_scope_limit(&within, EFF_S(2));
		ck_assert_int_eq(eff_interrupt_all(fibers, 4), -ETIMEDOUT);
		say("limit");
		(void)eff_scope_close(&within);
	}
	ck_assert_int_eq(eff_interrupt_all(fibers, 4), 0);
	say("all");
	ck_assert_str_eq(end_of(fibers[0]), "interrupt");
	ck_assert_str_eq(end_of(fibers[2]), "interrupt");
	ck_assert_str_eq(end_of(fibers[3]), "ok");
	fibers[0] = eff_self();
	ck_assert_int_eq(eff_interrupt_all(fibers, 1), -EDEADLK);
	ck_assert_int_eq(eff_check(), -ECANCELED);
	return eff_ok(NULL);
}

START_TEST(many_are_all_asked_to_end_before_any_is_awaited)
{
	run_ok(interrupt_many, NULL);
	ck_assert_str_eq(run_trace, "told@1 told@1 all@4 ");
}
END_TEST

START_TEST(many_have_been_asked_though_waiting_for_them_was_cut_short)
{
	run_ok(interrupt_many, TEXT("within a limit"));
	ck_assert_str_eq(run_trace, "told@1 told@1 limit@2 all@4 ");
}
END_TEST

static eff_exit await_within(void *arg)
{
	struct eff_fiber *child = forked(SLEEP(EFF_S(5)));
	struct eff_scope within;

	(void)arg;
	eff_scope_open(&within);
	eff_scope_limit(&within, EFF_S(1));
	ck_assert_int_eq(eff_await(child, NULL), -ETIMEDOUT);
	say("tired");
	ck_assert_int_eq(eff_scope_close(&within), -ETIMEDOUT);
	ck_assert_str_eq(end_of(child), "ok");
	say("ended");
	return eff_ok(NULL);
}

START_TEST(an_await_that_is_cut_short_does_not_kill)
{
	run_ok(await_within, NULL);
	ck_assert_str_eq(run_trace, "tired@1 ended@5 ");
}
END_TEST

/* ── ownership ── */

static eff_exit hold_on(void *arg)
{
	int r = eff_sleep(EFF_H(1));
	eff_masked masked = eff_mask();

	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	eff_unmask(masked);
	say("%s", (const char *)arg);
	return eff_exit_of(r);
}

static eff_exit leave_children(void *arg)
{
	(void)arg;
	eff_fiber_unref(forked(hold_on, TEXT("one")));
	ck_assert_int_eq(eff_fork(EFF(hold_on, TEXT("two")), NULL), 0);
	ck_assert_int_eq(eff_yield(), 0);
	return eff_ok_number(4);
}

static eff_exit await_the_parent(void *arg)
{
	struct eff_fiber *parent = forked(leave_children, NULL);
	eff_exit exit;

	(void)arg;
	ck_assert(!eff_poll(parent, &exit));
	ck_assert_int_eq(eff_await(parent, &exit), 0);
	ck_assert(eff_poll(parent, &exit));
	ck_assert_int_eq(exit.value.number, 4);
	say("parent");
	eff_fiber_unref(parent);
	return eff_ok(NULL);
}

START_TEST(what_a_fiber_owns_is_interrupted_and_awaited_before_its_exit_is_seen)
{
	run_ok(await_the_parent, NULL);
	ck_assert_str_eq(run_trace, "one@1 two@1 parent@1 ");
}
END_TEST

static eff_exit daemon_body(void *arg)
{
	say("daemon");
	return sleep_for(arg);
}

static eff_exit fork_a_daemon(void *arg)
{
	/* Whoever forked it will have gone. */
	static int64_t nine = EFF_S(9);

	ck_assert_int_eq(eff_fork_daemon(EFF_NAMED("d", daemon_body, &nine), arg), 0);
	return eff_ok(NULL);
}

static eff_exit outlive(void *arg)
{
	struct eff_fiber *daemon;
	struct eff_fiber *child = forked(fork_a_daemon, &daemon);

	(void)arg;
	ck_assert_str_eq(end_of(child), "ok");
	ck_assert(!eff_poll(daemon, NULL));
	ck_assert_str_eq(end_of(daemon), "ok");
	say("ended");
	return eff_ok(NULL);
}

START_TEST(a_daemon_outlives_who_forked_it)
{
	run_ok(outlive, NULL);
	ck_assert_str_eq(run_trace, "daemon@0 ended@9 ");
}
END_TEST

/* ── what nobody saw ── */

static void on_unhandled(void *context, const char *name, eff_exit exit)
{
	ck_assert_str_eq(context, "context");
	say("%s: %s", name, eff_exit_words(exit));
}

static eff_exit fail_unseen(void *arg)
{
	struct eff_fiber *child;
	eff_exit exit;

	(void)arg;
	ck_assert_int_eq(eff_fork(EFF_NAMED("unseen", fail_with_text, TEXT("one")), NULL), 0);
	child = forked(fail_with_text, TEXT("two"));
	ck_assert_int_eq(eff_await(child, NULL), 0);
	eff_fiber_unref(child);
	ck_assert_int_eq(eff_fork(EFF_NAMED("held", fail_with_text, TEXT("three")), &child), 0);
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	ck_assert(eff_poll(child, &exit));
	eff_fiber_unref(child);
	return eff_ok(NULL);
}

START_TEST(a_failure_that_nobody_awaited_is_told_when_the_last_reference_goes)
{
	run_rt->hooks.on_unhandled = on_unhandled;
	run_rt->hooks.context = TEXT("context");
	run_ok(fail_unseen, NULL);
	ck_assert_str_eq(run_trace, "unseen: one@0 held: three@1 ");
}
END_TEST

/* ── info ── */

static eff_exit look(void *arg)
{
	int64_t second = EFF_S(1);
	eff nap = {.fn = sleep_for, .arg = &second, .name = "nap", .stack_bytes = 16384};
	struct eff_fiber_info info;
	struct eff_fiber *child;

	(void)arg;
	ck_assert_int_eq(eff_sleep(EFF_S(3)), 0);
	ck_assert_int_eq(eff_fork(nap, &child), 0);
	eff_fiber_info(child, &info);
	ck_assert_str_eq(info.state, "new");
	ck_assert_str_eq(info.name, "nap");
	ck_assert_uint_eq(info.parent_id, eff_fiber_id(eff_self()));
	ck_assert_uint_eq(info.id, eff_fiber_id(child));
	ck_assert_uint_gt(info.id, info.parent_id);
	ck_assert_uint_eq(info.stack_bytes, 16384);
	ck_assert_int_eq(info.born_at, EFF_S(3));
	ck_assert_ptr_null(info.waits_for);
	(void)eff_yield();
	eff_fiber_info(child, &info);
	ck_assert_str_eq(info.state, "waiting");
	ck_assert_str_eq(info.waits_for, "sleep");
	eff_interrupt_async(child);
	eff_fiber_info(child, &info);
	ck_assert_str_eq(info.state, "ready");
	eff_fiber_info(eff_self(), &info);
	ck_assert_str_eq(info.state, "running");
	ck_assert_str_eq(info.name, "root");
	ck_assert_uint_eq(info.parent_id, 0);
	ck_assert_int_eq(eff_await(child, NULL), 0);
	eff_fiber_info(child, &info);
	ck_assert_str_eq(info.state, "ended");
	ck_assert_str_eq(eff_fiber_name(child), "nap");
	eff_fiber_unref(child);
	return eff_ok(NULL);
}

START_TEST(a_fiber_can_be_looked_at_in_every_state)
{
	run_ok(look, NULL);
	ck_assert_ptr_null(eff_self());
}
END_TEST

/* ── steady state ── */

static eff_exit fork_many(void *arg)
{
	struct eff_rt_stats before;
	struct eff_rt_stats after;

	(void)arg;
	for (int i = 0; i < 100; i++)
		ck_assert_str_eq(end_of(forked(SLEEP(0))), "ok");
	eff_rt_stats(run_rt, &before);
	for (int i = 0; i < 10000; i++)
		ck_assert_str_eq(end_of(forked(SLEEP(0))), "ok");
	eff_rt_stats(run_rt, &after);
	ck_assert_uint_eq(after.stack_bytes_mapped, before.stack_bytes_mapped);
	ck_assert_uint_eq(after.forks - before.forks, 10000);
	ck_assert_uint_eq(after.fibers_live, 1);
	ck_assert_uint_eq(after.fibers_peak, 2);
	ck_assert_uint_eq(run_rt->n_blocks, 2);
	ck_assert(eff_list_empty(&eff_scope_current()->fibers));
	return eff_ok(NULL);
}

START_TEST(ended_fibers_leave_no_trace)
{
	run_ok(fork_many, NULL);
}
END_TEST

static eff_exit fork_too_large(void *arg)
{
	struct eff_fiber *child = NULL;
	struct eff_rt_stats stats;

	ck_assert_int_eq(
		eff_fork((eff){.fn = say_it, .arg = arg, .stack_bytes = (size_t)1 << 50}, &child),
		-ENOMEM);
	ck_assert_ptr_null(child);
	(void)eff_yield();
	eff_rt_stats(run_rt, &stats);
	ck_assert_uint_eq(stats.fibers_live, 1);
	return eff_ok(NULL);
}

START_TEST(a_fork_without_memory_fails_and_leaves_nothing)
{
	run_ok(fork_too_large, TEXT("never"));
	ck_assert_str_eq(run_trace, "");
}
END_TEST

static int n_counted;

static eff_exit count(void *arg)
{
	n_counted++;
	return eff_ok(arg);
}

static int fork_until_full(size_t stack_bytes)
{
	eff e = {.fn = count, .stack_bytes = stack_bytes};
	int n = 0;
	int r;

	while ((r = eff_fork(e, NULL)) == 0)
		n++;
	if (r == -ENOMEM && eff_fork(e, NULL) == -ENOMEM)
		return n;
	return -1;
}

static eff_exit run_out_of_memory(void *arg)
{
	size_t size = *(size_t *)arg;
	struct rlimit limit = {0, RLIM_INFINITY};
	int n = 0;
	int again = 0;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(eff_fork((eff){.fn = count, .stack_bytes = size}, NULL), 0);
	ck_assert_int_eq(eff_yield(), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
	n_counted = 0;
	n = fork_until_full(size);
	(void)eff_yield();
	/* All that were forked have run, and what they used is there for as many more. */
	if (n_counted == n)
		again = fork_until_full(size);
	limit.rlim_cur = RLIM_INFINITY;
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
	ck_assert_int_ge(n, 3);
	ck_assert_int_eq(again, n);
	ck_assert_int_eq(eff_yield(), 0);
	ck_assert_int_eq(n_counted, n + again);
	ck_assert_int_eq(eff_fork(EFF(count, NULL), NULL), 0);
	return eff_ok(NULL);
}

START_TEST(when_memory_ends_forks_fail_fibers_do_not_and_forking_again_needs_none)
{
	size_t sizes[] = {4096, 65536, (size_t)16 << 20};

	/* Checkers need address space of their own. */
	if (!EFF__ASAN && !EFF__TSAN && !EFF__ON_VALGRIND)
		run_ok(run_out_of_memory, &sizes[_i]);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("fork");
	TCase *tcase = tcase_create("fork");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, any_number_may_await_a_fiber);
	tcase_add_test(tcase, a_fiber_that_awaits_itself_is_told);
	tcase_add_test(tcase, many_are_all_asked_to_end_before_any_is_awaited);
	tcase_add_test(tcase, many_have_been_asked_though_waiting_for_them_was_cut_short);
	tcase_add_test(tcase, an_await_that_is_cut_short_does_not_kill);
	tcase_add_test(tcase, what_a_fiber_owns_is_interrupted_and_awaited_before_its_exit_is_seen);
	tcase_add_test(tcase, a_daemon_outlives_who_forked_it);
	tcase_add_test(tcase, a_failure_that_nobody_awaited_is_told_when_the_last_reference_goes);
	tcase_add_test(tcase, a_fiber_can_be_looked_at_in_every_state);
	tcase_add_test(tcase, ended_fibers_leave_no_trace);
	tcase_add_test(tcase, a_fork_without_memory_fails_and_leaves_nothing);
	tcase_add_loop_test(tcase,
		when_memory_ends_forks_fail_fibers_do_not_and_forking_again_needs_none, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite;
}
