/* SPDX-License-Identifier: MIT */
/* The loop: running, turning, shutting down, deadlocks, posts. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <eff/event.h>
#include <eff/io.h>
#include <eff/scope.h>

#include "internal.h"
#include "leak.h"
#include "run.h"

Suite *test_suite(void);

static void ck_run(eff_fn *fn, void *arg, const char *want)
{
	eff_exit exit = eff_rt_run(run_rt, EFF_NAMED("root", fn, arg));
	char text[128];

	ck_assert_str_eq(eff_exit_text(exit, text, sizeof(text)), want);
	eff_exit_drop(exit);
}

/* ── running ── */

static eff_exit sleep_long(void *arg)
{
	int r = eff_sleep(EFF_H(1));

	say("%s", (const char *)arg);
	return eff_exit_of(r);
}

static eff_exit fork_and_return(void *arg)
{
	(void)arg;
	(void)eff_fork(EFF(sleep_long, TEXT("child")), NULL);
	(void)eff_fork_daemon(EFF(sleep_long, TEXT("daemon")), NULL);
	(void)eff_yield();
	return eff_failf(4, "text");
}

START_TEST(a_run_ends_with_the_root_and_what_it_owns_but_not_with_daemons)
{
	struct eff_rt_stats stats;

	ck_run(fork_and_return, NULL, "fail 4: text");
	ck_assert_str_eq(run_trace, "child@0 ");
	eff_rt_stats(run_rt, &stats);
	ck_assert_uint_eq(stats.fibers_live, 1);
	ck_run(sleep_long, TEXT("root"), "ok");
	ck_assert_str_eq(run_trace, "child@0 daemon@3600 root@3600 ");
}
END_TEST

static eff_exit yield_for_ever(void *arg)
{
	for (;;) {
		int r = eff_yield();

		(*(int *)arg)++;
		if (r < 0)
			return eff_exit_of(r);
	}
}

START_TEST(a_turn_runs_each_ready_fiber_at_most_once)
{
	int a = 0;
	int b = 0;

	ck_assert_int_eq(eff_rt_attach(run_rt, EFF(yield_for_ever, &a)), 0);
	ck_assert_int_eq(eff_rt_attach(run_rt, EFF(yield_for_ever, &b)), -EBUSY);
	ck_assert_int_eq(eff__fork(run_rt, &run_rt->daemons, &EFF(yield_for_ever, &b), NULL), 0);
	ck_assert(eff_rt_turn(run_rt));
	ck_assert_int_eq(a, 0);
	for (int i = 1; i <= 5; i++) {
		ck_assert(eff_rt_turn(run_rt));
		ck_assert_int_eq(a, i);
		ck_assert_int_eq(b, i);
	}
	ck_assert_int_eq(eff_rt_shutdown(run_rt, 0), 0);
	ck_assert(!eff_rt_turn(run_rt));
	/* The yield that was under way returned as it would have, the next one did not. */
	ck_assert_int_eq(a, 7);
}
END_TEST

/* ── shutting down ── */

static eff_exit end_slowly(void *arg)
{
	eff_masked masked;

	(void)eff_sleep(EFF_H(1));
	masked = eff_mask();
	(void)eff_sleep(EFF_S(3));
	say("%s", (const char *)arg);
	eff_unmask(masked);
	return eff_interrupted();
}

START_TEST(shutting_down_interrupts_all_and_waits_for_them_until_the_grace_is_over)
{
	struct eff_fiber *late;

	ck_assert_int_eq(eff_rt_attach(run_rt, EFF(end_slowly, TEXT("root"))), 0);
	ck_assert_int_eq(
		eff__fork(run_rt, &run_rt->daemons, &EFF(end_slowly, TEXT("daemon")), &late), 0);
	ck_assert(eff_rt_turn(run_rt));
	ck_assert_int_eq(eff_rt_shutdown(run_rt, EFF_S(2)), -ETIMEDOUT);
	ck_assert_str_eq(run_trace, "");
	ck_assert(!eff_poll(late, NULL));
	ck_assert_int_eq(eff_rt_shutdown(run_rt, EFF_S(5)), 0);
	ck_assert_str_eq(run_trace, "root@3 daemon@3 ");
	ck_assert(eff_poll(late, NULL));
	eff_fiber_unref(late);
	ck_assert_int_eq(eff_rt_shutdown(run_rt, 0), 0);
	ck_assert(!eff_rt_turn(run_rt));
	ck_run(sleep_long, TEXT("never"), "interrupt");
}
END_TEST

START_TEST(what_was_interrupted_before_it_started_never_does)
{
	ck_assert_int_eq(eff_rt_attach(run_rt, EFF(end_slowly, TEXT("never"))), 0);
	ck_assert_int_eq(eff_rt_shutdown(run_rt, 0), 0);
	ck_assert_str_eq(run_trace, "");
}
END_TEST

