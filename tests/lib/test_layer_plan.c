/* SPDX-License-Identifier: MIT */
/* Sets of layers: what is wrong with one is said before anything is acquired; and builds without memory. */
#include <errno.h>

#include <eff/effect.h>
#include <eff/layer.h>

#include "alloc.h"
#include "internal.h"
#include "leak.h"
#include "run.h"

Suite *test_suite(void);

static const struct eff_key one = {"one"}, two = {"two"}, three = {"three"}, four = {"four"};

static int n_up;

static eff_exit acquire(void *arg)
{
	int r = eff_sleep(EFF_S(1));

	if (r < 0)
		return eff_exit_of(r);
	n_up++;
	say("%s", (const char *)arg);
	return eff_ok(arg);
}

static eff_exit release(void *arg, eff_exit exit)
{
	(void)arg;
	(void)exit;
	n_up--;
	return eff_ok(NULL);
}

#define LAYER(x, ...) \
	(&(const struct eff_layer){ \
		.name = x, .acquire = acquire, .release = release, .arg = TEXT(x), __VA_ARGS__})

static eff_exit build(const struct eff_layer *const *layers, size_t n)
{
	struct eff_scope scope;
	eff_exit exit;

	eff_scope_open(&scope);
	exit = eff_layers_build(&scope, layers, n);
	if (eff_is_ok(exit))
		say("%d up", n_up);
	exit = eff_scope_end(&scope, exit);
	ck_assert_int_eq(n_up, 0);
	return exit;
}

static void ck_build(const struct eff_layer *const *layers, size_t n, const char *want)
{
	eff_exit exit = build(layers, n);
	char buf[600];

	ck_assert_str_eq(eff_exit_text(exit, buf, sizeof(buf)), want);
	eff_exit_drop(exit);
}

static eff_exit missing(void *arg)
{
	const struct eff_layer *layers[] = {
		LAYER("web", .provides = &one, .needs = EFF_NEEDS(&two, &three)),
		LAYER("db", .provides = &two, .needs = EFF_NEEDS(&four)),
	};
	struct eff_env node;
	struct eff_scope scope;

	(void)arg;
	ck_build(layers, 2,
		"fail 2: web needs three, which nothing provides, db needs four, which nothing "
		"provides");
	eff_scope_open(&scope);
	eff_env_with(&scope, &node, &four, TEXT("four"));
	ck_build(layers, 2, "fail 2: web needs three, which nothing provides");
	(void)eff_scope_close(&scope);
	return eff_ok(NULL);
}

START_TEST(what_nothing_provides_is_named_with_who_needs_it)
{
	ck_assert_int_eq(ENOENT, 2);
	run_ok(missing, NULL);
	ck_assert_str_eq(run_trace, "");
}
END_TEST

static eff_exit twice(void *arg)
{
	const struct eff_layer *layers[] = {
		LAYER("real", .provides = &one),
		LAYER("fake", .provides = &one),
		LAYER("other", .provides = &two),
		LAYER(NULL, .provides = &two),
	};

	(void)arg;
	ck_build(layers, 4,
		"fail 17: real and fake both provide one, other and a layer without a name both "
		"provide two");
	return eff_ok(NULL);
}

START_TEST(two_that_provide_the_same_are_named)
{
	ck_assert_int_eq(EEXIST, 17);
	run_ok(twice, NULL);
	ck_assert_str_eq(run_trace, "");
}
END_TEST

#define LONG "a name of thirty-two characters "
#define VERY_LONG \
	LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG

static eff_exit cycles(void *arg)
{
	const struct eff_layer *alone = LAYER("alone", .provides = &one, .needs = EFF_NEEDS(&one));
	const struct eff_layer *layers[] = {
		LAYER("ground"),
		/* Behind the cycle, not in it. */
		LAYER("tail", .needs = EFF_NEEDS(&one)),
		LAYER("a", .provides = &one, .needs = EFF_NEEDS(&two)),
		LAYER("b", .provides = &two, .needs = EFF_NEEDS(&three)),
		LAYER("c", .provides = &three, .needs = EFF_NEEDS(&one)),
	};
	const struct eff_layer *wordy = LAYER(
		VERY_LONG, .provides = &one, .needs = EFF_NEEDS(&one));

	(void)arg;
	ck_build(&alone, 1, "fail 40: layers need each other: alone -> alone");
	ck_build(layers, 5, "fail 40: layers need each other: a -> b -> c -> a");
	ck_build(&wordy, 1,
		"fail 40: layers need each other: " LONG LONG LONG LONG LONG LONG LONG LONG LONG
			LONG LONG LONG LONG LONG LONG "a name of thirty-two characters...");
	return eff_ok(NULL);
}

START_TEST(a_cycle_is_named)
{
	ck_assert_int_eq(ELOOP, 40);
	run_ok(cycles, NULL);
	ck_assert_str_eq(run_trace, "");
}
END_TEST

