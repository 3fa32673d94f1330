/* SPDX-License-Identifier: MIT */
/* Descriptors that are closed when there is time for it. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <eff.h>

#include "internal.h"
#include "leak.h"

static struct eff_rt *rt;
static int result;

static void open_runtime(void)
{
	ck_assert_int_eq(eff_rt_new(NULL, &rt), 0);
}

static void close_runtime(void)
{
	ck_assert_int_eq(eff_rt_shutdown(rt, EFF_M(1)), 0);
	eff_rt_free(rt);
}

static eff_exit waits(void *arg)
{
	result = eff_wait_fd(*(int *)arg, EFF_READ);
	return eff_ok(NULL);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Who waits for it is told at once, and another that is opened meanwhile has another number. */
static eff_exit closed_late(void *arg)
{
	int ends[2], more[40], n_open = 0;
	struct eff_fiber *fiber;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(eff_fork(EFF(waits, &ends[0]), &fiber), 0);
	ck_assert_int_eq(eff_yield(), 0);
	eff_fd_close_late(ends[0]);
	eff_fd_close_late(-1);
	ck_assert(is_open(ends[0]));
	ck_assert_int_eq(eff_await(fiber, NULL), 0);
	eff_fiber_unref(fiber);
	ck_assert_int_eq(result, -EBADF);
	ck_assert_int_eq(eff_await_turn(), 0);
	ck_assert(!is_open(ends[0]));
	close(ends[1]);
	/* So many cannot all wait. */
	for (int i = 0; i < 40; i++)
		more[i] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	for (int i = 0; i < 40; i++)
		eff_fd_close_late(more[i]);
	for (int i = 0; i < 40; i++)
		n_open += is_open(more[i]);
	ck_assert_int_eq(n_open, EFF__LATE_FDS);
	ck_assert_int_eq(eff_await_turn(), 0);
	for (int i = 0; i < 40; i++)
		ck_assert(!is_open(more[i]));
	/* With the runtime's end at the latest. */
	eff_fd_close_late(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0));
	return eff_ok(arg);
}

START_TEST(what_may_be_closed_late_is_closed_at_the_end_of_the_turn)
{
	ck_assert(eff_is_ok(eff_rt_run(rt, EFF(closed_late, NULL))));
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("io_late");
	TCase *tcase = tcase_create("late");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, open_runtime, close_runtime);
	tcase_add_test(tcase, what_may_be_closed_late_is_closed_at_the_end_of_the_turn);
	suite_add_tcase(suite, tcase);
	return suite;
}
