/* SPDX-License-Identifier: MIT */
/* Layers: acquired once, side by side, released in the reverse order of their completion, or unwound. */
#include <errno.h>

#include <eff/effect.h>
#include <eff/event.h>
#include <eff/layer.h>

#include "internal.h"
#include "leak.h"
#include "run.h"

Suite *test_suite(void);

/* Takes the exit. */
static void ck_text(eff_exit e, const char *want)
{
	char buf[256];

	ck_assert_str_eq(eff_exit_text(e, buf, sizeof(buf)), want);
	eff_exit_drop(e);
}

static const struct eff_key a_key = {"a's"}, b_key = {"b's"}, c_key = {"c's"}, d_key = {"d's"};

/* How a part acquires and releases; its service is its name. */
struct part {
	const char *name;
	int acquire_s, release_s;
	int fails, fails_to_release;
	bool stubborn; /* cannot be cut short */
};

static eff_exit acquire(void *arg)
{
	const struct part *part = arg;
	eff_masked masked = eff_mask();
	int r;

	if (!part->stubborn)
		eff_unmask(masked);
	r = eff_sleep(EFF_S(part->acquire_s));
	eff_unmask(masked);
	say("+%s%s", part->name, r < 0 ? " cut" : "");
	if (r < 0)
		return eff_exit_of(r);
	return part->fails ? eff_failf(part->fails, "no %s", part->name)
			   : eff_ok(TEXT(part->name));
}

static eff_exit release(void *arg, eff_exit exit)
{
	const struct part *part = arg;
	char text[64];

	ck_assert_int_eq(eff_sleep(EFF_S(part->release_s)), 0);
	say("-%s(%s)", part->name, eff_exit_text(exit, text, sizeof(text)));
	return part->fails_to_release ? eff_failf(part->fails_to_release, "kept %s", part->name)
				      : eff_ok(NULL);
}

static struct part a_part, b_part, c_part, d_part;

#define LAYER(x, ...) \
	{ \
		.name = #x, .provides = &x##_key, .acquire = acquire, .release = release, \
		.arg = &x##_part, __VA_ARGS__ \
	}

/* A diamond: d needs b and c, which need a. */
static const struct eff_layer a = LAYER(a);
static const struct eff_layer b = LAYER(b, .needs = EFF_NEEDS(&a_key));
static const struct eff_layer c = LAYER(c, .needs = EFF_NEEDS(&a_key));
static const struct eff_layer d = LAYER(d, .needs = EFF_NEEDS(&b_key, &c_key));
static const struct eff_layer *const diamond[] = {&d, &c, &b, &a};

static void parts_setup(void)
{
	a_part = (struct part){.name = "a", .acquire_s = 1, .release_s = 1};
	b_part = (struct part){.name = "b", .acquire_s = 3, .release_s = 1};
	c_part = (struct part){.name = "c", .acquire_s = 2, .release_s = 1};
	d_part = (struct part){.name = "d", .acquire_s = 1, .release_s = 1};
	run_setup();
}

static void say_services(const char *when)
{
	const struct eff_key *keys[] = {&a_key, &b_key, &c_key, &d_key};
	char text[16] = "";

	for (size_t i = 0; i < 4; i++)
		strcat(text, eff_get(keys[i]) ? (const char *)eff_get(keys[i]) : "_");
	say("%s:%s", when, text);
}

static eff_exit use_diamond(void *arg)
{
	struct eff_scope scope;

	(void)arg;
	eff_scope_open(&scope);
	ck_text(eff_layers_build(&scope, diamond, 4), "ok");
	say_services("up");
	ck_text(eff_scope_end(&scope, eff_failf(3, "why")), "fail 3: why");
	say_services("down");
	return eff_ok(NULL);
}

