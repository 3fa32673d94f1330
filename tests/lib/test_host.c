/* SPDX-License-Identifier: MIT */
/* What makes the descriptor of a hosted runtime readable: all that a turn would be for, and nothing else. */
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "hosted.h"
#include "spawn.h"

Suite *test_suite(void);

/* ── what makes it due ── */

START_TEST(a_runtime_at_rest_is_not_due)
{
	(void)settle();
	ck_assert(!is_due());
	ck_assert(!eff_rt_turn(rt));
	ck_assert(!is_due());
	ck_assert_int_eq(eff_rt_fd(rt), fd);
}
END_TEST

START_TEST(what_was_attached_is_due_at_once)
{
	(void)settle();
	attach(await_event, NULL);
	ck_assert(is_due());
	(void)settle();
	ck_assert_int_eq(n_told, 0);
}
END_TEST

START_TEST(an_event_that_the_host_sets_makes_it_due)
{
	attach(await_event, NULL);
	(void)settle();
	eff_event_set(&event);
	ck_assert(is_due());
	ck_assert_int_eq(n_told, 0);
	(void)host_until_ended();
	ck_assert_int_eq(n_told, 1);
	(void)settle();
}
END_TEST

START_TEST(a_fiber_that_the_host_forks_or_interrupts_makes_it_due)
{
	struct eff_fiber *daemon;

	attach(await_event, NULL);
	(void)settle();
	ck_assert_int_eq(eff_fork_daemon(EFF(await_event, NULL), &daemon), 0);
	ck_assert(is_due());
	(void)settle();
	ck_assert_int_eq(n_told, 0);
	eff_interrupt_async(daemon);
	ck_assert(is_due());
	(void)settle();
	ck_assert_int_eq(n_told, 1);
	eff_fiber_unref(daemon);
}
END_TEST

static struct eff_scope *limited;

static eff_exit wait_in_a_scope(void *arg)
{
	struct eff_scope scope;
	int r;

	eff_scope_open(&scope);
	limited = &scope;
	r = eff_event_await(&event);
	(void)eff_scope_close(&scope);
	(void)arg;
	return r == -ETIMEDOUT ? eff_ok(NULL) : eff_fail(1);
}

START_TEST(a_limit_that_the_host_sets_is_kept)
{
	eff_exit exit;

	attach(wait_in_a_scope, NULL);
	(void)settle();
	eff_scope_limit(limited, eff_now() + EFF_MS(2));
	/* The turn that is due now arms it, the next one is for the limit. */
	(void)host_until_ended();
	ck_assert(eff_poll(rt->root, &exit) && eff_is_ok(exit));
}
END_TEST

struct ear {
	struct eff__hook hook;
	int n;
};

static void on_heard(struct eff__hook *hook, int events)
{
	(void)events;
	eff_container(hook, struct ear, hook)->n++;
	eff_event_set(&event);
}

START_TEST(a_descriptor_that_is_watched_between_turns_is_heard)
{
	struct ear ear = {.hook.fn = on_heard};
	int ends[2];

	attach(await_event, NULL);
	(void)settle();
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(eff__fd_hook(rt, ends[0], EFF_READ, &ear.hook), 0);
	(void)settle();
	ck_assert_int_eq(ear.n, 0);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	(void)host_until_ended();
	ck_assert_int_ge(ear.n, 1);
	eff_fd_close(ends[0]);
	close(ends[1]);
}
END_TEST

/* ── descriptors and posts ── */

static eff_exit read_one(void *arg)
{
	char c;
	int r = (int)eff_read(*(int *)arg, &c, 1);

	return r < 0 ? eff_exit_of(r) : eff_ok_number(c);
}

START_TEST(input_makes_it_due_and_input_that_nobody_awaits_does_not)
{
	eff_exit exit;
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	attach(read_one, &ends[0]);
	(void)settle();
	ck_assert_int_eq(write(ends[1], "ab", 2), 2);
	ck_assert(is_due());
	(void)host_until_ended();
	ck_assert(eff_poll(rt->root, &exit) && exit.value.number == 'a');
	ck_assert_int_le(settle(), 2);
	ck_assert(!is_due());
	eff_fd_close(ends[0]);
	close(ends[1]);
}
END_TEST

