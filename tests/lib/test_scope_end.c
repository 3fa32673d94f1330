/* SPDX-License-Identifier: MIT */
/* Ends with an exit: what was deferred is shown it, and what that failed with is put behind it. */
#include <errno.h>

#include <eff/scope.h>

#include "internal.h"
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

static void say_exit(const char *who, eff_exit exit)
{
	char buf[128];

	say("%s(%s)", who, eff_exit_text(exit, buf, sizeof(buf)));
}

static void plain(void *arg)
{
	say("%s", (const char *)arg);
}

static eff_exit good(void *arg, eff_exit exit)
{
	say_exit(arg, exit);
	return eff_ok(NULL);
}

/* Waits, so it must be masked; then fails. */
static eff_exit bad(void *arg, eff_exit exit)
{
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	say_exit(arg, exit);
	return eff_failf(5, "%s failed", (const char *)arg);
}

static eff_exit defect(void *arg, eff_exit exit)
{
	say_exit(arg, exit);
	return eff_die("%s died", (const char *)arg);
}

struct deferring {
	struct eff_scope scope;
	struct eff_finalizer a, b, c, d;
};

static void open_and_defer(struct deferring *it)
{
	eff_scope_open(&it->scope);
	eff_defer(&it->scope, &it->a, plain, TEXT("a"));
	eff_defer_exit(&it->scope, &it->b, defect, TEXT("b"));
	eff_defer_exit(&it->scope, &it->c, bad, TEXT("c"));
	eff_defer_exit(&it->scope, &it->d, good, TEXT("d"));
}

static eff_exit end_with_a_failure(void *arg)
{
	struct deferring it;

	(void)arg;
	open_and_defer(&it);
	ck_text(eff_scope_end(&it.scope, eff_failf(3, "why")),
		"fail 3: why; and fail 5: c failed; and die: b died");
	return eff_ok(NULL);
}

START_TEST(what_was_deferred_is_shown_the_exit_and_its_failures_are_behind_it)
{
	run_ok(end_with_a_failure, NULL);
	ck_assert_str_eq(run_trace, "d(fail 3: why)@0 c(fail 3: why)@1 b(fail 3: why)@1 a@1 ");
}
END_TEST

static eff_exit end_well(void *arg)
{
	struct deferring it;
	struct eff_scope scope;
	eff_exit exit;

	(void)arg;
	open_and_defer(&it);
	ck_text(eff_scope_end(&it.scope, eff_ok_number(42)), "fail 5: c failed; and die: b died");
	eff_scope_open(&scope);
	eff_defer_exit(&scope, &it.a, good, TEXT("e"));
	exit = eff_scope_end(&scope, eff_ok_number(42));
	ck_assert_int_eq(exit.value.number, 42);
	ck_text(exit, "ok");
	return eff_ok(NULL);
}

START_TEST(an_ok_gives_way_to_the_first_failure_of_what_was_deferred)
{
	run_ok(end_well, NULL);
	ck_assert_str_eq(run_trace, "d(ok)@0 c(ok)@1 b(ok)@1 a@1 e(ok)@1 ");
}
END_TEST

static void on_unhandled(void *context, const char *name, eff_exit exit)
{
	(void)context;
	say_exit(name, exit);
}

static eff_exit close_without_an_exit(void *arg)
{
	struct deferring it;

	(void)arg;
	open_and_defer(&it);
	eff_scope_limit(&it.scope, EFF_S(2));
	ck_assert_int_eq(eff_sleep(EFF_S(3)), -ETIMEDOUT);
	ck_assert_int_eq(eff_scope_close(&it.scope), -ETIMEDOUT);
	eff_scope_open(&it.scope);
	eff_defer_exit(&it.scope, &it.a, good, TEXT("e"));
	eff_scope_cancel(&it.scope);
	ck_assert_int_eq(eff_scope_close(&it.scope), -ECANCELED);
	return eff_ok(NULL);
}