START_TEST(each_is_acquired_once_side_by_side_and_released_in_reverse_of_completion)
{
	run_ok(use_diamond, NULL);
	ck_assert_str_eq(run_trace,
		"+a@1 +c@3 +b@4 +d@5 up:abcd@5 "
		"-d(fail 3: why)@6 -b(fail 3: why)@7 -c(fail 3: why)@8 -a(fail 3: why)@9 "
		"down:____@9 ");
}
END_TEST

static eff_exit fail_to_release(void *arg)
{
	struct eff_scope scope;

	(void)arg;
	d_part.fails_to_release = 4;
	a_part.fails_to_release = 1;
	eff_scope_open(&scope);
	ck_text(eff_layers_build(&scope, diamond, 4), "ok");
	ck_text(eff_scope_end(&scope, eff_ok(NULL)), "fail 4: kept d; and fail 1: kept a");
	return eff_ok(NULL);
}

START_TEST(a_release_that_fails_is_in_the_exit_of_the_scope_and_the_others_are_released)
{
	run_ok(fail_to_release, NULL);
	ck_assert_str_eq(run_trace, "+a@1 +c@3 +b@4 +d@5 -d(ok)@6 -b(ok)@7 -c(ok)@8 -a(ok)@9 ");
}
END_TEST

/* ── failures and interruptions ── */

static eff_exit build_diamond(void *arg)
{
	const char *want = arg;
	struct eff_scope scope;
	eff_exit exit;

	eff_scope_open(&scope);
	exit = eff_layers_build(&scope, diamond, 4);
	if (want)
		ck_text(exit, want);
	say_services("after");
	(void)eff_scope_close(&scope);
	return want ? eff_ok(NULL) : exit;
}

START_TEST(when_one_fails_the_others_are_cut_short_and_what_was_acquired_is_released)
{
	c_part.fails = 7;
	run_ok(build_diamond, TEXT("fail 7: no c"));
	ck_assert_str_eq(run_trace, "+a@1 +c@3 +b cut@3 -a(fail 7: no c)@4 after:____@4 ");
}
END_TEST

START_TEST(one_that_is_acquired_though_it_was_cut_short_is_released_too)
{
	c_part.fails = 7;
	b_part.stubborn = true;
	b_part.fails_to_release = 5;
	run_ok(build_diamond, TEXT("fail 7: no c; and fail 5: kept b"));
	ck_assert_str_eq(run_trace,
		"+a@1 +c@3 +b@4 -b(fail 7: no c)@5 -a(fail 7: no c)@6 after:____@6 ");
}
END_TEST

START_TEST(two_that_fail_are_both_in_the_exit)
{
	c_part.fails = 7;
	b_part.fails = 8;
	b_part.stubborn = true;
	run_ok(build_diamond, TEXT("fail 7: no c; and fail 8: no b"));
	ck_assert_str_eq(run_trace, "+a@1 +c@3 +b@4 -a(fail 7: no c)@5 after:____@5 ");
}
END_TEST

static eff_exit interrupt_a_build(void *arg)
{
	struct eff_fiber *child = forked(build_diamond, NULL);

	ck_assert_int_eq(eff_sleep(*(int64_t *)arg), 0);
	eff_interrupt_async(child);
	ck_assert_str_eq(end_of(child), "interrupt");
	return eff_ok(NULL);
}

START_TEST(an_interruption_unwinds_a_build)
{
	run_ok(interrupt_a_build, NUMBER(EFF_MS(3500)));
	ck_assert_str_eq(run_trace,
		"+a@1 +c@3 +b cut@3500ms -c(interrupt)@4500ms "
		"-a(interrupt)@5500ms after:____@5500ms ");
}
END_TEST

START_TEST(an_interruption_before_anything_was_acquired_leaves_nothing)
{
	run_ok(interrupt_a_build, NUMBER(EFF_MS(500)));
	ck_assert_str_eq(run_trace, "+a cut@500ms after:____@500ms ");
}
END_TEST

static eff_exit build_within(void *arg)
{
	ck_text(eff_timeout(EFF_S(2), EFF(build_diamond, arg)), "fail 110");
	return eff_ok(NULL);
}

