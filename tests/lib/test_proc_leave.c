/* SPDX-License-Identifier: MIT */
/* A child that is let go lives on, whichever way it was made and whichever way its end is noticed. */
#include <errno.h>
#include <signal.h>

#include "children.h"
#include "procs.h"

static const char *const stays[] = {"/bin/sh", "-c", "read line; exit 0", NULL};

/* Reads from `fds[0]` until that ends, and ends well. */
static struct eff_proc *executed(int *fds, int *n_released)
{
	struct eff_spawn spawn = spawn_of(stays, n_released);
	struct eff_proc *proc;

	spawn.fds = fds;
	ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
	ck_assert_int_eq(eff_proc_await_exec(proc, NULL), 0);
	return proc;
}

/* ── while there is a runtime ── */

static eff_exit left(void *arg)
{
	int ends[2], n_released = 0, fds[3] = {-1, -1, 2}, pidfd;
	struct eff_proc *proc;
	siginfo_t info = {0};
	pid_t pid;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	fds[0] = ends[0];
	proc = executed(fds, &n_released);
	close(ends[0]);
	pid = eff_proc_pid(proc);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	ck_assert_int_ge(pidfd, 0);

	eff_proc_leave(proc);
	ck_assert_int_eq(eff_await_turn(), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	ck_assert_int_eq(info.si_pid, 0);

	/* Now it ends by itself. */
	close(ends[1]);
	do {
		ck_assert_int_gt(eff_wait_fd(pidfd, EFF_READ), 0);
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
			break;
		ck_assert_int_eq(info.si_code, CLD_EXITED);
	} while (true);
	ck_assert_int_eq(errno, ECHILD);
	ck_assert_int_eq(n_released, 1);
	eff_fd_close(pidfd);
	return eff_ok(arg);
}

START_TEST(a_child_let_go_lives_on_and_is_reaped_at_its_own_end)
{
	eff__proc_without = ways[_i];
	run_root(left);
}
END_TEST

static eff_exit left_when_ended(void *arg)
{
	const char *const argv[] = {"/bin/true", NULL};
	int n_released = 0;
	struct eff_spawn spawn = spawn_of(argv, &n_released);
	struct eff_proc *proc;

	ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
	ck_assert_int_eq(eff_proc_await_end(proc, NULL), 0);
	eff_proc_leave(proc);
	eff_proc_leave(NULL);
	return eff_ok(arg);
}

START_TEST(one_that_has_ended_is_just_given_back)
{
	run_root(left_when_ended);
}
END_TEST

/* ── the runtime ends first ── */

static struct eff_proc *held;
static pid_t pid_held;

static eff_exit leaves_and_ends(void *arg)
{
	int n_released = 0;

	held = executed(arg, &n_released);
	pid_held = eff_proc_pid(held);
	ck_assert_int_eq(n_released, 1);
	return eff_ok(NULL);
}

/* Its end, when its input ends. */
static void check_it_ends_well(int end)
{
	int status;

	ck_assert_int_eq(waitpid(pid_held, NULL, WNOHANG), 0);
	close(end);
	ck_assert_int_eq(waitpid(pid_held, &status, 0), pid_held);
	ck_assert_int_eq(status, 0);
}

/* Let it go when half of the runtime's life is over, or when all of it is. */
static void leave_and_end(bool after)
{
	int ends[2], fds[3] = {-1, -1, 2};
	struct eff_rt *rt;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	fds[0] = ends[0];
	ck_assert_int_eq(eff_rt_new(NULL, &rt), 0);
	ck_assert(eff_is_ok(eff_rt_run(rt, EFF(leaves_and_ends, fds))));
	close(ends[0]);
	if (!after)
		eff_proc_leave(held);
	eff_rt_free(rt);
	if (after)
		eff_proc_leave(held);
	check_it_ends_well(ends[1]);
}

START_TEST(one_let_go_outlives_the_runtime)
{
	eff__proc_without = ways[_i];
	leave_and_end(false);
}
END_TEST

START_TEST(one_can_be_let_go_when_there_is_no_runtime_any_more)
{
	eff__proc_without = ways[_i];
	leave_and_end(true);
}
END_TEST

static eff_exit leaves_unborn(void *arg)
{
	const char *const argv[] = {"/bin/sleep", "1000", NULL};
	struct eff_spawn spawn = spawn_of(argv, arg);
	struct eff_proc *proc;

	ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
	eff_proc_leave(proc);
	return eff_ok(NULL);
}

START_TEST(one_that_has_not_executed_by_then_is_killed)
{
	int n_released = 0;
	struct eff_rt *rt;

	eff__proc_without = ways[_i];
	ck_assert_int_eq(eff_rt_new(NULL, &rt), 0);
	ck_assert(eff_is_ok(eff_rt_run(rt, EFF(leaves_unborn, &n_released))));
	eff_rt_free(rt);
	ck_assert_int_eq(n_released, 1);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("proc_leave");
	TCase *tcase = tcase_create("children");

	test_leak_guard(tcase);
	tcase_add_loop_test(tcase, a_child_let_go_lives_on_and_is_reaped_at_its_own_end, 0, N_WAYS);
	tcase_add_test(tcase, one_that_has_ended_is_just_given_back);
	tcase_add_loop_test(tcase, one_let_go_outlives_the_runtime, 0, N_WAYS);
	tcase_add_loop_test(tcase, one_can_be_let_go_when_there_is_no_runtime_any_more, 0, N_WAYS);
	tcase_add_loop_test(tcase, one_that_has_not_executed_by_then_is_killed, 0, N_FAST_WAYS);
	suite_add_tcase(suite, tcase);
	return suite;
}
