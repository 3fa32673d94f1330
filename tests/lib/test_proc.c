/* SPDX-License-Identifier: MIT */
/* Children are kept, watched, killed and reaped, whichever way they were made and whichever way their ends are noticed. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "children.h"
#include "procs.h"

enum { N_CODES = 256 };

/* A sanitized process takes milliseconds to fork. */
static bool is_slow(void)
{
	return eff__proc_without & EFF__WITHOUT_CLONE3;
}

/* ── ends ── */

static eff_exit codes(void *arg)
{
	static struct eff_proc *procs[N_CODES];
	char script[32];
	const char *const argv[] = {"/bin/sh", "-c", script, NULL};
	int n_released = 0, status, step = is_slow() ? 15 : 1;
	struct eff_spawn spawn = spawn_of(argv, &n_released);

	for (int code = 0; code < N_CODES; code += step) {
		snprintf(script, sizeof script, "exit %d", code);
		ck_assert_int_eq(eff_spawn(&spawn, &procs[code]), 0);
		ck_assert_int_eq(eff_proc_await_exec(procs[code], NULL), 0);
	}
	for (int code = 0; code < N_CODES; code += step) {
		ck_assert_int_eq(eff_proc_await_end(procs[code], &status), 0);
		ck_assert_int_eq(status, code << 8);
		ck_assert(eff_proc_ended(procs[code], &status));
		ck_assert_int_eq(eff_proc_signal(procs[code], SIGTERM), -ESRCH);
		eff_proc_free(procs[code]);
	}
	ck_assert_int_eq(n_released, (N_CODES - 1) / step + 1);
	return eff_ok(arg);
}

START_TEST(every_exit_code_is_told)
{
	eff__proc_without = ways[_i];
	run_root(codes);
}
END_TEST

static bool is_deadly(int sig)
{
	static const int others[] = {
		SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (sig == others[i])
			return false;
	return sig < 32 || sig >= SIGRTMIN;
}

static eff_exit signals(void *arg)
{
	const char *const argv[] = {"/bin/sleep", "1000", NULL};
	const struct eff_step step = {
		.kind = EFF_STEP_RLIMIT, .stage = "limits", .limit = {RLIMIT_CORE, {0, 0}}};
	int n_released = 0, status;
	struct eff_spawn spawn = spawn_of(argv, &n_released);

	spawn.steps = &step;
	spawn.n_steps = 1;
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		struct eff_proc *proc;

		if (!is_deadly(sig))
			continue;
		ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
		ck_assert_int_eq(eff_proc_await_exec(proc, NULL), 0);
		ck_assert(!eff_proc_ended(proc, &status));
		ck_assert_int_eq(eff_proc_signal(proc, sig), 0);
		ck_assert_int_eq(eff_proc_await_end(proc, &status), 0);
		ck_assert(WIFSIGNALED(status));
		ck_assert_int_eq(WTERMSIG(status), sig);
		eff_proc_free(proc);
	}
	return eff_ok(arg);
}

START_TEST(every_deadly_signal_is_told)
{
	eff__proc_without = ways[_i];
	run_root(signals);
}
END_TEST

static eff_exit late_question(void *arg)
{
	const char *const argv[] = {"/bin/sh", "-c", "kill -KILL $$", NULL};
	int n_released = 0, status;
	struct eff_spawn spawn = spawn_of(argv, &n_released);
	struct eff_proc *proc;

	ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
	ck_assert_int_eq(eff_proc_await_end(proc, &status), 0);
	ck_assert_int_eq(status, SIGKILL);
	ck_assert_int_eq(eff_proc_await_exec(proc, NULL), 0);
	ck_assert_int_eq(eff_proc_await_exec(proc, NULL), 0);
	ck_assert_int_eq(eff_proc_await_end(proc, &status), 0);
	ck_assert_int_eq(status, SIGKILL);
	eff_proc_free(proc);
	return eff_ok(arg);
}