/* ── deadlocks ── */

static void on_deadlock(void *context, const struct eff_fiber_info *fiber)
{
	ck_assert_ptr_eq(context, run_trace);
	say("%s %s for %s", fiber->name, fiber->state, fiber->waits_for);
}

static eff_exit await_each_other(void *arg)
{
	struct eff_event *events = arg;

	(void)eff_event_await(&events[0]);
	say("told %d", eff_check() == -ECANCELED);
	return eff_ok(NULL);
}

static eff_exit wait_for_nothing(void *arg)
{
	struct eff_event *events = arg;

	(void)eff_fork(EFF_NAMED("other", await_each_other, &events[1]), NULL);
	return await_each_other(events);
}

START_TEST(when_nothing_can_wake_anybody_each_is_named_and_the_root_dies)
{
	struct eff_event events[2];

	eff_event_init(&events[0]);
	eff_event_init(&events[1]);
	run_rt->hooks.on_deadlock = on_deadlock;
	run_rt->hooks.context = run_trace;
	ck_run(wait_for_nothing, events, "die: deadlock");
	ck_assert_str_eq(run_trace,
		"root waiting for event@0 other waiting for event@0 told 1@0 told 1@0 ");
}
END_TEST

static eff_exit sleep_a_while(void *arg)
{
	(void)arg;
	return eff_exit_of(eff_sleep(EFF_S(1)));
}

START_TEST(a_clock_that_nobody_moves_is_a_deadlock_too)
{
	eff_testclock_autojump(run_clock, false);
	ck_run(sleep_a_while, NULL, "die: deadlock");
}
END_TEST

/* ── posts ── */

static struct eff_event posted;

static void set_posted(struct eff_post *post)
{
	(void)post;
	eff_event_set(&posted);
}

struct poster {
	struct eff_post post;
	struct eff_rt *rt;
	int runs;
};

static void count_run(struct eff_post *post)
{
	eff_container(post, struct poster, post)->runs++;
}

static void *post_from_thread(void *arg)
{
	struct poster *poster = arg;

	eff_rt_post(poster->rt, &poster->post);
	return NULL;
}

static eff_exit await_post(void *arg)
{
	struct poster *poster = arg;
	pthread_t thread;

	eff_event_init(&posted);
	ck_assert_int_eq(pthread_create(&thread, NULL, post_from_thread, poster), 0);
	/* What is awaited from outside is counted, so this is no deadlock. */
	eff_rt_expect(run_rt, 1);
	ck_assert_int_eq(eff_event_await(&posted), 0);
	eff_rt_expect(run_rt, -1);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	return eff_ok(NULL);
}

START_TEST(a_post_from_another_thread_wakes_the_loop)
{
	struct poster poster = {.post = {.fn = set_posted}, .rt = run_rt};

	for (int i = 0; i < 50; i++)
		ck_run(await_post, &poster, "ok");
}
END_TEST

static void post_again(struct eff_post *post)
{
	struct poster *poster = eff_container(post, struct poster, post);

	if (++poster->runs < 3)
		eff_rt_post(poster->rt, post);
	else
		eff_event_set(&posted);
}

static eff_exit await_last_post(void *arg)
{
	struct poster *poster = arg;

	eff_event_init(&posted);
	eff_rt_post(poster->rt, &poster->post);
	return eff_exit_of(eff_event_await(&posted));
}

START_TEST(what_a_post_has_posted_runs_before_it_is_a_deadlock)
{
	struct poster poster = {.post = {.fn = post_again}, .rt = run_rt};

	ck_run(await_last_post, &poster, "ok");
	ck_assert_int_eq(poster.runs, 3);
}
END_TEST

static struct poster *signal_poster;

static void on_signal(int sig)
{
	(void)sig;
	eff_rt_post(signal_poster->rt, &signal_poster->post);
}

static eff_exit post_by_signal(void *arg)
{
	struct sigaction action = {.sa_handler = on_signal};

	signal_poster = arg;
	eff_event_init(&posted);
	ck_assert_int_eq(sigaction(SIGUSR1, &action, NULL), 0);
	ck_assert_int_eq(raise(SIGUSR1), 0);
	ck_assert_int_eq(eff_event_await(&posted), 0);
	return eff_ok(NULL);
}

START_TEST(a_signal_handler_may_post)
{
	struct poster poster = {.post = {.fn = set_posted}, .rt = run_rt};

	ck_run(post_by_signal, &poster, "ok");
}
END_TEST

