/* SPDX-License-Identifier: MIT */
/* Many effects side by side: all of them. */
#include <errno.h>
#include <stdlib.h>

#include <eff/effect.h>
#include <eff/scope.h>

#include "alloc.h"
#include "internal.h"
#include "leak.h"
#include "run.h"

Suite *test_suite(void);

/* Takes the exit. */
static void ck_text(eff_exit e, const char *want)
{
	char buf[256];

	ck_assert_str_eq(eff_exit_text(e, buf, sizeof(buf)), want);
	eff_exit_drop(e);
}

/* Takes n seconds, then ends so; unwinding takes `last_s` seconds and ends so. */
struct job {
	const char *name;
	int seconds, fails, last_s, fails_last;
};

#define JOB(n, s, ...) \
	{ \
		.name = (n), .seconds = (s), __VA_ARGS__ \
	}

static int n_live;
static int n_live_most;

static eff_exit work(void *arg)
{
	const struct job *job = arg;
	eff_masked masked;
	int r;

	if (++n_live > n_live_most)
		n_live_most = n_live;
	r = eff_sleep(EFF_S(job->seconds));
	masked = eff_mask();
	if (r < 0 && job->last_s)
		(void)eff_sleep(EFF_S(job->last_s));
	eff_unmask(masked);
	say("%s%s", job->name, r < 0 ? " cut" : "");
	n_live--;
	if (r < 0)
		return job->fails_last ? eff_failf(job->fails_last, "%s late", job->name)
				       : eff_exit_of(r);
	return job->fails ? eff_failf(job->fails, "%s", job->name) : eff_ok((void *)job);
}

enum { MOST = 8 };

static eff effects[MOST];
static eff_exit outs[MOST];

static size_t jobs_of(const struct job *jobs)
{
	size_t n = 0;

	for (; jobs[n].name; n++)
		effects[n] = EFF_NAMED(jobs[n].name, work, (void *)&jobs[n]);
	return n;
}

/* The exits in their order, dropped. */
static void ck_outs(size_t n, const char *want)
{
	char text[512] = "";
	char one[64];

	for (size_t i = 0; i < n; i++) {
		strcat(text, i ? ", " : "");
		strcat(text, eff_exit_text(outs[i], one, sizeof(one)));
		eff_exit_drop(outs[i]);
	}
	ck_assert_str_eq(text, want);
}

static void on_unhandled(void *context, const char *name, eff_exit exit)
{
	(void)context;
	say("%s: %s", name, eff_exit_words(exit));
}

static void all_setup(void)
{
	run_setup();
	run_rt->hooks.on_unhandled = on_unhandled;
}

static eff_exit all_well(void *arg)
{
	static const struct job jobs[] = {JOB("a", 3), JOB("b", 1), JOB("c", 2), {.name = NULL}};
	size_t n = jobs_of(jobs);

	(void)arg;
	ck_text(eff_all(effects, n, 0, outs, 0), "ok");
	for (size_t i = 0; i < n; i++)
		ck_assert_ptr_eq(outs[i].value.pointer, &jobs[i]);
	ck_text(eff_all(effects, n, 0, NULL, EFF_COLLECT), "ok");
	return eff_ok(NULL);
}

START_TEST(all_run_side_by_side_and_their_exits_are_in_their_order)
{
	run_ok(all_well, NULL);
	ck_assert_str_eq(run_trace, "b@1 c@2 a@3 b@4 c@5 a@6 ");
}
END_TEST

static eff_exit few_at_a_time(void *arg)
{
	static const struct job jobs[] = {JOB("a", 3), JOB("b", 1), JOB("c", 1), JOB("d", 2),
		JOB("e", 1), {.name = NULL}};
	size_t n = jobs_of(jobs);
	struct eff_rt_stats stats;

	(void)arg;
	ck_text(eff_all(effects, n, 2, NULL, 0), "ok");
	ck_assert_int_eq(n_live_most, 2);
	say("two");
	ck_text(eff_all(effects, n, 1, NULL, 0), "ok");
	say("one");
	eff_rt_stats(run_rt, &stats);
	/* The root and two. */
	ck_assert_uint_eq(stats.fibers_peak, 3);
	return eff_ok(NULL);
}

START_TEST(so_many_at_a_time_as_was_said)
{
	run_ok(few_at_a_time, NULL);
	ck_assert_str_eq(run_trace, "b@1 c@2 a@3 d@4 e@4 two@4 a@7 b@8 c@9 d@11 e@12 one@12 ");
}
END_TEST

