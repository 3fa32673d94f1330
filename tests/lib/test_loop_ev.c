/* SPDX-License-Identifier: MIT */
/* The loop by itself: descriptors, deadlines and wake-ups, without a fiber. What it finds it tells to io.c, so a hook
 * there is the ear. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <eff.h>

#include "internal.h"
#include "leak.h"

static struct eff_rt *rt;
static const struct eff_backend *backend;

static void open_runtime(void)
{
	ck_assert_int_eq(eff_rt_new(NULL, &rt), 0);
	backend = eff_backend_ev();
	ck_assert_ptr_nonnull(rt->loop);
}

static void close_runtime(void)
{
	eff_rt_free(rt);
}

/* How long the loop's timer has still to go, as the kernel has it; -1 when there is none. */
static eff_ns timer_left(void)
{
	char path[64], text[512], *value;
	long long s, ns;

	for (int fd = 0; fd < 64; fd++) {
		FILE *file;
		size_t n;

		(void)snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
		file = fopen(path, "re");
		if (!file)
			continue;
		n = fread(text, 1, sizeof text - 1, file);
		(void)fclose(file);
		text[n] = '\0';
		value = strstr(text, "it_value:");
		if (value && sscanf(value, "it_value: (%lld, %lld)", &s, &ns) == 2)
			return EFF_S(s) + ns;
	}
	return -1;
}

START_TEST(a_deadline_is_kept_to_the_timer_of_the_kernel)
{
	eff_ns at = eff__monotonic() + EFF_H(1) + EFF_US(1500) + 1;
	eff_ns before, left, after;

	/* It comes back at once, and leaves the timer armed: to the nanosecond, and not to whole milliseconds. */
	backend->wake(rt->loop);
	backend->wait(rt->loop, at);
	before = eff__monotonic();
	left = timer_left();
	after = eff__monotonic();
	ck_assert_int_le(before, at - left);
	ck_assert_int_le(at - left, after);
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

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("loop_ev");
	TCase *tcase = tcase_create("loop");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, open_runtime, close_runtime);
	tcase_add_test(tcase, a_deadline_is_kept_to_the_timer_of_the_kernel);
	tcase_add_test(tcase, an_earlier_deadline_replaces_a_later_one);
	tcase_add_test(tcase, a_thread_and_a_signal_handler_can_wake_it);
	tcase_add_test(tcase, a_descriptor_is_heard_of_while_it_is_watched);
	tcase_add_test(tcase, a_high_number_is_as_good_as_a_low_one);
	suite_add_tcase(suite, tcase);
	return suite;
}
