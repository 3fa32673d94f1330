/* SPDX-License-Identifier: MIT */
/* The watchdog: what it calls a stall, at times that the test says; and its thread, which is waited for and never timed. */
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include <eff.h>

#include "leak.h"
#include "run.h"
#include "watchdog.h"

Suite *test_suite(void);

/* An eighth of the span is a period. */
enum { STALL = 800, PERIOD = 100 };

static struct eff__watch *watch;
static struct eff__stall stall;
static eff_ns at;

static void setup(void)
{
	run_setup();
	watch = eff__watch_new(run_rt, STALL);
	ck_assert_ptr_nonnull(watch);
	run_rt->watch = watch;
	at = 1000000;
}

static void teardown(void)
{
	run_teardown();
}

/* Look `n` times, a period apart. Returns how often a stall was told. */
static int look(int n)
{
	int n_told = 0;

	for (; n > 0; n--) {
		at += PERIOD;
		n_told += eff__watch_look(watch, at, &stall);
	}
	return n_told;
}

/* ── what a stall is ── */

static eff_exit run_on(void *arg)
{
	(void)arg;
	/* The first look only sees it, and one counts for a standstill that nobody saw. */
	ck_assert_int_eq(look(9), 0);
	ck_assert_int_eq(look(1), 1);
	ck_assert_str_eq(stall.name, "root");
	ck_assert_uint_eq(stall.id, eff_fiber_id(eff_self()));
	ck_assert_int_eq(stall.held_ns, STALL + PERIOD);
	return eff_ok(NULL);
}

START_TEST(a_fiber_that_runs_on_is_told_by_name_and_since_when)
{
	run_ok(run_on, NULL);
}
END_TEST

static eff_exit run_on_twice(void *arg)
{
	(void)arg;
	ck_assert_int_eq(look(1000), 1);
	ck_assert_int_eq(eff_yield(), 0);
	ck_assert_int_eq(look(9), 0);
	ck_assert_int_eq(look(1000), 1);
	return eff_ok(NULL);
}

START_TEST(it_is_told_once_each_time)
{
	run_ok(run_on_twice, NULL);
}
END_TEST

static eff_exit yield_in_time(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(look(9), 0);
		ck_assert_int_eq(eff_yield(), 0);
	}
	return eff_ok(arg);
}

