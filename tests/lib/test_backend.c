/* SPDX-License-Identifier: MIT */
/* A loop by itself: descriptors, deadlines and wake-ups, without a fiber; the same for each backend. What it finds it tells
 * to io.c, so a hook there is the ear. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <eff.h>

#include "leak.h"
#include "loop.h"

static struct eff_rt *rt;
static const struct eff_backend *backend;

static void open_runtime(void)
{
	ck_assert_int_eq(eff_rt_new(NULL, &rt), 0);
	backend = rt->backend;
	ck_assert_ptr_nonnull(rt->loop);
}

static void close_runtime(void)
{
	eff_rt_free(rt);
}

START_TEST(it_is_the_one_that_was_asked_for)
{
	const char *name = getenv("EFF_BACKEND");

	ck_assert_str_eq(backend->name, name ? name : "ev");
	ck_assert_str_eq(eff_backend_ev()->name, "ev");
	if (eff_backend_uv())
		ck_assert_str_eq(eff_backend_uv()->name, "uv");
}
END_TEST

START_TEST(a_deadline_is_kept_to_the_timer_of_the_kernel)
{
	for (int i = 0; i < 20; i++) {
		eff_ns at = eff__monotonic() + EFF_US(1500);

		do
			backend->wait(rt->loop, at);
		while (eff__monotonic() < at);
		/* Whole milliseconds would be late by half of one, always. */
		if (eff__monotonic() - at < EFF_US(400))
			return;
	}
	ck_abort_msg("twenty deadlines were all late");
}
END_TEST

START_TEST(an_earlier_deadline_replaces_a_later_one)
{
	eff_ns began = eff__monotonic();
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	backend->wake(rt->loop);
	backend->wait(rt->loop, began + EFF_H(1));
	backend->wake(rt->loop);
	backend->wait(rt->loop, EFF_FOREVER);
	while (eff__monotonic() < began + EFF_MS(2))
		backend->wait(rt->loop, began + EFF_MS(2));
	ck_assert_int_lt(eff__monotonic() - began, EFF_S(30));
	backend->wait(rt->loop, 0);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

static void *wake_from_thread(void *arg)
{
	backend->wake(rt->loop);
	return arg;
}

static void wake_from_handler(int sig)
{
	(void)sig;
	backend->wake(rt->loop);
}

START_TEST(a_thread_and_a_signal_handler_can_wake_it)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, wake_from_thread, NULL), 0);
	backend->wait(rt->loop, EFF_FOREVER);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	signal(SIGUSR1, wake_from_handler);
	errno = 4711;
	ck_assert_int_eq(raise(SIGUSR1), 0);
	ck_assert_int_eq(errno, 4711);
	backend->wait(rt->loop, EFF_FOREVER);
}
END_TEST

struct ear {
	struct eff__hook hook;
	int heard, n_heard;
};

static void on_heard(struct eff__hook *hook, int events)
{
	struct ear *ear = eff_container(hook, struct ear, hook);

	ear->heard = events;
	ear->n_heard++;
}

