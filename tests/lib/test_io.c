/* SPDX-License-Identifier: MIT */
/* Waiting for descriptors: who is woken, with what, and what the loop is asked for. */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <eff.h>

#include "leak.h"
#include "loop.h"

static struct eff_rt *rt;

static void open_runtime(void)
{
	ck_assert_int_eq(eff_rt_new(NULL, &rt), 0);
}

static void close_runtime(void)
{
	ck_assert_int_eq(eff_rt_shutdown(rt, EFF_M(1)), 0);
	eff_rt_free(rt);
}

static void run_root(eff_fn *fn)
{
	ck_assert(eff_is_ok(eff_rt_run(rt, EFF(fn, NULL))));
}

static void pipe_make(int ends[2])
{
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
}

static void pipe_close(int ends[2])
{
	eff_fd_close(ends[0]);
	eff_fd_close(ends[1]);
}

struct waiter {
	int fd, events, result;
};

static eff_exit waits(void *arg)
{
	struct waiter *w = arg;

	w->result = eff_wait_fd(w->fd, w->events);
	return eff_ok(NULL);
}

static struct eff_fiber *fork_waiter(struct waiter *w)
{
	struct eff_fiber *fiber;

	ck_assert_int_eq(eff_fork(EFF(waits, w), &fiber), 0);
	ck_assert_int_eq(eff_yield(), 0);
	return fiber;
}

static void await(struct eff_fiber *fiber)
{
	ck_assert_int_eq(eff_await(fiber, NULL), 0);
	eff_fiber_unref(fiber);
}

static eff_exit many(void *arg)
{
	struct waiter w[5];
	struct eff_fiber *fibers[5];
	int pair[2];

	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	for (int i = 0; i < 5; i++) {
		w[i] = (struct waiter){
			.fd = pair[0], .events = i == 4 ? EFF_READ | EFF_WRITE : EFF_READ};
		fibers[i] = fork_waiter(&w[i]);
	}
	await(fibers[4]);
	ck_assert_int_eq(w[4].result, EFF_WRITE);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(w[i].result, 0);
	ck_assert_int_eq(eff_write_all(pair[1], "x", 1), 0);
	for (int i = 0; i < 4; i++) {
		await(fibers[i]);
		ck_assert_int_eq(w[i].result, EFF_READ);
	}
	pipe_close(pair);
	return eff_ok(arg);
}

START_TEST(any_number_may_wait_and_each_gets_what_it_asked_for)
{
	run_root(many);
}
END_TEST

static eff_exit forgotten(void *arg)
{
	struct waiter w[2];
	struct eff_fiber *fibers[2];
	int ends[2], again[2];

	pipe_make(ends);
	for (int i = 0; i < 2; i++) {
		w[i] = (struct waiter){.fd = ends[0], .events = EFF_READ};
		fibers[i] = fork_waiter(&w[i]);
	}
	eff_fd_forget(ends[0]);
	for (int i = 0; i < 2; i++) {
		await(fibers[i]);
		ck_assert_int_eq(w[i].result, -EBADF);
	}
	eff_fd_close(ends[0]);
	/* The number is used again, for something else that can be waited for. */
	pipe_make(again);
	ck_assert_int_eq(again[0], ends[0]);
	w[0] = (struct waiter){.fd = again[0], .events = EFF_READ};
	fibers[0] = fork_waiter(&w[0]);
	ck_assert_int_eq(eff_write_all(again[1], "x", 1), 0);
	await(fibers[0]);
	ck_assert_int_eq(w[0].result, EFF_READ);
	pipe_close(again);
	eff_fd_close(ends[1]);
	return eff_ok(arg);
}

START_TEST(a_descriptor_that_is_closed_wakes_who_waits_and_its_number_is_new)
{
	run_root(forgotten);
}
END_TEST

static eff_exit cannot(void *arg)
{
	int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC),
	    folder = open("/", O_RDONLY | O_CLOEXEC);
	char c;

	ck_assert_int_eq(eff_wait_fd(file, EFF_READ), -EPERM);
	ck_assert_int_eq(eff_wait_fd(folder, EFF_READ), -EPERM);
	ck_assert_int_eq((int)eff_read(file, &c, 1), 1);
	eff_fd_close(file);
	eff_fd_close(folder);
	eff_fd_close(-1);
	ck_assert_int_eq(eff_wait_fd(file, EFF_READ), -EBADF);
	ck_assert_int_eq(eff_wait_fd(-1, EFF_READ), -EBADF);
	ck_assert_int_eq((int)eff_read(-1, &c, 1), -EBADF);
	return eff_ok(arg);
}

START_TEST(what_cannot_be_waited_for_is_told)
{
	run_root(cannot);
}
END_TEST