START_TEST(a_program_killed_at_once_has_executed_all_the_same)
{
	eff__proc_without = ways[_i];
	run_root(late_question);
}
END_TEST

static struct eff_proc *shared;

static eff_exit waits_for_shared(void *arg)
{
	int status;
	int r = eff_proc_await_end(shared, &status);

	if (arg && r >= 0)
		*(int *)arg = status;
	return eff_exit_of(r);
}

static eff_exit many_waiters(void *arg)
{
	const char *const argv[] = {"/bin/sleep", "1000", NULL};
	int n_released = 0, told[3] = {0};
	struct eff_spawn spawn = spawn_of(argv, &n_released);
	struct eff_fiber *fibers[4];
	struct eff_scope within;
	eff_exit exit;

	ck_assert_int_eq(eff_spawn(&spawn, &shared), 0);
	ck_assert_int_eq(eff_proc_await_exec(shared, NULL), 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(eff_fork(EFF(waits_for_shared, &told[i]), &fibers[i]), 0);
	ck_assert_int_eq(eff_fork(EFF(waits_for_shared, NULL), &fibers[3]), 0);
	ck_assert_int_eq(eff_yield(), 0);
	/* One is interrupted, one has a limit: that concerns nobody else. */
	ck_assert_int_eq(eff_interrupt(fibers[3], &exit), 0);
	ck_assert_int_eq(exit.tag, EFF_INTERRUPT);
	eff_scope_open(&within);
	eff_scope_limit(&within, eff_now() + EFF_MS(1));
	ck_assert_int_eq(eff_proc_await_end(shared, NULL), -ETIMEDOUT);
	ck_assert_int_eq(eff_scope_close(&within), -ETIMEDOUT);
	ck_assert_int_eq(eff_proc_signal(shared, SIGTERM), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(eff_await(fibers[i], NULL), 0);
		ck_assert_int_eq(told[i], SIGTERM);
	}
	for (int i = 0; i < 4; i++)
		eff_fiber_unref(fibers[i]);
	eff_proc_free(shared);
	return eff_ok(arg);
}

START_TEST(any_number_may_wait_for_one_end)
{
	eff__proc_without = ways[_i];
	run_root(many_waiters);
}
END_TEST

/* ── giving up ── */

static eff_exit given_up(void *arg)
{
	const char *const argv[] = {"/bin/sleep", "1000", NULL};
	int n_released = 0, pidfd;
	struct eff_spawn spawn = spawn_of(argv, &n_released);
	struct eff_proc *proc;
	siginfo_t info;
	pid_t pid;

	ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
	pid = eff_proc_pid(proc);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	ck_assert_int_ge(pidfd, 0);
	eff_proc_free(proc);
	/* Nobody waits for it any more; it is reaped in the loop's turns. */
	do
		ck_assert_int_gt(eff_wait_fd(pidfd, EFF_READ), 0);
	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0);
	ck_assert_int_eq(errno, ECHILD);
	ck_assert_int_eq(n_released, 1);
	eff_fd_close(pidfd);
	return eff_ok(arg);
}

START_TEST(a_child_given_up_is_killed_and_reaped_without_a_fiber)
{
	eff__proc_without = ways[_i];
	run_root(given_up);
}
END_TEST

static eff_exit gives_up_and_ends(void *arg)
{
	const char *const argv[] = {"/bin/sleep", "1000", NULL};
	struct eff_spawn spawn = spawn_of(argv, arg);
	struct eff_proc *proc;

	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
		eff_proc_free(proc);
	}
	return eff_ok(NULL);
}

