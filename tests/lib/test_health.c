/* SPDX-License-Identifier: MIT */
/* Health checks: when they are asked, when they are too many, and what a child's end by them is. */
#include <string.h>

#include <eff/effect.h>
#include <eff/health.h>

#include "leak.h"
#include "supervised.h"

Suite *test_suite(void);

/* What the check says, one letter an attempt, the last one ever after: y well, n not, h it hangs, s slow (2 s) and well. */
static const char *answers;
static unsigned n_asked;
static bool asking;

static eff_exit check(void *arg)
{
	char answer = answers[n_asked < strlen(answers) ? n_asked : strlen(answers) - 1];
	int r = 0;

	(void)arg;
	ck_assert(!asking);
	asking = true;
	n_asked++;
	say("%c", answer);
	if (answer == 'h' || answer == 's')
		r = eff_sleep(answer == 's' ? EFF_S(2) : EFF_FOREVER);
	asking = false;
	if (r < 0)
		return eff_exit_of(r);
	return answer == 'n' ? eff_failf(5, "not well") : eff_ok(NULL);
}

static struct eff_health health_of(const char *says, unsigned failures)
{
	answers = says;
	n_asked = 0;
	asking = false;
	return (struct eff_health){.check = EFF(check, NULL),
		.every = EFF_S(10),
		.timeout = EFF_S(3),
		.failures = failures};
}

FIBER_TEST(it_asks_each_period_until_it_has_failed_so_often_in_a_row)
{
	struct eff_health health = health_of("ynynnsnnnn", 3);
	eff_exit exit = eff_health_watch(&health);
	char text[100];

	/* A period runs from the end of one attempt to the next. */
	EXPECT("y@10 n@20 y@30 n@40 n@50 s@60 n@72 n@82 n@92 ");
	ck_assert_str_eq(eff_exit_text(exit, text, sizeof(text)), "fail 5: not well");
	eff_exit_drop(exit);
	return eff_ok(NULL);
}

FIBER_TEST(an_attempt_past_its_timeout_has_failed_and_never_overlaps_the_next)
{
	struct eff_health health = health_of("hyhh", 2);
	eff_exit exit = eff_health_watch(&health);

	EXPECT("h@10 y@23 h@33 h@46 ");
	ck_assert_int_eq(exit.code, ETIMEDOUT);
	eff_exit_drop(exit);
	return eff_ok(NULL);
}

FIBER_TEST(without_a_number_the_first_failure_is_too_many_and_without_a_timeout_it_waits)
{
	struct eff_health health = health_of("sn", 0);
	eff_exit exit;

	health.timeout = 0;
	health.every = EFF_S(1);
	exit = eff_health_watch(&health);
	EXPECT("s@1 n@4 ");
	eff_exit_drop(exit);
	return eff_ok(NULL);
}

static eff_exit linger(void *arg)
{
	int *n = arg;

	++*n;
	(void)eff_sleep(EFF_FOREVER);
	--*n;
	return eff_interrupted();
}

static eff_exit leave_one_behind(void *arg)
{
	int *n = arg;

	ck_assert_int_eq(*n, 0);
	ck_assert_int_eq(eff_fork(EFF(linger, arg), NULL), 0);
	ck_assert_int_eq(eff_yield(), 0);
	return ++n_asked < 3 ? eff_ok(NULL) : eff_fail(1);
}

FIBER_TEST(nothing_of_an_attempt_is_left_for_the_next_with_a_timeout_or_without)
{
	for (eff_ns timeout = 0; timeout <= EFF_S(1); timeout += EFF_S(1)) {
		int n_left = 0;
		struct eff_health health = {.check = EFF(leave_one_behind, &n_left),
			.every = EFF_S(1),
			.timeout = timeout};

		n_asked = 0;
		ck_assert_int_eq(eff_health_watch(&health).code, 1);
		ck_assert_int_eq(n_left, 0);
	}
	return eff_ok(NULL);
}

FIBER_TEST(a_watch_that_is_cut_short_is_no_failure)
{
	struct eff_health health = health_of("h", 1);
	eff_exit exit;

	health.timeout = 0;
	exit = eff_timeout(EFF_S(5), EFF(check, NULL));
	eff_exit_drop(exit);
	run_trace[0] = '\0';
	for (int i = 0; i < 2; i++) {
		/* Between attempts, and in one. */
		struct eff_scope within;

		eff_scope_open(&within);
		eff_scope_limit(&within, eff_now() + (i ? EFF_S(15) : EFF_S(5)));
		exit = eff_health_watch(&health);
		ck_assert_int_eq(eff_scope_close(&within), -ETIMEDOUT);
		ck_assert_int_eq(exit.code, ETIMEDOUT);
		eff_exit_drop(exit);
	}
	EXPECT("h@20 ");
	return eff_ok(NULL);
}

/* Changes the period while it is waited for: to more, to less, and to less than has passed. */
static eff_exit changes(void *arg)
{
	struct eff_health *health = arg;

	(void)eff_sleep(EFF_S(4));
	health->every = EFF_S(20);
	eff_pulse_send(health->changed);
	(void)eff_sleep(EFF_S(10));
	health->every = EFF_S(15);
	eff_pulse_send(health->changed);
	(void)eff_sleep(EFF_S(5));
	health->every = EFF_S(2);
	eff_pulse_send(health->changed);
	return eff_ok(NULL);
}