static eff_exit fail_fast(void *arg)
{
	static const struct job jobs[] = {JOB("a", 1), JOB("b", 9, .last_s = 2),
		JOB("c", 2, .fails = 3), JOB("d", 9, .last_s = 1, .fails_last = 5), JOB("e", 9),
		{.name = NULL}};
	size_t n = jobs_of(jobs);

	(void)arg;
	ck_text(eff_all(effects, n, 4, outs, 0), "fail 3: c; and fail 5: d late");
	ck_outs(n, "ok, interrupt, fail 3: c, fail 5: d late, interrupt");
	say("all");
	return eff_ok(NULL);
}

START_TEST(the_first_failure_ends_all_and_what_it_ended_is_awaited)
{
	run_ok(fail_fast, NULL);
	/* "e" had begun when "a" had ended. */
	ck_assert_str_eq(run_trace, "a@1 c@2 e cut@2 d cut@3 b cut@4 all@4 ");
}
END_TEST

static eff_exit fail_at_once(void *arg)
{
	static const struct job jobs[] = {
		JOB("a", 0, .fails = 3), JOB("b", 1), JOB("c", 1), {.name = NULL}};
	size_t n = jobs_of(jobs);

	(void)arg;
	ck_text(eff_all(effects, n, 2, outs, 0), "fail 3: a");
	ck_outs(n, "fail 3: a, interrupt, interrupt");
	return eff_ok(NULL);
}

START_TEST(what_had_not_begun_when_one_failed_never_begins)
{
	run_ok(fail_at_once, NULL);
	/* "a" yields once; "b" has begun by then, "c" has not. */
	ck_assert_str_eq(run_trace, "a@0 b cut@0 ");
}
END_TEST

static eff_exit collect(void *arg)
{
	static const struct job jobs[] = {JOB("a", 3, .fails = 3), JOB("b", 1),
		JOB("c", 2, .fails = 2), JOB("d", 4), {.name = NULL}};
	size_t n = jobs_of(jobs);

	(void)arg;
	ck_text(eff_all(effects, n, 0, outs, EFF_COLLECT), "fail 2: c; and fail 3: a");
	ck_outs(n, "fail 3: a, ok, fail 2: c, ok");
	return eff_ok(NULL);
}

START_TEST(collecting_runs_all_to_their_ends)
{
	run_ok(collect, NULL);
	ck_assert_str_eq(run_trace, "b@1 c@2 a@3 d@4 ");
}
END_TEST

static eff_exit none(void *arg)
{
	uint64_t before = run_rt->next_id;
	struct eff_scope scope;
	size_t winner = 42;

	(void)arg;
	eff_scope_open(&scope);
	eff_scope_cancel(&scope);
	ck_text(eff_all(NULL, 0, 0, NULL, 0), "ok");
	ck_text(eff_race(NULL, 0, &winner), "fail 22: a race of none");
	ck_text(eff_race_first(NULL, 0, &winner), "fail 22: a race of none");
	ck_assert_uint_eq(winner, 42);
	ck_assert_uint_eq(run_rt->next_id, before);
	ck_assert_int_eq(eff_scope_close(&scope), -ECANCELED);
	return eff_ok(NULL);
}

START_TEST(all_of_none_is_ok_and_a_race_of_none_fails)
{
	ck_assert_int_eq(EINVAL, 22);
	run_ok(none, NULL);
}
END_TEST

static eff_exit cut_short(void *arg)
{
	static const struct job jobs[] = {JOB("a", 1, .fails = 7), JOB("b", 9),
		JOB("c", 9, .last_s = 1, .fails_last = 5), JOB("d", 9), {.name = NULL}};
	size_t n = jobs_of(jobs);
	struct eff_scope scope;

	(void)arg;
	eff_scope_open(&scope);
	eff_scope_limit(&scope, EFF_S(2));
	ck_text(eff_all(effects, n, 3, outs, EFF_COLLECT),
		"fail 110; and fail 7: a; and fail 5: c late");
	ck_outs(n, "fail 7: a, interrupt, fail 5: c late, interrupt");
	say("cut");
	/* Over the limit already: none begins. */
	ck_text(eff_all(effects, n, 3, outs, 0), "fail 110");
	ck_outs(n, "interrupt, interrupt, interrupt, interrupt");
	(void)eff_scope_close(&scope);
	return eff_ok(NULL);
}