static void set_event(struct eff_post *post)
{
	(void)post;
	eff_event_set(&event);
}

static void *post_from_thread(void *arg)
{
	eff_rt_post(rt, arg);
	return NULL;
}

START_TEST(a_post_from_another_thread_wakes_the_host)
{
	struct eff_post post = {.fn = set_event};
	pthread_t thread;

	for (int i = 0; i < 50; i++) {
		eff_event_reset(&event);
		attach(await_event, NULL);
		ck_assert_int_eq(pthread_create(&thread, NULL, post_from_thread, &post), 0);
		(void)host_until_ended();
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
	}
	ck_assert_int_eq(n_told, 50);
}
END_TEST

static void job(void *arg)
{
	(*(int *)arg)++;
}

static eff_exit use_threads(void *arg)
{
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(eff_blocking(job, arg, NULL), 0);
	return eff_ok(NULL);
}

START_TEST(what_must_block_comes_back_to_a_hosted_fiber)
{
	int n = 0;

	attach(use_threads, &n);
	(void)host_until_ended();
	ck_assert_int_eq(n, 20);
}
END_TEST

static struct eff_proc *spawn_true(void)
{
	static const char *const argv[] = {"/bin/true", NULL};
	static const int fds[] = {-1, -1, -1};
	struct eff_spawn spawn = {
		.path = argv[0], .argv = argv, .envp = argv + 1, .fds = fds, .n_fds = 3};
	struct eff_proc *proc;

	ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
	return proc;
}

/* However its end is noticed: by a descriptor, by a signal, or by looking again and again. */
START_TEST(the_end_of_a_child_that_the_host_makes_is_noticed)
{
	static const unsigned ways[] = {EFF__WITHOUT_HOOKS, EFF__WITHOUT_PIDFD, 0};

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct eff_proc *proc;
		int status = -1;

		(void)settle();
		eff__proc_without = ways[i];
		proc = spawn_true();
		while (!eff_proc_ended(proc, &status)) {
			await_due();
			(void)eff_rt_turn(rt);
		}
		ck_assert_int_eq(status, 0);
		eff_proc_free(proc);
	}
}
END_TEST

START_TEST(what_was_watched_before_there_was_a_host_is_heard)
{
	struct ear ear = {.hook.fn = on_heard};
	int ends[2];

	close_host();
	ck_assert_int_eq(eff_rt_new(NULL, &rt), 0);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(eff__fd_hook(rt, ends[0], EFF_READ, &ear.hook), 0);
	attach(await_event, NULL);
	(void)eff_rt_turn(rt);
	fd = eff_rt_fd(rt);
	(void)settle();
	ck_assert_int_eq(ear.n, 0);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	(void)host_until_ended();
	eff_fd_close(ends[0]);
	close(ends[1]);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("host");
	TCase *tcase = tcase_create("host");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, open_host, close_host);
	tcase_add_test(tcase, a_runtime_at_rest_is_not_due);
	tcase_add_test(tcase, what_was_attached_is_due_at_once);
	tcase_add_test(tcase, an_event_that_the_host_sets_makes_it_due);
	tcase_add_test(tcase, a_fiber_that_the_host_forks_or_interrupts_makes_it_due);
	tcase_add_test(tcase, a_limit_that_the_host_sets_is_kept);
	tcase_add_test(tcase, a_descriptor_that_is_watched_between_turns_is_heard);
	tcase_add_test(tcase, input_makes_it_due_and_input_that_nobody_awaits_does_not);
	tcase_add_test(tcase, a_post_from_another_thread_wakes_the_host);
	tcase_add_test(tcase, what_must_block_comes_back_to_a_hosted_fiber);
	tcase_add_test(tcase, the_end_of_a_child_that_the_host_makes_is_noticed);
	tcase_add_test(tcase, what_was_watched_before_there_was_a_host_is_heard);
	suite_add_tcase(suite, tcase);
	return suite;
}