FIBER_TEST(another_period_holds_for_the_wait_that_runs)
{
	struct eff_health health = health_of("yyn", 1);
	struct eff_pulse changed;
	eff_exit exit;

	eff_pulse_init(&changed);
	health.changed = &changed;
	ck_assert_int_eq(eff_fork(EFF(changes, &health), NULL), 0);
	exit = eff_health_watch(&health);
	EXPECT("y@15 y@19 n@21 ");
	eff_exit_drop(exit);
	return eff_ok(NULL);
}

FIBER_TEST(one_whose_period_may_change_is_cut_short_all_the_same)
{
	struct eff_health health = health_of("y", 1);
	struct eff_pulse changed;
	struct eff_scope within;
	eff_exit exit;

	eff_pulse_init(&changed);
	health.changed = &changed;
	eff_scope_open(&within);
	eff_scope_limit(&within, eff_now() + EFF_S(5));
	exit = eff_health_watch(&health);
	ck_assert_int_eq(eff_scope_close(&within), -ETIMEDOUT);
	ck_assert_int_eq(exit.code, ETIMEDOUT);
	eff_exit_drop(exit);
	EXPECT("");
	return eff_ok(NULL);
}

/* ── of a child ── */

FIBER_TEST(a_child_whose_check_fails_dies_of_it_and_runs_again)
{
	struct eff_health health = health_of("ynnnyynnny", 3);
	struct player p[] = {PLAYER(
		"a", {.up_after = EFF_S(5), .lives = EFF_FOREVER, .stop_takes = EFF_S(1)})};
	struct eff_sup sup;
	char text[100];

	p[0].child.health = &health;
	p[0].child.policy.restart = EFF_ON_ABNORMAL;
	PLAY(&sup, p);
	(void)eff_sleep(EFF_S(49));
	/* The first attempt is one period after it was up. */
	EXPECT("a+@0 y@15 n@25 n@35 n@45 a.@46 a~@46 a+@47 ");
	ck_assert_str_eq(eff_exit_text(p[0].child.last, text, sizeof(text)),
		"die: its health check failed; and fail 5: not well");
	ck_assert_uint_eq(eff_child_failures(&p[0].child), 1);
	(void)eff_sleep(EFF_S(66));
	/* Each run counts anew. */
	EXPECT("y@62 y@72 n@82 n@92 n@102 a.@103 a~@103 a+@104 ");
	return played(&sup);
}

FIBER_TEST(one_that_is_not_up_is_not_asked)
{
	struct eff_health health = health_of("n", 1);
	struct player p[] = {PLAYER("a", {.up_after = -1, .lives = EFF_S(60)})};
	struct eff_sup sup;

	p[0].child.health = &health;
	p[0].child.policy.restart = EFF_NEVER;
	PLAY(&sup, p);
	(void)eff_sleep(EFF_S(100));
	EXPECT("a+@0 a-@60 a=done@60 ");
	return played(&sup);
}

FIBER_TEST(what_it_said_itself_is_kept_behind_the_check)
{
	struct eff_health health = health_of("n", 1);
	struct player p[] = {PLAYER("a",
		{.lives = EFF_FOREVER, .says_so = true, .ends = {.tag = EFF_FAIL, .code = 9}})};
	struct eff_sup sup;
	char text[100];

	p[0].child.health = &health;
	p[0].child.policy.restart = EFF_NEVER;
	PLAY(&sup, p);
	(void)eff_sleep(EFF_S(15));
	EXPECT("a+@0 n@10 a.@10 a=failed@10 ");
	ck_assert_str_eq(eff_exit_text(p[0].child.last, text, sizeof(text)),
		"die: its health check failed; and fail 5: not well; and fail 9");
	return played(&sup);
}

FIBER_TEST(a_stop_ends_the_watch_too)
{
	struct eff_health health = health_of("h", 1);
	struct player p[] = {PLAYER("a", STEADY)};
	struct eff_sup sup;

	p[0].child.health = &health;
	PLAY(&sup, p);
	(void)eff_sleep(EFF_S(11));
	ck_assert(asking);
	ck_assert_int_eq(eff_child_stop(&p[0].child), 0);
	ck_assert(!asking);
	EXPECT("a+@0 h@10 a.@11 a=stopped@11 ");
	return played(&sup);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("lib/health");
	TCase *c = tcase_create("health");

	test_leak_guard(c);
	tcase_add_checked_fixture(c, run_setup, run_teardown);
	tcase_add_test(c, it_asks_each_period_until_it_has_failed_so_often_in_a_row);
	tcase_add_test(c, an_attempt_past_its_timeout_has_failed_and_never_overlaps_the_next);
	tcase_add_test(c,
		without_a_number_the_first_failure_is_too_many_and_without_a_timeout_it_waits);
	tcase_add_test(c, nothing_of_an_attempt_is_left_for_the_next_with_a_timeout_or_without);
	tcase_add_test(c, a_watch_that_is_cut_short_is_no_failure);
	tcase_add_test(c, another_period_holds_for_the_wait_that_runs);
	tcase_add_test(c, one_whose_period_may_change_is_cut_short_all_the_same);
	tcase_add_test(c, a_child_whose_check_fails_dies_of_it_and_runs_again);
	tcase_add_test(c, one_that_is_not_up_is_not_asked);
	tcase_add_test(c, what_it_said_itself_is_kept_behind_the_check);
	tcase_add_test(c, a_stop_ends_the_watch_too);
	suite_add_tcase(suite, c);
	return suite;
}