static eff_exit cut_short(void *arg)
{
	struct eff_scope scope;
	struct waiter w;
	struct eff_fiber *fiber;
	int ends[2];
	char c;

	pipe_make(ends);
	eff_scope_open(&scope);
	eff_scope_limit(&scope, eff_now() + EFF_MS(1));
	ck_assert_int_eq((int)eff_read(ends[0], &c, 1), -ETIMEDOUT);
	/* It stays so, data or no data. */
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	ck_assert_int_eq((int)eff_read(ends[0], &c, 1), -ETIMEDOUT);
	ck_assert_int_eq(eff_scope_close(&scope), -ETIMEDOUT);
	ck_assert_int_eq((int)eff_read(ends[0], &c, 1), 1);
	w = (struct waiter){.fd = ends[0], .events = EFF_READ};
	fiber = fork_waiter(&w);
	ck_assert_int_eq(eff_interrupt(fiber, NULL), 0);
	ck_assert_int_eq(w.result, -ECANCELED);
	eff_fiber_unref(fiber);
	pipe_close(ends);
	return eff_ok(arg);
}

START_TEST(a_wait_for_a_descriptor_can_be_cut_short)
{
	run_root(cut_short);
}
END_TEST

/* ── hooks, and what the loop is asked for ── */

static const struct eff_backend *uncounted;
static int n_watches, watched;

static int watch_counted(struct eff__backend_state *state, int fd, int events)
{
	n_watches++;
	watched = events;
	return uncounted->watch(state, fd, events);
}

static eff_exit echoes(void *arg)
{
	int *fds = arg;
	char c;

	while (eff_read(fds[0], &c, 1) == 1)
		if (eff_write_all(fds[1], &c, 1) < 0)
			break;
	return eff_ok(NULL);
}

static eff_exit ping_pong(void *arg)
{
	struct eff_backend counted = *rt->backend;
	int there[2], back[2], fds[2];
	struct eff_fiber *fiber;
	char c = 'x';

	pipe_make(there);
	pipe_make(back);
	fds[0] = there[0];
	fds[1] = back[1];
	uncounted = rt->backend;
	counted.watch = watch_counted;
	rt->backend = &counted;
	ck_assert_int_eq(eff_fork(EFF(echoes, fds), &fiber), 0);
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(eff_write_all(there[1], &c, 1), 0);
		ck_assert_int_eq((int)eff_read(back[0], &c, 1), 1);
	}
	ck_assert_int_le(n_watches, 8);
	eff_fd_close(there[1]);
	await(fiber);
	eff_fd_close(there[0]);
	pipe_close(back);
	rt->backend = uncounted;
	return eff_ok(arg);
}

START_TEST(waiting_again_and_again_asks_the_loop_once)
{
	run_root(ping_pong);
}
END_TEST

static eff_exit unread(void *arg)
{
	struct waiter w;
	uint64_t turns;
	int ends[2];

	pipe_make(ends);
	w = (struct waiter){.fd = ends[0], .events = EFF_READ};
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	await(fork_waiter(&w));
	ck_assert_int_eq(w.result, EFF_READ);
	/* Nobody reads it, and nobody waits: the loop must not turn for it. */
	turns = rt->stats.turns;
	ck_assert_int_eq(eff_sleep(EFF_MS(20)), 0);
	ck_assert_uint_le(rt->stats.turns - turns, 6);
	pipe_close(ends);
	return eff_ok(arg);
}

START_TEST(what_nobody_awaits_does_not_keep_the_loop_busy)
{
	run_root(unread);
}
END_TEST

/* ── watches ── */

struct watcher {
	struct eff_watch watch;
	struct eff_pulse told;
	unsigned n;
};

static void on_watch(struct eff_watch *watch)
{
	struct watcher *w = eff_container(watch, struct watcher, watch);

	ck_assert_ptr_null(eff_self());
	w->n++;
	eff_pulse_send(&w->told);
}

