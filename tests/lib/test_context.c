/* SPDX-License-Identifier: MIT */
/* Services: who finds which. */
#include <eff/context.h>
#include <eff/event.h>

#include "internal.h"
#include "leak.h"
#include "run.h"

Suite *test_suite(void);

static const struct eff_key color = {"color"};
static const struct eff_key size = {"size"};

/* What is found, as a word. */
static const char *found(const struct eff_key *key)
{
	const char *service = eff_get(key);

	return service ? service : "none";
}

static void say_found(const char *where)
{
	say("%s:%s,%s", where, found(&color), found(&size));
}

static eff_exit look(void *arg)
{
	say_found(arg);
	return eff_ok(NULL);
}

static void look_deferred(void *arg)
{
	say_found(arg);
}

/* ── scopes ── */

static eff_exit nest(void *arg)
{
	struct eff_scope outer;
	struct eff_scope inner;
	struct eff_env nodes[4];

	(void)arg;
	say_found("before");
	eff_scope_open(&outer);
	eff_env_with(&outer, &nodes[0], &color, TEXT("red"));
	say_found("outer");
	eff_scope_open(&inner);
	eff_env_with(&inner, &nodes[1], &size, TEXT("small"));
	eff_env_with(&inner, &nodes[2], &color, TEXT("green"));
	say_found("inner");
	eff_env_with(&inner, &nodes[3], &color, NULL);
	say_found("hidden");
	(void)eff_scope_close(&inner);
	say_found("outer");
	(void)eff_scope_close(&outer);
	say_found("after");
	return eff_ok(NULL);
}

START_TEST(a_service_is_found_from_the_innermost_scope_outwards_until_its_scope_closes)
{
	run_ok(nest, NULL);
	ck_assert_str_eq(run_trace,
		"before:none,none@0 outer:red,none@0 inner:green,small@0 "
		"hidden:none,small@0 outer:red,none@0 after:none,none@0 ");
}
END_TEST

static eff_exit close_with_deferred(void *arg)
{
	struct eff_finalizer first;
	struct eff_finalizer last;
	struct eff_env node;
	struct eff_scope scope;

	(void)arg;
	eff_scope_open(&scope);
	eff_defer(&scope, &first, look_deferred, TEXT("first"));
	eff_env_with(&scope, &node, &color, TEXT("red"));
	eff_defer(&scope, &last, look_deferred, TEXT("last"));
	(void)eff_scope_close(&scope);
	return eff_ok(NULL);
}

START_TEST(what_was_deferred_finds_the_services_of_its_scope)
{
	run_ok(close_with_deferred, NULL);
	ck_assert_str_eq(run_trace, "last:red,none@0 first:red,none@0 ");
}
END_TEST

/* ── fibers ── */

static eff_exit look_later(void *arg)
{
	(void)eff_sleep(EFF_S(1));
	say_found(arg);
	return eff_ok(NULL);
}

static eff_exit own_a_child(void *arg)
{
	struct eff_env node;
	struct eff_scope scope;

	say_found(arg);
	eff_scope_open(&scope);
	eff_env_with(&scope, &node, &size, TEXT("large"));
	ck_assert_str_eq(end_of(forked(look, TEXT("grandchild"))), "ok");
	(void)eff_scope_close(&scope);
	return eff_ok(NULL);
}

static eff_exit fork_some(void *arg)
{
	struct eff_scope outer;
	struct eff_scope inner;
	struct eff_env nodes[3];
	struct eff_fiber *early;
	struct eff_fiber *guest;
	struct eff_fiber *daemon;

	(void)arg;
	eff_scope_open(&outer);
	eff_env_with(&outer, &nodes[0], &color, TEXT("red"));
	eff_scope_open(&inner);
	early = forked(look_later, TEXT("early"));
	eff_env_with(&inner, &nodes[1], &size, TEXT("small"));
	ck_assert_str_eq(end_of(forked(own_a_child, TEXT("child"))), "ok");
	ck_assert_int_eq(eff_fork_in(&outer, EFF(look, TEXT("guest")), &guest), 0);
	ck_assert_int_eq(eff_fork_daemon(EFF(look, TEXT("daemon")), &daemon), 0);
	ck_assert_str_eq(end_of(guest), "ok");
	ck_assert_str_eq(end_of(daemon), "ok");
	/* Forked before it was there, it finds what is there when it looks. */
	ck_assert_str_eq(end_of(early), "ok");
	(void)eff_scope_close(&inner);
	(void)eff_scope_close(&outer);
	return eff_ok(NULL);
}

START_TEST(a_fiber_finds_what_is_around_the_scope_that_owns_it)
{
	run_ok(fork_some, NULL);
	ck_assert_str_eq(run_trace,
		"child:red,small@0 grandchild:red,large@0 guest:red,none@0 daemon:none,none@0 "
		"early:red,small@1 ");
}
END_TEST

static eff_exit unwind_with_it(void *arg)
{
	int r = eff_sleep(EFF_FOREVER);
	eff_masked masked = eff_mask();

	(void)eff_sleep(EFF_S(1));
	say_found(arg);
	eff_unmask(masked);
	return eff_exit_of(r);
}

static eff_exit close_around_one(void *arg)
{
	struct eff_env node;
	struct eff_scope scope;

	(void)arg;
	eff_scope_open(&scope);
	eff_env_with(&scope, &node, &color, TEXT("red"));
	ck_assert_int_eq(eff_fork(EFF(unwind_with_it, TEXT("unwinding")), NULL), 0);
	(void)eff_yield();
	(void)eff_scope_close(&scope);
	return eff_ok(NULL);
}

START_TEST(a_fiber_that_unwinds_still_finds_them)
{
	run_ok(close_around_one, NULL);
	ck_assert_str_eq(run_trace, "unwinding:red,none@1 ");
}
END_TEST

/* ── the runtime ── */

static eff_exit look_and_fork_a_daemon(void *arg)
{
	static struct eff_env node;
	struct eff_fiber *daemon;

	(void)arg;
	eff_env_with(eff_scope_current(), &node, &size, TEXT("small"));
	say_found("root");
	ck_assert_int_eq(eff_fork_daemon(EFF(look, TEXT("daemon")), &daemon), 0);
	ck_assert_str_eq(end_of(daemon), "ok");
	return eff_ok(NULL);
}

START_TEST(all_fibers_find_the_services_of_the_runtime)
{
	struct eff_env small = {&size, TEXT("tiny"), NULL};
	struct eff_env red = {&color, TEXT("red"), &small};
	struct eff_rt_opts opts = {.env = &red};

	ck_assert_ptr_null(eff_get(&color));
	run_setup();
	eff_rt_free(run_rt);
	opts.clock = run_clock;
	ck_assert_int_eq(eff_rt_new(&opts, &run_rt), 0);
	say_found("outside");
	run_ok(look_and_fork_a_daemon, NULL);
	ck_assert_str_eq(run_trace, "outside:red,tiny@0 root:red,small@0 daemon:red,tiny@0 ");
	run_teardown();
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("context");
	TCase *tcase = tcase_create("context");
	TCase *runtime = tcase_create("runtime");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase,
		a_service_is_found_from_the_innermost_scope_outwards_until_its_scope_closes);
	tcase_add_test(tcase, what_was_deferred_finds_the_services_of_its_scope);
	tcase_add_test(tcase, a_fiber_finds_what_is_around_the_scope_that_owns_it);
	tcase_add_test(tcase, a_fiber_that_unwinds_still_finds_them);
	test_leak_guard(runtime);
	tcase_add_test(runtime, all_fibers_find_the_services_of_the_runtime);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, runtime);
	return suite;
}