START_TEST(the_end_of_the_runtime_reaps_what_was_given_up)
{
	struct eff_rt *rt;
	int n_released = 0;

	eff__proc_without = ways[_i];
	ck_assert_int_eq(eff_rt_new(NULL, &rt), 0);
	ck_assert(eff_is_ok(eff_rt_run(rt, EFF(gives_up_and_ends, &n_released))));
	eff_rt_free(rt);
	ck_assert_int_eq(n_released, 5);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

/* ── strangers ── */

static pid_t stranger;

static eff_exit collected(void *arg)
{
	const char *const argv[] = {"/bin/true", NULL};
	int n_released = 0, status;
	struct eff_spawn spawn = spawn_of(argv, &n_released);
	struct eff_proc *proc;
	siginfo_t info;

	ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
	/* Both are zombies, and the loop has not had a turn. */
	ck_assert_int_eq(waitid(P_PID, (id_t)eff_proc_pid(proc), &info, WEXITED | WNOWAIT), 0);
	ck_assert_int_eq(waitid(P_PID, (id_t)stranger, &info, WEXITED | WNOWAIT), 0);
	ck_assert(!eff_proc_collect(stranger));
	ck_assert(eff_proc_collect(eff_proc_pid(proc)));
	ck_assert(eff_proc_ended(proc, &status));
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(n_released, 1);
	ck_assert_int_eq(eff_proc_await_exec(proc, NULL), 0);
	ck_assert(!eff_proc_collect(eff_proc_pid(proc)));
	ck_assert_int_eq(waitpid(stranger, &status, 0), stranger);
	ck_assert_int_eq(status, 3 << 8);
	eff_proc_free(proc);
	return eff_ok(arg);
}

START_TEST(our_own_can_be_collected_and_a_stranger_cannot)
{
	eff__proc_without = ways[_i];
	/* Before there are fibers, whose stacks a copy does not have. */
	stranger = fork();
	if (stranger == 0)
		_exit(3);
	run_root(collected);
}
END_TEST

static eff_exit with_signal_set(void *arg)
{
	const char *const argv[] = {"/bin/true", NULL};
	int n_released = 0, status;
	struct eff_spawn spawn = spawn_of(argv, &n_released);
	struct eff_signals set_open;
	struct eff_proc *before, *proc;
	sigset_t set;

	ck_assert_int_eq(eff_spawn(&spawn, &before), 0);
	ck_assert_int_eq(eff_proc_await_end(before, &status), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	ck_assert_int_eq(eff_signals_open(&set_open, &set), 0);
	ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
	ck_assert_int_eq(eff_signals_await(&set_open, NULL, NULL), SIGCHLD);
	ck_assert_int_eq(eff_proc_await_end(proc, &status), 0);
	eff_proc_free(proc);
	eff_signals_close(&set_open);
	ck_assert_int_eq(eff_spawn(&spawn, &proc), 0);
	ck_assert_int_eq(eff_proc_await_end(proc, &status), 0);
	eff_proc_free(proc);
	eff_proc_free(before);
	return eff_ok(arg);
}

START_TEST(a_signal_set_with_SIGCHLD_takes_no_end_away)
{
	eff__proc_without = ways[_i];
	run_root(with_signal_set);
}
END_TEST

/* ── in numbers ── */

static int n_mappings(void)
{
	char line[512];
	FILE *file = fopen("/proc/self/maps", "re");
	int n = 0;

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof line, file))
		n++;
	fclose(file);
	return n;
}

