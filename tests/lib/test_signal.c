/* SPDX-License-Identifier: MIT */
/* Signals arrive as results of a wait, with their sender, and never as signals. */
#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <eff.h>

#include "leak.h"

static struct eff_signals signals;
static sigset_t before;

static void run_root(eff_fn *fn)
{
	struct eff_rt *rt;
	sigset_t after, set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, NULL, &before);
	ck_assert_int_eq(eff_rt_new(NULL, &rt), 0);
	ck_assert_int_eq(eff_signals_open(&signals, &set), 0);
	ck_assert(eff_is_ok(eff_rt_run(rt, EFF(fn, NULL))));
	eff_signals_close(&signals);
	eff_signals_close(&signals);
	eff_rt_free(rt);
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	for (int sig = 1; sig < NSIG; sig++)
		ck_assert_int_eq(sigismember(&before, sig), sigismember(&after, sig));
}

static eff_exit sender(void *arg)
{
	kill(getpid(), *(int *)arg);
	return eff_ok(NULL);
}

static eff_exit senders(void *arg)
{
	static int hup = SIGHUP;
	pid_t pid = -1;
	uid_t uid = 77777;

	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	ck_assert_int_eq(eff_signals_await(&signals, &pid, &uid), SIGTERM);
	ck_assert_int_eq(pid, getpid());
	ck_assert_uint_eq(uid, getuid());
	ck_assert_int_eq(eff_fork(EFF(sender, &hup), NULL), 0);
	ck_assert_int_eq(eff_signals_await(&signals, NULL, NULL), SIGHUP);
	return eff_ok(arg);
}

START_TEST(a_signal_and_its_sender_are_told)
{
	run_root(senders);
}
END_TEST

static eff_exit timed(void *arg)
{
	struct itimerval soon = {.it_value.tv_usec = 1000};
	struct eff_signals alarms;
	sigset_t set;
	pid_t pid = -1;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	ck_assert_int_eq(eff_signals_open(&alarms, &set), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &soon, NULL), 0);
	ck_assert_int_eq(eff_signals_await(&alarms, &pid, NULL), SIGALRM);
	ck_assert_int_eq(pid, 0);
	eff_signals_close(&alarms);
	return eff_ok(arg);
}

START_TEST(the_kernel_is_sender_zero)
{
	run_root(timed);
}
END_TEST

static eff_exit limited(void *arg)
{
	struct eff_scope scope;

	eff_scope_open(&scope);
	eff_scope_limit(&scope, eff_now() + EFF_MS(1));
	ck_assert_int_eq(eff_signals_await(&signals, NULL, NULL), -ETIMEDOUT);
	ck_assert_int_eq(eff_scope_close(&scope), -ETIMEDOUT);
	/* Pending and unread when the set closes: dropped, for it was caught. */
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	return eff_ok(arg);
}

START_TEST(a_signal_that_nobody_read_kills_nobody)
{
	run_root(limited);
}
END_TEST

static eff_exit changed(void *arg)
{
	sigset_t set, blocked;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	/* SIGTERM is pending when it leaves the set: it would kill us. SIGHUP stays. */
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	ck_assert_int_eq(kill(getpid(), SIGHUP), 0);
	ck_assert_int_eq(eff_signals_change(&signals, &set), 0);
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	ck_assert(!sigismember(&blocked, SIGTERM));
	ck_assert_int_eq(kill(getpid(), SIGUSR1), 0);
	ck_assert_int_eq(eff_signals_await(&signals, NULL, NULL), SIGHUP);
	ck_assert_int_eq(eff_signals_await(&signals, NULL, NULL), SIGUSR1);
	return eff_ok(arg);
}

START_TEST(another_set_is_awaited_from_then_on)
{
	run_root(changed);
}
END_TEST

static eff_exit kept(void *arg)
{
	struct eff_signals own;
	sigset_t set;
	int fd;

	/* Blocked before is blocked after, and what is pending of that is nobody's to drop. */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR2);
	ck_assert_int_eq(eff_signals_open(&own, &set), 0);
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	sigdelset(&set, SIGTERM);
	ck_assert_int_eq(eff_signals_change(&own, &set), 0);
	ck_assert_int_eq(eff_signals_await(&signals, NULL, NULL), SIGTERM);
	/* No descriptor of signals: nothing is changed. */
	fd = own.fd;
	own.fd = STDIN_FILENO;
	sigaddset(&set, SIGUSR1);
	ck_assert_int_eq(eff_signals_change(&own, &set), -EINVAL);
	own.fd = fd;
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	ck_assert(!sigismember(&set, SIGUSR1));
	ck_assert(sigismember(&set, SIGUSR2));
	eff_signals_close(&own);
	return eff_ok(arg);
}

START_TEST(what_was_blocked_before_stays_blocked)
{
	run_root(kept);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("signal");
	TCase *tcase = tcase_create("signals");

	test_leak_guard(tcase);
	tcase_add_test(tcase, a_signal_and_its_sender_are_told);
	tcase_add_test(tcase, the_kernel_is_sender_zero);
	tcase_add_test(tcase, a_signal_that_nobody_read_kills_nobody);
	tcase_add_test(tcase, another_set_is_awaited_from_then_on);
	tcase_add_test(tcase, what_was_blocked_before_stays_blocked);
	suite_add_tcase(suite, tcase);
	return suite;
}
