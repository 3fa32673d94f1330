/* SPDX-License-Identifier: MIT */
/* Effects run here, within a time, again; and a program around one. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <eff/effect.h>
#include <eff/scope.h>

#include "leak.h"
#include "run.h"

Suite *test_suite(void);

/* Takes the exit. */
static void ck_text(eff_exit e, const char *want)
{
	char buf[128];

	ck_assert_str_eq(eff_exit_text(e, buf, sizeof(buf)), want);
	eff_exit_drop(e);
}

static eff_exit nap(void *arg)
{
	return eff_exit_of(eff_sleep(*(int64_t *)arg));
}

static eff_exit give(void *arg)
{
	return *(eff_exit *)arg;
}

static eff_exit call(void *arg)
{
	eff_exit given = eff_ok_number(42);

	(void)arg;
	ck_assert_int_eq(eff_call(EFF(give, &given)).value.number, 42);
	return eff_ok(NULL);
}

START_TEST(calling_runs_an_effect_here)
{
	run_ok(call, NULL);
}
END_TEST

static eff_exit tried(void *arg)
{
	int r = eff_sleep(*(int64_t *)arg);
	EFF_TRY(first, eff_exit_of(r));
	EFF_TRY(second, eff_exit_of(-EIO));

	(void)first;
	return second;
}

START_TEST(a_try_returns_the_first_exit_that_is_not_ok)
{
	ck_text(eff_rt_run(run_rt, EFF(tried, NUMBER(1))), "fail 5");
}
END_TEST

static eff_exit stubborn(void *arg)
{
	(void)eff_sleep(EFF_S(9));
	return *(eff_exit *)arg;
}

static eff_exit timeouts(void *arg)
{
	eff_exit good = eff_ok(NULL);
	eff_exit bad = eff_die("defect");

	(void)arg;
	ck_text(eff_timeout(EFF_S(2), EFF(nap, NUMBER(EFF_S(1)))), "ok");
	ck_assert_int_eq(eff_now(), EFF_S(1));
	ck_text(eff_timeout(EFF_S(2), EFF(nap, NUMBER(EFF_S(5)))), "fail 110");
	ck_assert_int_eq(eff_now(), EFF_S(3));
	/* It succeeded all the same. */
	ck_text(eff_timeout(EFF_S(2), EFF(stubborn, &good)), "ok");
	ck_text(eff_timeout(EFF_S(2), EFF(stubborn, &bad)), "fail 110; and die: defect");
	bad = eff_failf(3, "in time");
	ck_text(eff_timeout(EFF_S(2), EFF(give, &bad)), "fail 3: in time");
	ck_text(eff_timeout(EFF_FOREVER, EFF(nap, NUMBER(EFF_S(1)))), "ok");
	ck_text(eff_timeout(0, EFF(nap, NUMBER(EFF_S(1)))), "fail 110");
	ck_assert_int_eq(eff_check(), 0);
	return eff_ok(NULL);
}

START_TEST(a_timeout_ends_what_takes_too_long)
{
	ck_assert_int_eq(ETIMEDOUT, 110);
	run_ok(timeouts, NULL);
}
END_TEST

static int countdown;

static eff_exit fail_until_zero(void *arg)
{
	say("try");
	if (countdown-- > 0)
		return eff_failf(countdown + 1, "%s", (const char *)arg);
	return eff_ok(NULL);
}

static eff_exit succeed_until_zero(void *arg)
{
	say("run");
	return countdown-- > 0 ? eff_ok_number(countdown) : eff_die("%s", (const char *)arg);
}

static eff_exit retries(void *arg)
{
	struct eff_sched s = eff_exponential(EFF_S(1), 2);

	(void)arg;
	countdown = 3;
	ck_text(eff_retry(EFF(fail_until_zero, TEXT("x")), &s), "ok");
	ck_assert_str_eq(run_trace, "try@0 try@1 try@3 try@7 ");
	s = eff_sched_times(eff_spaced(EFF_S(1)), 2);
	countdown = 10;
	ck_text(eff_retry(EFF(fail_until_zero, TEXT("x")), &s), "fail 8: x");
	ck_assert_int_eq(eff_now(), EFF_S(9));
	return eff_ok(NULL);
}

START_TEST(a_retry_goes_on_by_its_schedule_until_something_else_than_a_failure)
{
	run_ok(retries, NULL);
}
END_TEST

static eff_exit repeats(void *arg)
{
	struct eff_sched s = eff_spaced(EFF_S(2));

	(void)arg;
	countdown = 2;
	ck_text(eff_repeat(EFF(succeed_until_zero, TEXT("done")), &s), "die: done");
	ck_assert_str_eq(run_trace, "run@0 run@2 run@4 ");
	s = eff_sched_times(s, 1);
	countdown = 9;
	ck_text(eff_repeat(EFF(succeed_until_zero, TEXT("never")), &s), "ok");
	ck_assert_int_eq(countdown, 7);
	return eff_ok(NULL);
}