START_TEST(a_descriptor_is_heard_of_while_it_is_watched)
{
	struct ear ear = {.hook.fn = on_heard};
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(eff__fd_hook(rt, ends[0], EFF_READ, &ear.hook), 0);
	backend->wait(rt->loop, 0);
	ck_assert_int_eq(ear.n_heard, 0);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	backend->wait(rt->loop, EFF_FOREVER);
	backend->wait(rt->loop, EFF_FOREVER);
	ck_assert_int_eq(ear.n_heard, 2);
	ck_assert_int_eq(ear.heard, EFF_READ);
	eff__fd_forget(rt, ends[0]);
	backend->wait(rt->loop, 0);
	ck_assert_int_eq(ear.n_heard, 2);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(a_high_number_is_as_good_as_a_low_one)
{
	struct ear ear = {.hook.fn = on_heard};
	int ends[2], high;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	high = fcntl(ends[1], F_DUPFD_CLOEXEC, 900);
	ck_assert_int_ge(high, 900);
	ck_assert_int_eq(eff__fd_hook(rt, high, EFF_WRITE, &ear.hook), 0);
	backend->wait(rt->loop, EFF_FOREVER);
	ck_assert_int_eq(ear.heard, EFF_WRITE);
	eff__fd_forget(rt, high);
	close(high);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

static struct eff__hook *heard_in_turn[4];
static size_t n_heard_in_turn;

static void on_turn(struct eff__hook *hook, int events)
{
	(void)events;
	heard_in_turn[n_heard_in_turn++] = hook;
}

START_TEST(what_is_ready_is_heard_of_in_its_order)
{
	enum { N = sizeof heard_in_turn / sizeof *heard_in_turn };
	static const int order[N] = {2, 0, 3, 1};
	struct eff__hook hooks[N];
	int ends[N][2];

	for (int i = 0; i < N; i++) {
		hooks[i].fn = on_turn;
		ck_assert_int_eq(pipe2(ends[i], O_CLOEXEC | O_NONBLOCK), 0);
		ck_assert_int_eq(eff__fd_hook(rt, ends[i][0], EFF_READ, &hooks[i]), 0);
	}
	backend->wait(rt->loop, 0);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(write(ends[order[i]][1], "x", 1), 1);
	n_heard_in_turn = 0;
	backend->wait(rt->loop, EFF_FOREVER);
	ck_assert_uint_eq(n_heard_in_turn, N);
	for (int i = 0; i < N; i++) {
		ck_assert_ptr_eq(heard_in_turn[i], &hooks[order[i]]);
		eff__fd_forget(rt, ends[i][0]);
		close(ends[i][0]);
		close(ends[i][1]);
	}
}
END_TEST

static int flags_of(int fd)
{
	return fcntl(fd, F_GETFL) & (O_NONBLOCK | O_APPEND | O_ACCMODE);
}

START_TEST(a_descriptor_keeps_its_mode)
{
	struct ear ear = {.hook.fn = on_heard};
	int ends[2], before;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	before = flags_of(ends[0]);
	ck_assert_int_eq(before & O_NONBLOCK, 0);
	ck_assert_int_eq(eff__fd_hook(rt, ends[0], EFF_READ, &ear.hook), 0);
	ck_assert_int_eq(flags_of(ends[0]), before);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	backend->wait(rt->loop, EFF_FOREVER);
	ck_assert_int_eq(ear.n_heard, 1);
	ck_assert_int_eq(flags_of(ends[0]), before);
	eff__fd_forget(rt, ends[0]);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(what_is_broken_counts_as_ready_again_and_again)
{
	struct ear ear = {.hook.fn = on_heard};
	int ends[2];

	/* The kernel calls a pipe without a reader an error, which is no word against its descriptor. */
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	close(ends[0]);
	ck_assert_int_eq(eff__fd_hook(rt, ends[1], EFF_WRITE, &ear.hook), 0);
	for (int i = 1; i <= 3; i++) {
		backend->wait(rt->loop, EFF_FOREVER);
		ck_assert_int_eq(ear.n_heard, i);
		ck_assert_int_eq(ear.heard, EFF_WRITE);
	}
	eff__fd_forget(rt, ends[1]);
	close(ends[1]);
}
END_TEST

START_TEST(a_number_can_be_another_descriptor_at_once)
{
	struct ear ear = {.hook.fn = on_heard};
	int ends[2], pair[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	for (int i = 1; i <= 50; i++) {
		int number = fcntl(i % 2 ? ends[0] : pair[0], F_DUPFD_CLOEXEC, 100);

		ck_assert_int_eq(number, 100);
		ck_assert_int_eq(eff__fd_hook(rt, number, EFF_READ, &ear.hook), 0);
		backend->wait(rt->loop, 0);
		ck_assert_int_eq(ear.n_heard, i - 1);
		ck_assert_int_eq(write(i % 2 ? ends[1] : pair[1], "x", 1), 1);
		while (ear.n_heard < i)
			backend->wait(rt->loop, EFF_FOREVER);
		ck_assert_int_eq(ear.n_heard, i);
		ck_assert_int_eq(read(number, &(char){0}, 1), 1);
		eff__fd_forget(rt, number);
		close(number);
	}
	close(ends[0]);
	close(ends[1]);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

/* ── a hook and a watch ── */

struct seen {
	struct eff_watch watch;
	struct ear *ear;
	int n, n_heard_before;
};

static void on_watch(struct eff_watch *watch)
{
	struct seen *seen = eff_container(watch, struct seen, watch);

	seen->n++;
	seen->n_heard_before = seen->ear->n_heard;
}

START_TEST(a_descriptor_can_have_a_hook_and_a_watch)
{
	struct ear ear = {.hook.fn = on_heard};
	struct seen seen = {.watch.fn = on_watch, .ear = &ear};
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(eff__fd_hook(rt, ends[0], EFF_READ, &ear.hook), 0);
	ck_assert_int_eq(eff_fd_watch(ends[0], EFF_READ, &seen.watch), 0);
	ck_assert_uint_eq(rt->external, 1);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	for (int i = 1; i <= 3; i++) {
		backend->wait(rt->loop, EFF_FOREVER);
		ck_assert_int_eq(ear.n_heard, i);
	}
	ck_assert_int_eq(ear.heard, EFF_READ);
	/* Once, and first. */
	ck_assert_int_eq(seen.n, 1);
	ck_assert_int_eq(seen.n_heard_before, 0);
	ck_assert_uint_eq(rt->external, 0);
	eff_fd_close(ends[0]);
	close(ends[1]);
}
END_TEST

static int forgets_fd;

static void on_heard_last(struct eff__hook *hook, int events)
{
	on_heard(hook, events);
	eff__fd_forget(rt, forgets_fd);
}

START_TEST(a_hook_that_forgets_its_descriptor_takes_no_watch_that_is_due)
{
	struct ear ear = {.hook.fn = on_heard_last};
	struct seen seen = {.watch.fn = on_watch, .ear = &ear};
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	forgets_fd = ends[0];
	ck_assert_int_eq(eff_fd_watch(ends[0], EFF_READ, &seen.watch), 0);
	ck_assert_int_eq(eff__fd_hook(rt, ends[0], EFF_READ, &ear.hook), 0);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	backend->wait(rt->loop, EFF_FOREVER);
	ck_assert_int_eq(seen.n, 1);
	ck_assert_int_eq(ear.n_heard, 1);
	ck_assert_uint_eq(rt->external, 0);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(a_hook_on_what_can_always_be_written_to_leaves_the_loop_in_peace)
{
	struct ear ear = {.hook.fn = on_heard};
	const uint64_t one = 1;
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(eff__fd_hook(rt, fd, EFF_READ, &ear.hook), 0);
	backend->wait(rt->loop, EFF_FOREVER);
	ck_assert_int_eq(ear.n_heard, 0);
	/* It has been found out: the next wait goes on until its deadline. */
	for (int i = 0; i < 3; i++) {
		eff_ns until = eff__monotonic() + EFF_MS(5);

		backend->wait(rt->loop, until);
		ck_assert_int_ge(eff__monotonic(), until);
	}
	ck_assert_int_eq(ear.n_heard, 0);
	ck_assert_int_eq(write(fd, &one, sizeof one), sizeof one);
	backend->wait(rt->loop, EFF_FOREVER);
	ck_assert_int_eq(ear.n_heard, 1);
	ck_assert_int_eq(ear.heard, EFF_READ);
	eff_fd_close(fd);
}
END_TEST

static struct ear rivals[2];
static int rival_fds[2];

static void forget_rival(struct eff__hook *hook, int events)
{
	int rival = hook == &rivals[0].hook;

	on_heard(hook, events);
	eff__fd_forget(rt, rival_fds[rival]);
	close(rival_fds[rival]);
}

START_TEST(an_event_of_what_was_forgotten_in_the_same_turn_is_not_heard)
{
	int left;

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, rival_fds), 0);
	for (int i = 0; i < 2; i++) {
		rivals[i].hook.fn = forget_rival;
		ck_assert_int_eq(eff__fd_hook(rt, rival_fds[i], EFF_WRITE, &rivals[i].hook), 0);
	}
	/* Both are ready; whoever is first takes the other away. */
	backend->wait(rt->loop, 0);
	ck_assert_int_eq(rivals[0].n_heard + rivals[1].n_heard, 1);
	left = rivals[1].n_heard;
	eff__fd_forget(rt, rival_fds[left]);
	close(rival_fds[left]);
}
END_TEST

START_TEST(many_descriptors_are_watched_and_given_up)
{
	enum { N = 200 };
	struct ear ear = {.hook.fn = on_heard};
	int fds[N], pair[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	for (int i = 0; i < N; i++) {
		fds[i] = fcntl(pair[0], F_DUPFD_CLOEXEC, 0);
		ck_assert_int_eq(eff__fd_hook(rt, fds[i], EFF_WRITE, &ear.hook), 0);
	}
	while (ear.n_heard < N)
		backend->wait(rt->loop, EFF_FOREVER);
	/* Half of them go with the runtime. */
	for (int i = 0; i < N; i += 2)
		eff__fd_forget(rt, fds[i]);
	close_runtime();
	for (int i = 0; i < N; i++)
		close(fds[i]);
	close(pair[0]);
	close(pair[1]);
	open_runtime();
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("backend");
	TCase *tcase = tcase_create("loop");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, open_runtime, close_runtime);
	tcase_add_test(tcase, it_is_the_one_that_was_asked_for);
	tcase_add_test(tcase, a_deadline_is_kept_to_the_timer_of_the_kernel);
	tcase_add_test(tcase, an_earlier_deadline_replaces_a_later_one);
	tcase_add_test(tcase, a_thread_and_a_signal_handler_can_wake_it);
	tcase_add_test(tcase, a_descriptor_is_heard_of_while_it_is_watched);
	tcase_add_test(tcase, what_is_ready_is_heard_of_in_its_order);
	tcase_add_test(tcase, a_high_number_is_as_good_as_a_low_one);
	tcase_add_test(tcase, a_descriptor_keeps_its_mode);
	tcase_add_test(tcase, what_is_broken_counts_as_ready_again_and_again);
	tcase_add_test(tcase, a_number_can_be_another_descriptor_at_once);
	tcase_add_test(tcase, a_descriptor_can_have_a_hook_and_a_watch);
	tcase_add_test(tcase, a_hook_that_forgets_its_descriptor_takes_no_watch_that_is_due);
	tcase_add_test(tcase, a_hook_on_what_can_always_be_written_to_leaves_the_loop_in_peace);
	tcase_add_test(tcase, an_event_of_what_was_forgotten_in_the_same_turn_is_not_heard);
	tcase_add_test(tcase, many_descriptors_are_watched_and_given_up);
	suite_add_tcase(suite, tcase);
	return suite;
}