static eff_exit watches(void *arg)
{
	struct eff_backend counted = *rt->backend;
	struct watcher w = {.watch = {.fn = on_watch}};
	int ends[2];

	pipe_make(ends);
	uncounted = rt->backend;
	counted.watch = watch_counted;
	rt->backend = &counted;
	eff_pulse_init(&w.told);
	ck_assert_int_eq(eff_fd_watch(ends[0], EFF_READ | EFF_WRITE, &w.watch), 0);
	ck_assert_int_eq(eff_await_turn(), 0);
	ck_assert_uint_eq(w.n, 0);
	/* Who waits for it alone is no deadlock. */
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	ck_assert_int_eq(eff_pulse_await(&w.told), 0);
	/* Once, and again when it is asked for again, for it is still there. */
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(eff_await_turn(), 0);
	ck_assert_uint_eq(w.n, 1);
	/* Meanwhile it is not watched at all. */
	ck_assert_int_eq(watched, 0);
	ck_assert_int_eq(eff_fd_watch(ends[0], EFF_READ | EFF_WRITE, &w.watch), 0);
	ck_assert_int_eq(eff_pulse_await(&w.told), 0);
	ck_assert_uint_eq(w.n, 2);
	/* Taken back, twice. */
	ck_assert_int_eq(eff_fd_watch(ends[0], EFF_READ | EFF_WRITE, &w.watch), 0);
	ck_assert_int_eq(eff_fd_watch(ends[0], 0, NULL), 0);
	ck_assert_int_eq(eff_fd_watch(ends[0], 0, NULL), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(eff_await_turn(), 0);
	ck_assert_uint_eq(w.n, 2);
	/* The other end goes. */
	ck_assert_int_eq(read(ends[0], &(char){0}, 1), 1);
	ck_assert_int_eq(eff_fd_watch(ends[0], EFF_READ | EFF_WRITE, &w.watch), 0);
	eff_fd_close(ends[1]);
	ck_assert_int_eq(eff_pulse_await(&w.told), 0);
	ck_assert_uint_eq(w.n, 3);
	/* It goes itself, watched. */
	ck_assert_int_eq(eff_fd_watch(ends[0], EFF_READ, &w.watch), 0);
	eff_fd_close(ends[0]);
	ck_assert_int_eq(eff_await_turn(), 0);
	ck_assert_uint_eq(w.n, 3);
	ck_assert_int_eq(eff_fd_watch(ends[0], EFF_READ, &w.watch), -EBADF);
	rt->backend = uncounted;
	return eff_ok(arg);
}

START_TEST(a_watch_is_called_once_in_the_loops_turn)
{
	run_root(watches);
}
END_TEST

/* ── numbers ── */

START_TEST(what_lives_long_is_raised_above_what_children_get)
{
	struct rlimit before, low;
	int low_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int fd = fcntl(low_fd, F_DUPFD_CLOEXEC, 40);
	int raised = eff_fd_raise(fd);

	ck_assert_int_ge(raised, 128);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	/* Among few there is nothing to rise above. */
	ck_assert_int_eq(eff_fd_raise(low_fd), low_fd);
	ck_assert_int_eq(fcntl(raised, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(eff_fd_raise(raised), raised);
	ck_assert_int_eq(eff_fd_raise(-1), -1);
	close(raised);
	close(low_fd);
	/* Where there are no such numbers it stays. */
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = before;
	low.rlim_cur = 64;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	low_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fd = fcntl(low_fd, F_DUPFD_CLOEXEC, 40);
	ck_assert_int_eq(eff_fd_raise(fd), fd);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	close(low_fd);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

/* ── turns ── */

static const char *first;

static eff_exit reads_first(void *arg)
{
	ck_assert_int_gt(eff_wait_fd(*(int *)arg, EFF_READ), 0);
	first = first ? first : "reader";
	return eff_ok(NULL);
}

static eff_exit awaits_turn(void *arg)
{
	struct eff_rt_stats before, after;

	eff_rt_stats(rt, &before);
	ck_assert_int_eq(eff_await_turn(), 0);
	eff_rt_stats(rt, &after);
	ck_assert_uint_gt(after.turns, before.turns);
	first = first ? first : "who awaits a turn";
	return eff_ok(arg);
}

static eff_exit turns(void *arg)
{
	struct eff_scope within;
	int ends[2];

	pipe_make(ends);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	eff_scope_open(&within);
	ck_assert_int_eq(eff_fork(EFF(awaits_turn, NULL), NULL), 0);
	ck_assert_int_eq(eff_fork(EFF(reads_first, &ends[0]), NULL), 0);
	ck_assert_int_eq(eff_await_turn(), 0);
	ck_assert_int_eq(eff_await_turn(), 0);
	ck_assert_str_eq(first, "reader");
	eff_scope_cancel(&within);
	ck_assert_int_eq(eff_await_turn(), -ECANCELED);
	ck_assert_int_eq(eff_scope_close(&within), -ECANCELED);
	pipe_close(ends);
	return eff_ok(arg);
}

START_TEST(who_awaits_a_turn_lets_the_loop_look_at_descriptors)
{
	run_root(turns);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("io");
	TCase *tcase = tcase_create("descriptors");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, open_runtime, close_runtime);
	tcase_add_test(tcase, any_number_may_wait_and_each_gets_what_it_asked_for);
	tcase_add_test(tcase, a_descriptor_that_is_closed_wakes_who_waits_and_its_number_is_new);
	tcase_add_test(tcase, what_cannot_be_waited_for_is_told);
	tcase_add_test(tcase, a_wait_for_a_descriptor_can_be_cut_short);
	tcase_add_test(tcase, waiting_again_and_again_asks_the_loop_once);
	tcase_add_test(tcase, what_nobody_awaits_does_not_keep_the_loop_busy);
	tcase_add_test(tcase, a_watch_is_called_once_in_the_loops_turn);
	tcase_add_test(tcase, what_lives_long_is_raised_above_what_children_get);
	tcase_add_test(tcase, who_awaits_a_turn_lets_the_loop_look_at_descriptors);
	suite_add_tcase(suite, tcase);
	return suite;
}