START_TEST(a_caller_that_is_cut_short_ends_all_and_has_every_exit)
{
	run_ok(cut_short, NULL);
	ck_assert_str_eq(run_trace, "a@1 b cut@2 d cut@2 c cut@3 cut@3 ");
}
END_TEST

static eff_exit call_all(void *arg)
{
	return eff_all(effects, jobs_of(arg), 0, NULL, 0);
}

static eff_exit interrupt_the_caller(void *arg)
{
	static const struct job jobs[] = {JOB("a", 3), JOB("b", 1), {.name = NULL}};
	struct eff_fiber *child = forked(call_all, (void *)jobs);

	(void)arg;
	ck_assert_int_eq(eff_sleep(EFF_S(2)), 0);
	/* "b" has ended; whoever waits for "a" is interrupted, and "a" with it. */
	ck_assert_int_eq(eff_interrupt(child, NULL), 0);
	ck_assert_str_eq(end_of(child), "interrupt");
	return eff_ok(NULL);
}

START_TEST(an_interrupted_caller_interrupts_all)
{
	run_ok(interrupt_the_caller, NULL);
	ck_assert_str_eq(run_trace, "b@1 a cut@2 ");
}
END_TEST

/* ── without memory ── */

static eff_exit without_stacks(void *arg)
{
	static const struct job jobs[] = {JOB("a", 1), JOB("b", 1), JOB("c", 1), {.name = NULL}};
	size_t n = jobs_of(jobs);

	(void)arg;
	effects[1].stack_bytes = (size_t)1 << 50;
	ck_text(eff_all(effects, n, 0, outs, 0), "fail 12");
	ck_outs(n, "interrupt, fail 12, interrupt");
	ck_text(eff_all(effects, n, 0, outs, EFF_COLLECT), "fail 12");
	ck_outs(n, "ok, fail 12, ok");
	return eff_ok(NULL);
}

START_TEST(one_that_cannot_be_forked_has_failed_for_want_of_memory)
{
	ck_assert_int_eq(ENOMEM, 12);
	run_ok(without_stacks, NULL);
	ck_assert_str_eq(run_trace, "a@1 c@1 ");
}
END_TEST

/* The n-th allocation of the runtime's life fails. */
static eff_exit fail_an_allocation(void *arg)
{
	static const struct job jobs[] = {
		JOB("a", 1), JOB("b", 2, .fails = 3), JOB("c", 3), {.name = NULL}};
	size_t n = jobs_of(jobs);
	eff_exit exit;
	bool has_failed;

	alloc_fail_after(*(int *)arg);
	exit = eff_all(effects, n, 0, outs, 0);
	has_failed = alloc_fail_after(0);
	ck_assert_int_eq(exit.tag, EFF_FAIL);
	ck_assert(exit.code == 3 || (has_failed && exit.code == ENOMEM));
	eff_exit_drop(exit);
	for (size_t i = 0; i < n; i++)
		eff_exit_drop(outs[i]);
	return eff_ok_number(has_failed);
}

START_TEST(whichever_allocation_fails_all_end_and_nothing_is_left)
{
	int n = 0;
	bool goes_on = true;

	while (goes_on) {
		eff_exit exit;

		n++;
		run_setup();
		exit = eff_rt_run(run_rt, EFF(fail_an_allocation, &n));
		ck_assert_int_eq(exit.tag, EFF_OK);
		goes_on = exit.value.number;
		run_teardown();
	}
	/* Three control blocks and a text at the least. */
	ck_assert_int_gt(n, 4);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("all");
	TCase *tcase = tcase_create("all");
	TCase *memory = tcase_create("memory");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, all_setup, run_teardown);
	tcase_add_test(tcase, all_run_side_by_side_and_their_exits_are_in_their_order);
	tcase_add_test(tcase, so_many_at_a_time_as_was_said);
	tcase_add_test(tcase, the_first_failure_ends_all_and_what_it_ended_is_awaited);
	tcase_add_test(tcase, what_had_not_begun_when_one_failed_never_begins);
	tcase_add_test(tcase, collecting_runs_all_to_their_ends);
	tcase_add_test(tcase, all_of_none_is_ok_and_a_race_of_none_fails);
	tcase_add_test(tcase, a_caller_that_is_cut_short_ends_all_and_has_every_exit);
	tcase_add_test(tcase, an_interrupted_caller_interrupts_all);
	tcase_add_test(tcase, one_that_cannot_be_forked_has_failed_for_want_of_memory);
	test_leak_guard(memory);
	tcase_add_test(memory, whichever_allocation_fails_all_end_and_nothing_is_left);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, memory);
	return suite;
}