START_TEST(closing_shows_the_reason_and_tells_the_hook_of_failures)
{
	run_rt->hooks.on_unhandled = on_unhandled;
	run_ok(close_without_an_exit, NULL);
	ck_assert_str_eq(run_trace,
		"d(fail 110)@2 c(fail 110)@3 b(fail 110)@3 a@3 "
		"root(fail 5: c failed; and die: b died)@3 e(interrupt)@3 ");
}
END_TEST

/* ── a fiber's body ── */

struct body {
	struct eff_finalizer a, b;
	eff_ns naps;
};

static eff_exit deferring_body(void *arg)
{
	struct body *body = arg;

	eff_defer_exit(eff_scope_current(), &body->a, good, TEXT("a"));
	eff_defer_exit(eff_scope_current(), &body->b, bad, TEXT("b"));
	if (!body->naps)
		return eff_die("at once");
	return eff_exit_of(eff_sleep(body->naps));
}

static eff_exit await_bodies(void *arg)
{
	struct body body = {0};
	struct eff_fiber *child = forked(deferring_body, &body);

	(void)arg;
	ck_assert_str_eq(end_of(child), "die: at once; and fail 5: b failed");
	body.naps = EFF_S(1);
	child = forked(deferring_body, &body);
	ck_assert_str_eq(end_of(child), "fail 5: b failed");
	body.naps = EFF_H(1);
	child = forked(deferring_body, &body);
	ck_assert_int_eq(eff_yield(), 0);
	eff_interrupt_async(child);
	ck_assert_str_eq(end_of(child), "interrupt; and fail 5: b failed");
	return eff_ok(NULL);
}

START_TEST(a_fibers_exit_is_shown_to_what_its_body_deferred_and_has_its_failures)
{
	run_ok(await_bodies, NULL);
	ck_assert_str_eq(run_trace,
		"b(die: at once)@1 a(die: at once)@1 b(ok)@3 a(ok)@3 b(interrupt)@4 a(interrupt)@4 ");
}
END_TEST

static eff_exit defer_one_more(void *arg, eff_exit exit)
{
	static struct eff_finalizer more;

	say_exit("first", exit);
	eff_defer_exit(arg, &more, good, TEXT("more"));
	return eff_ok(NULL);
}

static eff_exit defer_while_ending(void *arg)
{
	struct eff_finalizer node;
	struct eff_scope scope;

	(void)arg;
	eff_scope_open(&scope);
	eff_defer_exit(&scope, &node, defer_one_more, &scope);
	ck_text(eff_scope_end(&scope, eff_interrupted()), "interrupt");
	return eff_ok(NULL);
}

START_TEST(what_is_deferred_while_a_scope_ends_runs_too)
{
	run_ok(defer_while_ending, NULL);
	ck_assert_str_eq(run_trace, "first(interrupt)@0 more(interrupt)@0 ");
}
END_TEST

static eff_exit cancel_a_closed_one(void *arg)
{
	struct eff_scope scope;

	(void)arg;
	eff_scope_open(&scope);
	ck_assert_int_eq(eff_scope_close(&scope), 0);
	eff_scope_cancel(&scope);
	ck_assert_int_eq(eff_scope_reason(&scope), 0);
	ck_assert_int_eq(eff_check(), 0);
	ck_assert_int_eq(eff_fork_in(&scope, EFF(deferring_body, NULL), NULL), -ECANCELED);
	return eff_ok(NULL);
}

START_TEST(a_closed_scope_cannot_be_cancelled_and_takes_no_fibers)
{
	run_ok(cancel_a_closed_one, NULL);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("scope_end");
	TCase *tcase = tcase_create("scope_end");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, what_was_deferred_is_shown_the_exit_and_its_failures_are_behind_it);
	tcase_add_test(tcase, an_ok_gives_way_to_the_first_failure_of_what_was_deferred);
	tcase_add_test(tcase, closing_shows_the_reason_and_tells_the_hook_of_failures);
	tcase_add_test(tcase, a_fibers_exit_is_shown_to_what_its_body_deferred_and_has_its_failures);
	tcase_add_test(tcase, what_is_deferred_while_a_scope_ends_runs_too);
	tcase_add_test(tcase, a_closed_scope_cannot_be_cancelled_and_takes_no_fibers);
	suite_add_tcase(suite, tcase);
	return suite;
}