static eff_exit included(void *arg)
{
	const struct eff_layer *db = LAYER("db", .provides = &one);
	const struct eff_layer *cache = LAYER("cache", .provides = &two, .needs = EFF_NEEDS(&one));
	const struct eff_layer storage = {.name = "storage", .includes = EFF_INCLUDES(db, cache)};
	struct eff_layer loop = {.includes = EFF_INCLUDES(&storage, &loop)};
	const struct eff_layer *layers[] = {
		LAYER("web", .needs = EFF_NEEDS(&two), .includes = EFF_INCLUDES(&loop, db)), db, db};

	(void)arg;
	ck_build(layers, 3, "ok");
	return eff_ok(NULL);
}

START_TEST(layers_that_are_included_or_listed_twice_are_acquired_once)
{
	run_ok(included, NULL);
	ck_assert_str_eq(run_trace, "db@1 cache@2 web@3 3 up@3 ");
}
END_TEST

static eff_exit none(void *arg)
{
	(void)arg;
	ck_build(NULL, 0, "ok");
	return eff_ok(NULL);
}

START_TEST(no_layers_are_built_at_once)
{
	run_ok(none, NULL);
	ck_assert_str_eq(run_trace, "0 up@0 ");
}
END_TEST

/* The n-th allocation of a build and its release fails. */
static eff_exit build_without_memory(void *arg)
{
	const struct eff_layer *db = LAYER("db", .provides = &one);
	const struct eff_layer *layers[] = {
		LAYER("web", .needs = EFF_NEEDS(&one, &two)),
		LAYER("cache", .provides = &two, .includes = EFF_INCLUDES(db)),
		db,
	};
	struct eff_scope scope;
	eff_exit exit;
	bool has_failed;

	eff_scope_open(&scope);
	alloc_fail_after(*(int *)arg);
	exit = eff_scope_end(&scope, eff_layers_build(&scope, layers, 3));
	has_failed = alloc_fail_after(0);
	ck_assert_int_eq(n_up, 0);
	if (has_failed)
		ck_assert(exit.tag == EFF_FAIL && exit.code == ENOMEM);
	else
		ck_assert_int_eq(exit.tag, EFF_OK);
	eff_exit_drop(exit);
	return eff_ok_number(has_failed);
}

START_TEST(whichever_allocation_fails_the_build_fails_and_nothing_is_left)
{
	int n = 0;
	bool goes_on = true;

	while (goes_on) {
		eff_exit exit;

		n++;
		run_setup();
		exit = eff_rt_run(run_rt, EFF(build_without_memory, &n));
		ck_assert_int_eq(exit.tag, EFF_OK);
		goes_on = exit.value.number;
		run_teardown();
	}
	/* The build, three times grown, and three control blocks. */
	ck_assert_int_eq(n, 8);
}
END_TEST

static eff_exit with_one_hidden(void *arg)
{
	const struct eff_layer *layers[] = {
		LAYER("db", .provides = &two, .needs = EFF_NEEDS(&one))};
	struct eff_env there, hidden;
	struct eff_scope outer, scope;

	eff_scope_open(&outer);
	eff_env_with(&outer, &there, &one, arg);
	ck_build(layers, 1, "ok");
	eff_scope_open(&scope);
	eff_env_with(&scope, &hidden, &one, NULL);
	ck_build(layers, 1, "fail 2: db needs one, which nothing provides");
	(void)eff_scope_close(&scope);
	(void)eff_scope_close(&outer);
	return eff_ok(NULL);
}

START_TEST(what_is_hidden_by_none_is_not_there)
{
	run_ok(with_one_hidden, TEXT("one"));
	ck_assert_str_eq(run_trace, "db@1 1 up@1 ");
}
END_TEST

static eff_exit without_a_stack(void *arg)
{
	const struct eff_layer *layers[] = {
		LAYER("db", .provides = &one),
		LAYER("vast", .needs = EFF_NEEDS(&one), .stack_bytes = (size_t)1 << 50),
	};

	(void)arg;
	ck_build(layers, 2, "fail 12");
	return eff_ok(NULL);
}

START_TEST(a_layer_that_cannot_be_forked_unwinds_the_build)
{
	ck_assert_int_eq(ENOMEM, 12);
	run_ok(without_a_stack, NULL);
	ck_assert_str_eq(run_trace, "db@1 ");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("layer_plan");
	TCase *tcase = tcase_create("layer_plan");
	TCase *memory = tcase_create("memory");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, what_nothing_provides_is_named_with_who_needs_it);
	tcase_add_test(tcase, what_is_hidden_by_none_is_not_there);
	tcase_add_test(tcase, two_that_provide_the_same_are_named);
	tcase_add_test(tcase, a_cycle_is_named);
	tcase_add_test(tcase, layers_that_are_included_or_listed_twice_are_acquired_once);
	tcase_add_test(tcase, no_layers_are_built_at_once);
	tcase_add_test(tcase, a_layer_that_cannot_be_forked_unwinds_the_build);
	test_leak_guard(memory);
	tcase_add_test(memory, whichever_allocation_fails_the_build_fails_and_nothing_is_left);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, memory);
	return suite;
}