START_TEST(posted_again_before_it_ran_is_one_run_and_posts_run_in_order)
{
	struct poster poster = {.post = {.fn = count_run}, .rt = run_rt};

	ck_assert_int_eq(eff_rt_attach(run_rt, EFF(sleep_a_while, NULL)), 0);
	eff_rt_post(run_rt, &poster.post);
	eff_rt_post(run_rt, &poster.post);
	(void)eff_rt_turn(run_rt);
	ck_assert_int_eq(poster.runs, 1);
	eff_rt_post(run_rt, &poster.post);
	(void)eff_rt_turn(run_rt);
	(void)eff_rt_turn(run_rt);
	ck_assert_int_eq(poster.runs, 2);
	ck_assert_int_eq(eff_rt_shutdown(run_rt, 0), 0);
}
END_TEST

/* ── the real clock ── */

static eff_exit many_real_sleepers(void *arg)
{
	for (intptr_t i = 0; i < 100; i++)
		ck_assert_int_eq(eff_fork(EFF(sleep_long, arg), NULL), 0);
	return eff_exit_of(eff_sleep(EFF_MS(1)));
}

START_TEST(a_runtime_on_real_time_runs_and_shuts_down)
{
	struct poster poster = {.post = {.fn = set_posted}};

	ck_assert_int_eq(eff_rt_new(NULL, &run_rt), 0);
	poster.rt = run_rt;
	run_trace[0] = '\0';
	ck_run(many_real_sleepers, TEXT(""), "ok");
	for (int i = 0; i < 50; i++)
		ck_run(await_post, &poster, "ok");
	ck_assert_int_eq(eff_rt_attach(run_rt, EFF(sleep_long, TEXT(""))), 0);
	ck_assert(eff_rt_turn(run_rt));
	ck_assert_int_eq(eff_rt_shutdown(run_rt, EFF_M(1)), 0);
	eff_rt_free(run_rt);
}
END_TEST

/* ── a process that stood still ── */

struct meanwhile {
	int first[2], second[2];
	int results[3];
};

/* Three waits, of which the third is for what never comes. */
static eff_exit hear(void *arg)
{
	struct meanwhile *m = arg;
	struct eff_scope within;
	char c;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_now() + EFF_MS(5));
	m->results[0] = (int)eff_read(m->first[0], &c, 1);
	m->results[1] = (int)eff_read(m->second[0], &c, 1);
	m->results[2] = (int)eff_read(m->first[0], &c, 1);
	(void)eff_scope_close(&within);
	return eff_ok(NULL);
}

/* Stand still until long after the limit; what came before that is there when the loop looks. */
static eff_exit stand_still(void *arg)
{
	struct meanwhile *m = arg;
	struct eff_fiber *fiber;
	eff_ns until;

	ck_assert_int_eq(pipe2(m->first, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(pipe2(m->second, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(eff_fork(EFF(hear, m), &fiber), 0);
	ck_assert_int_eq(eff_yield(), 0);
	ck_assert_int_eq(write(m->first[1], "x", 1), 1);
	ck_assert_int_eq(write(m->second[1], "x", 1), 1);
	for (until = eff_now() + EFF_MS(120); eff_now() < until;)
		;
	ck_assert_int_eq(eff_await(fiber, NULL), 0);
	eff_fiber_unref(fiber);
	for (int i = 0; i < 2; i++) {
		eff_fd_close(m->first[i]);
		eff_fd_close(m->second[i]);
	}
	return eff_ok(NULL);
}

START_TEST(what_came_while_the_process_stood_still_came_in_time)
{
	struct meanwhile m;

	ck_assert_int_eq(eff_rt_new(NULL, &run_rt), 0);
	run_trace[0] = '\0';
	ck_run(stand_still, &m, "ok");
	eff_rt_free(run_rt);
	ck_assert_int_eq(m.results[0], 1);
	ck_assert_int_eq(m.results[1], 1);
	ck_assert_int_eq(m.results[2], -ETIMEDOUT);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("loop");
	TCase *tcase = tcase_create("virtual");
	TCase *real = tcase_create("real");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, a_run_ends_with_the_root_and_what_it_owns_but_not_with_daemons);
	tcase_add_test(tcase, a_turn_runs_each_ready_fiber_at_most_once);
	tcase_add_test(
		tcase, shutting_down_interrupts_all_and_waits_for_them_until_the_grace_is_over);
	tcase_add_test(tcase, what_was_interrupted_before_it_started_never_does);
	tcase_add_test(tcase, when_nothing_can_wake_anybody_each_is_named_and_the_root_dies);
	tcase_add_test(tcase, a_clock_that_nobody_moves_is_a_deadlock_too);
	tcase_add_test(tcase, a_post_from_another_thread_wakes_the_loop);
	tcase_add_test(tcase, a_signal_handler_may_post);
	tcase_add_test(tcase, what_a_post_has_posted_runs_before_it_is_a_deadlock);
	tcase_add_test(tcase, posted_again_before_it_ran_is_one_run_and_posts_run_in_order);
	test_leak_guard(real);
	tcase_add_test(real, a_runtime_on_real_time_runs_and_shuts_down);
	tcase_add_test(real, what_came_while_the_process_stood_still_came_in_time);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, real);
	return suite;
}
