/* SPDX-License-Identifier: MIT */
/* Fiber locals: who sees which value, and what it costs in memory. */
#include <errno.h>

#include <eff/local.h>
#include <eff/scope.h>

#include "alloc.h"
#include "internal.h"
#include "leak.h"
#include "run.h"

Suite *test_suite(void);

static char initial[] = "initial";
static const struct eff_local user = {.initial = initial};
static const struct eff_local trace;

static void say_locals(const char *who)
{
	const char *t = eff_local_get(&trace);

	say("%s:%s,%s", who, (const char *)eff_local_get(&user), t ? t : "none");
}

static void set(const struct eff_local *local, const char *value)
{
	ck_assert_int_eq(eff_local_set(local, TEXT(value)), 0);
}

static eff_exit child_main(void *arg)
{
	say_locals(arg);
	set(&user, arg);
	ck_assert_int_eq(eff_sleep(EFF_S(2)), 0);
	say_locals(arg);
	return eff_ok(NULL);
}

static eff_exit inherit(void *arg)
{
	struct eff_fiber *one;
	struct eff_fiber *two;

	(void)arg;
	say_locals("root");
	set(&user, "ann");
	one = forked(child_main, TEXT("one"));
	set(&user, "bob");
	set(&trace, "t1");
	ck_assert_int_eq(eff_fork_daemon(EFF(child_main, TEXT("two")), &two), 0);
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	set(&trace, "t2");
	say_locals("root");
	ck_assert_str_eq(end_of(one), "ok");
	ck_assert_str_eq(end_of(two), "ok");
	/* Nothing is merged back. */
	say_locals("root");
	return eff_ok(NULL);
}

START_TEST(a_fork_copies_the_forkers_values_and_none_sees_what_others_set_later)
{
	run_ok(inherit, NULL);
	ck_assert_str_eq(run_trace,
		"root:initial,none@0 one:ann,none@0 two:bob,t1@0 root:bob,t2@1 "
		"one:one,none@2 two:two,t1@2 root:bob,t2@2 ");
}
END_TEST

START_TEST(outside_of_a_fiber_and_in_a_new_root_there_are_the_initial_values)
{
	ck_assert_ptr_eq(eff_local_get(&user), initial);
	run_ok(inherit, NULL);
	ck_assert_ptr_eq(eff_local_get(&user), initial);
	run_ok(inherit, NULL);
}
END_TEST

static eff_exit never(void *arg)
{
	return eff_ok(arg);
}

static eff_exit leave_an_unborn(void *arg)
{
	struct eff_fiber *child;

	set(&user, "ann");
	child = forked(never, arg);
	eff_interrupt_async(child);
	ck_assert_str_eq(end_of(child), "interrupt");
	return eff_ok(NULL);
}

START_TEST(a_fiber_that_never_started_gives_back_what_it_inherited)
{
	run_ok(leave_an_unborn, NULL);
}
END_TEST

/* Set it when the next allocation fails. Returns whether one was asked for. */
static bool set_without_memory(const struct eff_local *local, const char *value, int *ret_r)
{
	alloc_fail_after(1);
	*ret_r = eff_local_set(local, TEXT(value));
	return alloc_fail_after(0);
}

static eff_exit without_memory(void *arg)
{
	struct eff_fiber *child;
	int r;

	(void)arg;
	ck_assert(set_without_memory(&user, "lost", &r));
	ck_assert_int_eq(r, -ENOMEM);
	say_locals("as before");
	set(&user, "ann");
	/* It is there, and nobody else sees it: no memory is needed. */
	ck_assert(!set_without_memory(&user, "bob", &r));
	ck_assert_int_eq(r, 0);
	child = forked(never, NULL);
	ck_assert(set_without_memory(&user, "lost", &r));
	ck_assert_int_eq(r, -ENOMEM);
	ck_assert(set_without_memory(&trace, "lost", &r));
	ck_assert_int_eq(r, -ENOMEM);
	say_locals("still");
	ck_assert_str_eq(end_of(child), "ok");
	return eff_ok(NULL);
}

START_TEST(without_memory_a_value_stays_as_it_was)
{
	run_ok(without_memory, NULL);
	ck_assert_str_eq(run_trace, "as before:initial,none@0 still:bob,none@0 ");
}
END_TEST

/* Fork and await one. Returns whether that asked for memory. */
static bool fork_without_memory(void)
{
	struct eff_fiber *child;

	alloc_fail_after(1);
	if (!eff_fork(EFF(never, NULL), &child)) {
		(void)eff_await(child, NULL);
		eff_fiber_unref(child);
	}
	return alloc_fail_after(0);
}

static eff_exit fork_without_locals(void *arg)
{
	(void)arg;
	ck_assert_str_eq(end_of(forked(never, NULL)), "ok");
	/* Now the block and the stack are there. */
	ck_assert(!fork_without_memory());
	ck_assert_ptr_eq(eff_local_get(&user), initial);
	set(&user, "ann");
	ck_assert(!fork_without_memory());
	return eff_ok(NULL);
}

START_TEST(a_fork_allocates_nothing_for_locals)
{
	run_ok(fork_without_locals, NULL);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("local");
	TCase *tcase = tcase_create("local");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, a_fork_copies_the_forkers_values_and_none_sees_what_others_set_later);
	tcase_add_test(tcase, outside_of_a_fiber_and_in_a_new_root_there_are_the_initial_values);
	tcase_add_test(tcase, a_fiber_that_never_started_gives_back_what_it_inherited);
	tcase_add_test(tcase, without_memory_a_value_stays_as_it_was);
	tcase_add_test(tcase, a_fork_allocates_nothing_for_locals);
	suite_add_tcase(suite, tcase);
	return suite;
}