START_TEST(a_limit_unwinds_a_build)
{
	run_ok(build_within, NULL);
	ck_assert_str_eq(run_trace, "+a@1 +c cut@2 +b cut@2 -a(fail 110)@3 after:____@3 ");
}
END_TEST

/* ── a layer with a fiber of its own ── */

static struct eff_event request, answer;

static eff_exit serve(void *arg)
{
	int r;

	(void)arg;
	while ((r = eff_event_await(&request)) >= 0) {
		eff_event_reset(&request);
		eff_event_set(&answer);
	}
	say("server ended");
	return eff_exit_of(r);
}

static void say_deferred(void *arg)
{
	say("%s", (const char *)arg);
}

static struct eff_finalizer before_release;

static eff_exit acquire_server(void *arg)
{
	eff_event_init(&request);
	eff_event_init(&answer);
	eff_defer(eff_scope_current(), &before_release, say_deferred, TEXT("deferred"));
	if (eff_fork(EFF(serve, NULL), NULL) < 0)
		return eff_fail(ENOMEM);
	return acquire(arg);
}

static const struct eff_layer server = {.name = "server",
	.provides = &a_key,
	.acquire = acquire_server,
	.release = release,
	.arg = &a_part};

static eff_exit use_server(void *arg)
{
	int r = eff_sleep(EFF_FOREVER);
	eff_masked masked = eff_mask();

	(void)arg;
	/* The scope is closing, and the layer still at work. */
	ck_assert_str_eq(eff_get(&a_key), "a");
	eff_event_set(&request);
	ck_assert_int_eq(eff_event_await(&answer), 0);
	say("answered");
	eff_unmask(masked);
	return eff_exit_of(r);
}

static eff_exit run_server(void *arg)
{
	const struct eff_layer *layers[] = {&server};
	struct eff_scope scope;
	eff_exit exit;

	(void)arg;
	eff_scope_open(&scope);
	exit = eff_layers_build(&scope, layers, 1);
	if (eff_is_ok(exit)) {
		ck_assert_int_eq(eff_fork(EFF(use_server, NULL), NULL), 0);
		ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	}
	return eff_scope_end(&scope, exit);
}

START_TEST(a_layers_fibers_live_as_long_as_the_layer_and_go_after_the_scopes_own)
{
	run_ok(run_server, NULL);
	ck_assert_str_eq(run_trace, "+a@1 answered@2 server ended@2 -a(ok)@3 deferred@3 ");
}
END_TEST

START_TEST(what_a_failed_acquire_had_forked_and_deferred_is_gone)
{
	a_part.fails = 5;
	ck_text(eff_rt_run(run_rt, EFF(run_server, NULL)), "fail 5: no a");
	ck_assert_str_eq(run_trace, "+a@1 server ended@1 deferred@1 ");
}
END_TEST

/* ── where ── */

static eff_exit build_into_parents(void *arg)
{
	ck_text(eff_layers_build(arg, (const struct eff_layer *[]){&b}, 1), "ok");
	say("built");
	return eff_ok(NULL);
}

static eff_exit have_it_built(void *arg)
{
	struct eff_scope outer;
	struct eff_scope scope;

	(void)arg;
	eff_scope_open(&outer);
	ck_text(eff_layers_build(&outer, (const struct eff_layer *[]){&a}, 1), "ok");
	eff_scope_open(&scope);
	/* What it needs is there from before. */
	ck_assert_str_eq(end_of(forked(build_into_parents, &scope)), "ok");
	say_services("up");
	(void)eff_scope_close(&scope);
	say_services("half");
	(void)eff_scope_close(&outer);
	return eff_ok(NULL);
}

START_TEST(layers_can_be_built_on_others_and_into_any_scope_around)
{
	run_ok(have_it_built, NULL);
	ck_assert_str_eq(run_trace, "+a@1 +b@4 built@4 up:ab__@4 -b(ok)@5 half:a___@5 -a(ok)@6 ");
}
END_TEST