START_TEST(one_that_lets_go_in_time_is_not_told_be_it_alone_or_one_of_many)
{
	run_ok(yield_in_time, NULL);
	ck_assert_int_eq(eff_rt_attach(run_rt, EFF(yield_in_time, NULL)), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(
			eff__fork(run_rt, &run_rt->daemons, &EFF(yield_in_time, NULL), NULL), 0);
	while (run_rt->stats.fibers_live)
		(void)eff_rt_turn(run_rt);
}
END_TEST

static eff_exit be_stopped(void *arg)
{
	(void)arg;
	ck_assert_int_eq(look(5), 0);
	/* SIGSTOP, and an hour later SIGCONT: the next look comes late, and says no more than any. */
	at += EFF_H(1);
	ck_assert_int_eq(look(4), 0);
	ck_assert_int_eq(look(1), 1);
	ck_assert_int_eq(stall.held_ns, STALL + PERIOD);
	return eff_ok(NULL);
}

START_TEST(time_in_which_the_process_stood_still_is_nobodys)
{
	run_ok(be_stopped, NULL);
}
END_TEST

static eff_exit sleep_a_second(void *arg)
{
	(void)arg;
	return eff_exit_of(eff_sleep(EFF_S(1)));
}

START_TEST(an_idle_loop_is_no_stall)
{
	ck_assert_int_eq(look(100), 0);
	ck_assert(watch->idle);
	ck_assert_int_eq(eff_rt_attach(run_rt, EFF(sleep_a_second, NULL)), 0);
	(void)eff_rt_turn(run_rt);
	ck_assert_int_eq(look(1), 0);
	ck_assert(!watch->idle);
	ck_assert_int_eq(look(100), 0);
	ck_assert(watch->idle);
	ck_assert_int_eq(eff_rt_shutdown(run_rt, 0), 0);
}
END_TEST

static char *lent_name;

/* The name is its holder's again when a fiber has ended, which is before this. */
static void linger(struct eff_fiber *fiber, void *context)
{
	(void)fiber;
	(void)context;
	free(lent_name);
	ck_assert_int_eq(look(1000), 0);
}

static eff_exit nothing(void *arg)
{
	return eff_ok(arg);
}

START_TEST(a_name_is_not_read_when_its_fiber_has_ended)
{
	struct eff_fiber *fiber;

	lent_name = strdup("lent");
	ck_assert_int_eq(
		eff__fork(run_rt, &run_rt->daemons, &EFF_NAMED(lent_name, nothing, NULL), &fiber),
		0);
	fiber->on_end = linger;
	(void)eff_rt_turn(run_rt);
	ck_assert(eff_poll(fiber, NULL));
	eff_fiber_unref(fiber);
	run_ok(run_on, NULL);
}
END_TEST

static eff_exit run_on_with_a_long_name(void *arg)
{
	(void)arg;
	ck_assert_int_eq(look(10), 1);
	ck_assert_uint_eq(strlen(stall.name), sizeof(stall.name) - 1);
	return eff_ok(NULL);
}

START_TEST(a_name_is_cut_where_there_is_no_room)
{
	static char name[1000];

	memset(name, 'n', sizeof(name) - 1);
	eff_exit_drop(eff_rt_run(run_rt, EFF_NAMED(name, run_on_with_a_long_name, NULL)));
	ck_assert_uint_ne(stall.id, 0);
}
END_TEST

/* ── the thread ── */

static atomic_int n_told;
static char told_name[64];
static _Atomic uint64_t told_id;
static int64_t told_ns;

static void on_stall(void *context, const char *name, uint64_t id, int64_t held_ns)
{
	ck_assert_ptr_eq(context, &n_told);
	(void)snprintf(told_name, sizeof(told_name), "%s", name);
	told_ns = held_ns;
	atomic_fetch_add(&n_told, 1);
	atomic_store(&told_id, id);
}

static struct eff_rt *watched_runtime(bool with_hook)
{
	struct eff_rt_opts opts = {.stall_ns = EFF_MS(2)};
	struct eff_rt *rt;

	/* Each runtime counts its fibers anew. */
	told_id = 0;
	if (with_hook)
		opts.hooks = (struct eff_hooks){.on_stall = on_stall, .context = &n_told};
	ck_assert_int_eq(eff_rt_new(&opts, &rt), 0);
	return rt;
}

/* It may have been told before it has come to its first line, where the processor is another's by then. */
static eff_exit hold_until_told(void *arg)
{
	uint64_t id = eff_fiber_id(eff_self());

	while (atomic_load(&told_id) != id)
		(void)sched_yield();
	(void)arg;
	return eff_ok_number((int64_t)id);
}

START_TEST(its_thread_tells_while_the_fiber_runs_on_also_out_of_its_sleep)
{
	struct eff_rt *rt = watched_runtime(true);

	for (int i = 1; i <= 20; i++) {
		eff_exit exit = eff_rt_run(rt, EFF_NAMED("holder", hold_until_told, NULL));

		ck_assert_int_ge(atomic_load(&n_told), i);
		ck_assert_str_eq(told_name, "holder");
		ck_assert_int_eq((int64_t)told_id, exit.value.number);
		ck_assert_int_ge(told_ns, EFF_MS(2));
		/* The loop is idle: so is the watchdog, before long. */
		while (i % 2 && !atomic_load(&rt->watch->asleep))
			(void)sched_yield();
	}
	eff_rt_free(rt);
}
END_TEST

static eff_exit fork_and_end_many(void *arg)
{
	for (int i = 0; i < 3000; i++) {
		char name[24];
		struct eff_fiber *fiber;

		/* Names that go with their fibers, while somebody else looks at who runs. */
		(void)snprintf(name, sizeof(name), "child %d", i);
		ck_assert_int_eq(eff_fork(EFF_NAMED(name, nothing, NULL), &fiber), 0);
		ck_assert_int_eq(eff_await(fiber, NULL), 0);
		eff_fiber_unref(fiber);
		memset(name, 0, sizeof(name));
	}
	return eff_ok(arg);
}

START_TEST(it_looks_on_while_fibers_come_and_go)
{
	struct eff_rt_opts opts = {
		.stall_ns = 1, .hooks = {.on_stall = on_stall, .context = &n_told}};
	struct eff_rt *rt;
	eff_exit exit;

	/* So small a span makes it look all the time, and take many for stalled. */
	ck_assert_int_eq(eff_rt_new(&opts, &rt), 0);
	exit = eff_rt_run(rt, EFF(fork_and_end_many, NULL));
	ck_assert(eff_is_ok(exit));
	eff_rt_free(rt);
}
END_TEST

static int stderr_ends[2];

/* A call that blocks is a stall like any: this one waits for the very message. */
static eff_exit read_what_is_told(void *arg)
{
	ssize_t n = read(stderr_ends[0], arg, 255);

	((char *)arg)[n > 0 ? n : 0] = '\0';
	return eff_ok(NULL);
}

START_TEST(without_a_hook_it_tells_stderr)
{
	int before = dup(STDERR_FILENO);
	char text[256];
	struct eff_rt *rt;
	int ms;

	ck_assert_int_eq(pipe(stderr_ends), 0);
	ck_assert_int_eq(dup2(stderr_ends[1], STDERR_FILENO), STDERR_FILENO);
	rt = watched_runtime(false);
	eff_exit_drop(eff_rt_run(rt, EFF_NAMED("reader", read_what_is_told, text)));
	eff_rt_free(rt);
	(void)dup2(before, STDERR_FILENO);
	ck_assert_int_eq(
		sscanf(text, "libeff: fiber \"reader\" (#1) holds the loop, for %d ms so far\n", &ms),
		1);
	ck_assert_int_eq(ms, 2);
	close(before);
	close(stderr_ends[0]);
	close(stderr_ends[1]);
}
END_TEST

START_TEST(without_a_span_there_is_no_thread)
{
	struct eff_rt_opts opts = {.stall_ns = -1};
	struct eff_rt *rt;

	ck_assert_int_eq(eff_rt_new(&opts, &rt), 0);
	ck_assert_ptr_null(rt->watch);
	eff_rt_free(rt);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("watchdog");
	TCase *tcase = tcase_create("looks");
	TCase *thread = tcase_create("thread");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_fiber_that_runs_on_is_told_by_name_and_since_when);
	tcase_add_test(tcase, it_is_told_once_each_time);
	tcase_add_test(tcase, one_that_lets_go_in_time_is_not_told_be_it_alone_or_one_of_many);
	tcase_add_test(tcase, time_in_which_the_process_stood_still_is_nobodys);
	tcase_add_test(tcase, an_idle_loop_is_no_stall);
	tcase_add_test(tcase, a_name_is_not_read_when_its_fiber_has_ended);
	tcase_add_test(tcase, a_name_is_cut_where_there_is_no_room);
	test_leak_guard(thread);
	tcase_add_test(thread, its_thread_tells_while_the_fiber_runs_on_also_out_of_its_sleep);
	tcase_add_test(thread, it_looks_on_while_fibers_come_and_go);
	tcase_add_test(thread, without_a_hook_it_tells_stderr);
	tcase_add_test(thread, without_a_span_there_is_no_thread);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, thread);
	return suite;
}
