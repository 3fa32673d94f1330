/* SPDX-License-Identifier: MIT */
/* A program around an effect: its exit code, its words, its signals. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <eff/clock.h>
#include <eff/effect.h>
#include <eff/runtime.h>

#include "apart.h"
#include "leak.h"

Suite *test_suite(void);

#define NUMBER(n) (&(int64_t){n})

static eff_exit give(void *arg)
{
	return *(eff_exit *)arg;
}

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

static void be_main(void *arg)
{
	exit(eff_main(*(eff *)arg, NULL));
}

/* Run it as a program of its own; returns its wait status, and what it said on stderr. */
static int run_main(eff e, char *ret_said, size_t size)
{
	return run_apart(be_main, &e, ret_said, size);
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

static eff_exit runs(void *arg)
{
	++*(int *)arg;
	return eff_exit_of(eff_sleep(EFF_MS(1)));
}

/* With a descriptor more in each round: it runs, or says why it cannot and leaves nothing. */
START_TEST(a_program_without_descriptors_says_so_and_leaves_nothing)
{
	struct rlimit before, low;
	int n_refused = 0;
	int n_run = 0;
	int code = EMFILE;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = before;
	low.rlim_cur = (rlim_t)dup(0);
	close((int)low.rlim_cur);
	while (code == EMFILE && n_refused < 20) {
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
		code = eff_main(EFF(runs, &n_run), NULL);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
		ck_assert_ptr_null(eff_rt_current());
		n_refused += code == EMFILE;
		low.rlim_cur++;
	}
	ck_assert_int_eq(code, 0);
	ck_assert_int_eq(n_run, 1);
	ck_assert_int_ge(n_refused, 3);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("program");
	TCase *tcase = tcase_create("program");

	test_leak_guard(tcase);
	tcase_add_test(tcase, the_code_of_a_program_says_how_its_effect_ended);
	tcase_add_test(tcase, sigint_and_sigterm_interrupt_a_program);
	tcase_add_test(tcase, a_program_tells_of_a_failure_that_nobody_awaited);
	tcase_add_test(tcase, a_program_without_descriptors_says_so_and_leaves_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}
