/* SPDX-License-Identifier: MIT */
/* What blocks runs on threads: few of them, without signals, and what nobody waits for any more still ends well. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <eff.h>

#include "leak.h"

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

struct work {
	pthread_t ran_on, done_on;
	sigset_t mask;
	int n_ran, n_done;
	int gate[2]; /* it blocks until this has something, if it is a pipe */
};

static atomic_int n_at_once, most_at_once;

static void work(void *arg)
{
	struct work *w = arg;
	int n = atomic_fetch_add(&n_at_once, 1) + 1;
	char c;

	if (n > atomic_load(&most_at_once))
		atomic_store(&most_at_once, n);
	w->ran_on = pthread_self();
	pthread_sigmask(SIG_BLOCK, NULL, &w->mask);
	if (w->gate[0] > 0)
		ck_assert_int_ge(read(w->gate[0], &c, 1), 0);
	w->n_ran++;
	atomic_fetch_sub(&n_at_once, 1);
}

static void done(void *arg)
{
	struct work *w = arg;

	w->done_on = pthread_self();
	w->n_done++;
}

static eff_exit one(void *arg)
{
	struct work w = {0};

	ck_assert_int_eq(eff_blocking(work, &w, done), 0);
	ck_assert_int_eq(w.n_ran, 1);
	ck_assert_int_eq(w.n_done, 0);
	ck_assert(!pthread_equal(w.ran_on, pthread_self()));
	ck_assert(sigismember(&w.mask, SIGTERM) && sigismember(&w.mask, SIGCHLD) &&
		sigismember(&w.mask, SIGUSR1));
	return eff_ok(arg);
}

START_TEST(a_job_runs_on_another_thread_without_signals)
{
	run_root(one);
}
END_TEST

static eff_exit job(void *arg)
{
	return eff_exit_of(eff_blocking(work, arg, done));
}

static eff_exit many(void *arg)
{
	enum { N = 40 };
	static struct work w[N];
	struct eff_fiber *fibers[N];
	int gate[2];

	ck_assert_int_eq(pipe2(gate, O_CLOEXEC), 0);
	for (int i = 0; i < N; i++) {
		w[i].gate[0] = gate[0];
		ck_assert_int_eq(eff_fork(EFF(job, &w[i]), &fibers[i]), 0);
	}
	ck_assert_int_eq(eff_yield(), 0);
	close(gate[1]);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(eff_await(fibers[i], NULL), 0);
		ck_assert_int_eq(w[i].n_ran, 1);
		eff_fiber_unref(fibers[i]);
	}
	ck_assert_int_le(atomic_load(&most_at_once), 4);
	close(gate[0]);
	return eff_ok(arg);
}

START_TEST(many_jobs_share_four_threads)
{
	run_root(many);
}
END_TEST

/* Those that hang are as many as there are threads for jobs that end. One was queued when that could not be known yet, and
 * what comes later need not wait. */
static eff_exit hang(void *arg)
{
	enum { N = 4 };
	static struct work w[N], queued, later;
	struct eff_fiber *fibers[N];

	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(pipe2(w[i].gate, O_CLOEXEC), 0);
		ck_assert_int_eq(eff_fork(EFF(job, &w[i]), &fibers[i]), 0);
	}
	ck_assert_int_eq(eff_yield(), 0);
	ck_assert_int_eq(eff_blocking(work, &queued, done), 0);
	ck_assert_int_eq(eff_blocking(work, &later, done), 0);
	ck_assert_int_eq(queued.n_ran + later.n_ran, 2);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(w[i].n_ran, 0);
		close(w[i].gate[1]);
		ck_assert_int_eq(eff_await(fibers[i], NULL), 0);
		eff_fiber_unref(fibers[i]);
		ck_assert_int_eq(w[i].n_ran, 1);
		close(w[i].gate[0]);
	}
	return eff_ok(arg);
}

START_TEST(jobs_that_hang_do_not_hold_up_others)
{
	run_root(hang);
}
END_TEST