static eff_exit find_in_acquire(void *arg)
{
	say_services(arg);
	return eff_ok(arg);
}

static eff_exit find_in_release(void *arg, eff_exit exit)
{
	(void)exit;
	say_services(arg);
	return eff_ok(NULL);
}

static void look(void *arg)
{
	say_services(arg);
}

static eff_exit find_services(void *arg)
{
	const struct eff_layer first = {.provides = &a_key, .arg = TEXT("A")};
	const struct eff_layer second = {.provides = &b_key,
		.needs = EFF_NEEDS(&a_key),
		.acquire = find_in_acquire,
		.release = find_in_release,
		.arg = TEXT("B")};
	const struct eff_layer third = {.needs = EFF_NEEDS(&b_key),
		.acquire = find_in_acquire,
		.release = find_in_release,
		.arg = TEXT("C")};
	struct eff_finalizer node;
	struct eff_scope scope;

	(void)arg;
	eff_scope_open(&scope);
	eff_defer(&scope, &node, look, TEXT("deferred before"));
	ck_text(eff_layers_build(&scope, (const struct eff_layer *[]){&third, &second, &first}, 3),
		"ok");
	(void)eff_scope_close(&scope);
	return eff_ok(NULL);
}

START_TEST(a_layer_finds_what_it_needs_when_it_is_acquired_and_released)
{
	run_ok(find_services, NULL);
	ck_assert_str_eq(run_trace, "B:A___@0 C:AB__@0 C:AB__@0 B:AB__@0 deferred before:____@0 ");
}
END_TEST

static eff_exit use_testclock(void *arg)
{
	const struct eff_layer clock = eff_testclock_layer(run_clock);
	const struct eff_layer other = eff_testclock_layer(arg);
	struct eff_scope scope;

	eff_scope_open(&scope);
	ck_text(eff_layers_build(&scope, (const struct eff_layer *[]){&other}, 1),
		"fail 22: the runtime goes by another clock");
	ck_text(eff_layers_build(&scope, (const struct eff_layer *[]){&clock}, 1), "ok");
	ck_assert_int_eq(eff_testclock_advance(eff_get(&eff_testclock_key), EFF_S(5)), 0);
	ck_assert_int_eq(eff_now(), EFF_S(5));
	(void)eff_scope_close(&scope);
	return eff_ok(NULL);
}

START_TEST(the_test_clock_is_a_layer)
{
	run_ok(use_testclock, NULL);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("layer");
	TCase *tcase = tcase_create("layer");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, parts_setup, run_teardown);
	tcase_add_test(tcase,
		each_is_acquired_once_side_by_side_and_released_in_reverse_of_completion);
	tcase_add_test(tcase,
		a_release_that_fails_is_in_the_exit_of_the_scope_and_the_others_are_released);
	tcase_add_test(tcase,
		when_one_fails_the_others_are_cut_short_and_what_was_acquired_is_released);
	tcase_add_test(tcase, one_that_is_acquired_though_it_was_cut_short_is_released_too);
	tcase_add_test(tcase, two_that_fail_are_both_in_the_exit);
	tcase_add_test(tcase, an_interruption_unwinds_a_build);
	tcase_add_test(tcase, an_interruption_before_anything_was_acquired_leaves_nothing);
	tcase_add_test(tcase, a_limit_unwinds_a_build);
	tcase_add_test(tcase, a_layers_fibers_live_as_long_as_the_layer_and_go_after_the_scopes_own);
	tcase_add_test(tcase, what_a_failed_acquire_had_forked_and_deferred_is_gone);
	tcase_add_test(tcase, layers_can_be_built_on_others_and_into_any_scope_around);
	tcase_add_test(tcase, a_layer_finds_what_it_needs_when_it_is_acquired_and_released);
	tcase_add_test(tcase, the_test_clock_is_a_layer);
	suite_add_tcase(suite, tcase);
	return suite;
}