/* At the end of a turn: what could wait for it is closed. */
static int n_descriptors(void)
{
	DIR *dir;
	int n = 0;

	ck_assert_int_eq(eff_await_turn(), 0);
	dir = opendir("/proc/self/fd");
	ck_assert_ptr_nonnull(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

enum { AT_ONCE = 50 };

static void spawn_round(void)
{
	static struct eff_proc *procs[AT_ONCE];
	const char *const argv[] = {"/bin/true", NULL};
	int n_released = 0, status;
	struct eff_spawn spawn = spawn_of(argv, &n_released);

	for (int i = 0; i < AT_ONCE; i++)
		ck_assert_int_eq(eff_spawn(&spawn, &procs[i]), 0);
	for (int i = 0; i < AT_ONCE; i++) {
		ck_assert_int_eq(eff_proc_await_end(procs[i], &status), 0);
		ck_assert_int_eq(status, 0);
		eff_proc_free(procs[i]);
	}
	ck_assert_int_eq(n_released, AT_ONCE);
}

static eff_exit many(void *arg)
{
	int mappings, descriptors;

	for (int i = 0; i < 2; i++)
		spawn_round();
	mappings = n_mappings();
	descriptors = n_descriptors();
	for (int i = 0; i < (is_slow() ? 3 : 18); i++)
		spawn_round();
	/* Up to as many stacks as are kept, with their guards. */
	ck_assert_int_le(n_mappings(), mappings + 2 * EFF__CHILD_STACKS_KEPT);
	ck_assert_int_eq(n_descriptors(), descriptors);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
	return eff_ok(arg);
}

START_TEST(a_thousand_children_leave_nothing)
{
	eff__proc_without = ways[_i];
	run_root(many);
}
END_TEST

static unsigned count_ended(struct eff_proc *const *procs, unsigned n)
{
	unsigned count = 0;

	for (unsigned i = 0; i < n; i++)
		count += eff_proc_ended(procs[i], NULL);
	return count;
}

/* All have ended before the loop looks once. */
static eff_exit ended_at_once(void *arg)
{
	enum { N = 4 * EFF__REAPS_A_TURN };
	static struct eff_proc *procs[N];
	const char *const argv[] = {"/bin/true", NULL};
	int n_released = 0;
	struct eff_spawn spawn = spawn_of(argv, &n_released);
	unsigned before = 0, turns = 0;

	for (int i = 0; i < N; i++)
		ck_assert_int_eq(eff_spawn(&spawn, &procs[i]), 0);
	for (int i = 0; i < N; i++)
		while (waitid(P_PID, (id_t)eff_proc_pid(procs[i]), &(siginfo_t){0},
			       WEXITED | WNOWAIT) < 0)
			ck_assert_int_eq(errno, EINTR);
	for (; before < N; turns++) {
		unsigned now;

		ck_assert_int_eq(eff_await_turn(), 0);
		now = count_ended(procs, N);
		ck_assert_uint_le(now, before + EFF__REAPS_A_TURN);
		before = now;
	}
	ck_assert_uint_ge(turns, 4);
	ck_assert_int_eq(n_released, N);
	for (int i = 0; i < N; i++)
		eff_proc_free(procs[i]);
	return eff_ok(arg);
}

START_TEST(however_many_end_at_once_a_turn_collects_a_few)
{
	run_root(ended_at_once);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("proc");
	TCase *tcase = tcase_create("children");

	test_leak_guard(tcase);
	tcase_add_loop_test(tcase, every_exit_code_is_told, 0, N_FAST_WAYS);
	tcase_add_loop_test(tcase, every_deadly_signal_is_told, 0, N_FAST_WAYS);
	tcase_add_loop_test(tcase, a_program_killed_at_once_has_executed_all_the_same, 0, N_WAYS);
	tcase_add_loop_test(tcase, any_number_may_wait_for_one_end, 0, N_WAYS);
	tcase_add_loop_test(tcase, a_child_given_up_is_killed_and_reaped_without_a_fiber, 0, N_WAYS);
	tcase_add_loop_test(tcase, the_end_of_the_runtime_reaps_what_was_given_up, 0, N_WAYS);
	tcase_add_loop_test(tcase, our_own_can_be_collected_and_a_stranger_cannot, 0, N_WAYS);
	tcase_add_loop_test(tcase, a_signal_set_with_SIGCHLD_takes_no_end_away, 0, N_WAYS);
	tcase_add_loop_test(tcase, a_thousand_children_leave_nothing, 0, N_FAST_WAYS);
	tcase_add_test(tcase, however_many_end_at_once_a_turn_collects_a_few);
	suite_add_tcase(suite, tcase);
	return suite;
}