static eff_exit abandoned(void *arg)
{
	static struct work w, other;
	struct eff_scope scope;

	ck_assert_int_eq(pipe2(w.gate, O_CLOEXEC), 0);
	eff_scope_open(&scope);
	eff_scope_limit(&scope, eff_now() + EFF_MS(1));
	ck_assert_int_eq(eff_blocking(work, &w, done), -ETIMEDOUT);
	ck_assert_int_eq(eff_scope_close(&scope), -ETIMEDOUT);
	ck_assert_int_eq(w.n_done, 0);
	/* It blocks, and other work goes on. */
	ck_assert_int_eq(eff_blocking(work, &other, NULL), 0);
	close(w.gate[1]);
	while (!w.n_done)
		ck_assert_int_eq(eff_sleep(EFF_US(100)), 0);
	ck_assert_int_eq(w.n_ran, 1);
	ck_assert_int_eq(w.n_done, 1);
	ck_assert(pthread_equal(w.done_on, pthread_self()));
	close(w.gate[0]);
	return eff_ok(arg);
}

START_TEST(a_job_whose_waiter_has_gone_runs_to_its_end_and_is_done_in_the_loop)
{
	run_root(abandoned);
}
END_TEST

static struct work left[6];

static eff_exit leaves(void *arg)
{
	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(eff_fork(EFF(job, &left[i]), NULL), 0);
	ck_assert_int_eq(eff_yield(), 0);
	return eff_ok(arg); /* takes its children with it, while they wait */
}

START_TEST(the_end_of_the_runtime_ends_jobs_and_calls_done)
{
	run_root(leaves);
	close_runtime();
	for (int i = 0; i < 6; i++) {
		ck_assert_int_eq(left[i].n_ran, 1);
		ck_assert_int_eq(left[i].n_done, 1);
	}
	open_runtime();
}
END_TEST

static struct work stuck;

static eff_exit sticks(void *arg)
{
	ck_assert_int_eq(eff_fork(EFF(job, &stuck), NULL), 0);
	ck_assert_int_eq(eff_yield(), 0);
	return eff_ok(arg);
}

START_TEST(a_job_that_hangs_does_not_hold_the_end_of_the_runtime)
{
	ck_assert_int_eq(pipe2(stuck.gate, O_CLOEXEC), 0);
	run_root(sticks);
	close_runtime();
	ck_assert_int_eq(stuck.n_ran, 0);
	close(stuck.gate[1]);
	while (atomic_load(&n_at_once) > 0)
		;
	close(stuck.gate[0]);
	open_runtime();
}
END_TEST

/* ── where threads are forbidden ── */

static void forbid_threads(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static eff_exit forbidden(void *arg)
{
	struct work w = {0};

	(void)arg;
	ck_assert_int_eq(eff_blocking(work, &w, done), 0);
	ck_assert_int_eq(w.n_ran, 1);
	ck_assert_int_eq(w.n_done, 0);
	ck_assert(pthread_equal(w.ran_on, pthread_self()));
	return eff_ok(NULL);
}

/* In a process of its own, which ends at once: what looks for leaks at the end needs a thread. */
START_TEST(a_job_runs_in_the_loops_thread_where_there_may_be_no_other)
{
	pid_t pid = fork();
	int status = 0;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		forbid_threads();
		run_root(forbidden);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

/* ── in virtual time ── */

START_TEST(jobs_that_wait_for_a_thread_move_no_clock)
{
	struct eff_rt_opts opts = {.clock = eff_testclock_new(0)};

	ck_assert_ptr_nonnull(opts.clock);
	eff_testclock_autojump(opts.clock, _i);
	ck_assert_int_eq(eff_rt_new(&opts, &rt), 0);
	run_root(hang);
	ck_assert_int_eq(eff_now(), 0);
	close_runtime();
	eff_testclock_free(opts.clock);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("blocking");
	TCase *tcase = tcase_create("jobs");
	TCase *virtual = tcase_create("virtual");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, open_runtime, close_runtime);
	tcase_add_test(tcase, a_job_runs_on_another_thread_without_signals);
	tcase_add_test(tcase, many_jobs_share_four_threads);
	tcase_add_test(tcase, jobs_that_hang_do_not_hold_up_others);
	tcase_add_test(tcase, a_job_whose_waiter_has_gone_runs_to_its_end_and_is_done_in_the_loop);
	tcase_add_test(tcase, the_end_of_the_runtime_ends_jobs_and_calls_done);
	tcase_add_test(tcase, a_job_that_hangs_does_not_hold_the_end_of_the_runtime);
	tcase_add_test(tcase, a_job_runs_in_the_loops_thread_where_there_may_be_no_other);
	test_leak_guard(virtual);
	tcase_add_loop_test(virtual, jobs_that_wait_for_a_thread_move_no_clock, 0, 2);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, virtual);
	return suite;
}