START_TEST(a_repeat_goes_on_by_its_schedule_until_something_else_than_ok)
{
	run_ok(repeats, NULL);
}
END_TEST

static eff_exit retry_within(void *arg)
{
	struct eff_sched s = eff_spaced(EFF_S(2));
	struct eff_scope within;
	eff_exit exit;

	(void)arg;
	countdown = 100;
	eff_scope_open(&within);
	eff_scope_limit(&within, EFF_S(3));
	exit = eff_retry(EFF(fail_until_zero, TEXT("x")), &s);
	ck_assert_int_eq(eff_scope_close(&within), -ETIMEDOUT);
	ck_assert_int_eq(eff_now(), EFF_S(3));
	ck_text(exit, "fail 110; and fail 99: x");
	return eff_ok(NULL);
}

START_TEST(a_retry_whose_delay_is_cut_short_says_so_and_keeps_the_last_failure)
{
	run_ok(retry_within, NULL);
}
END_TEST

/* ── a program ── */

static eff_exit raise_and_wait(void *arg)
{
	/* The signal is blocked and comes through a descriptor, so it is there when the loop looks. */
	(void)kill(getpid(), (int)*(int64_t *)arg);
	return eff_exit_of(eff_sleep(EFF_FOREVER));
}

static eff_exit fail_daemon(void *arg)
{
	(void)arg;
	return eff_failf(9, "alone");
}

static eff_exit fork_a_failing_daemon(void *arg)
{
	(void)arg;
	(void)eff_fork_daemon(EFF_NAMED("background", fail_daemon, NULL), NULL);
	return eff_exit_of(eff_sleep(EFF_MS(1)));
}

/* Run it as a program of its own; returns its wait status, and what it said on stderr. */
static int run_main(eff e, char *ret_said, size_t size)
{
	int ends[2];
	int status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		exit(eff_main(e, NULL));
	}
	close(ends[1]);
	while (len + 1 < size && (n = read(ends[0], ret_said + len, size - 1 - len)) > 0)
		len += (size_t)n;
	ret_said[len] = '\0';
	close(ends[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void ck_main(eff e, int want, const char *words)
{
	char said[512];
	int status = run_main(e, said, sizeof(said));

	ck_assert_msg(WIFEXITED(status), "status %#x, it said: %s", (unsigned)status, said);
	ck_assert_int_eq(WEXITSTATUS(status), want);
	ck_assert_str_eq(said, words);
}

START_TEST(the_code_of_a_program_says_how_its_effect_ended)
{
	eff_exit ok = eff_ok_number(5);
	eff_exit three = eff_failf(3, "words");
	eff_exit large = eff_fail(126);
	eff_exit negative = eff_fail(-1);
	eff_exit defect = eff_die("defect");
	eff_exit interrupted = eff_interrupted();

	ck_main(EFF(give, &ok), 0, "");
	ck_main(EFF(give, &three), 3, "give: fail 3: words\n");
	ck_main(EFF(give, &large), 1, "give: fail 126\n");
	ck_main(EFF(give, &negative), 1, "give: fail -1\n");
	ck_main(EFF(give, &defect), 134, "give: die: defect\n");
	ck_main(EFF(give, &interrupted), 130, "");
	eff_exit_drop(three);
	eff_exit_drop(defect);
}
END_TEST

START_TEST(sigint_and_sigterm_interrupt_a_program)
{
	ck_main(EFF(raise_and_wait, NUMBER(SIGINT)), 130, "");
	ck_main(EFF(raise_and_wait, NUMBER(SIGTERM)), 130, "");
}
END_TEST

START_TEST(a_program_tells_of_a_failure_that_nobody_awaited)
{
	ck_main(EFF(fork_a_failing_daemon, NULL), 0, "background: fail 9: alone\n");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("effect");
	TCase *tcase = tcase_create("effect");
	TCase *program = tcase_create("program");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, calling_runs_an_effect_here);
	tcase_add_test(tcase, a_try_returns_the_first_exit_that_is_not_ok);
	tcase_add_test(tcase, a_timeout_ends_what_takes_too_long);
	tcase_add_test(tcase, a_retry_goes_on_by_its_schedule_until_something_else_than_a_failure);
	tcase_add_test(tcase, a_repeat_goes_on_by_its_schedule_until_something_else_than_ok);
	tcase_add_test(tcase, a_retry_whose_delay_is_cut_short_says_so_and_keeps_the_last_failure);
	test_leak_guard(program);
	tcase_add_test(program, the_code_of_a_program_says_how_its_effect_ended);
	tcase_add_test(program, sigint_and_sigterm_interrupt_a_program);
	tcase_add_test(program, a_program_tells_of_a_failure_that_nobody_awaited);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, program);
	return suite;
}
