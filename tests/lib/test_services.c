/* SPDX-License-Identifier: MIT */
/* Supervision in a few lines: one effect run again, and sets of services. */
#include <string.h>

#include <eff/effect.h>
#include <eff/services.h>

#include "leak.h"
#include "supervised.h"

Suite *test_suite(void);

/* ── one effect ── */

/* What each attempt comes to after half a second, one letter each, the last one ever after: f, d, i or o. */
static const char *outcomes;
static unsigned n_attempts;

static eff_exit attempt(void *arg)
{
	char outcome = outcomes[n_attempts < strlen(outcomes) ? n_attempts : strlen(outcomes) - 1];
	int r;

	n_attempts++;
	say("%u", n_attempts);
	r = eff_sleep(EFF_MS(500));
	if (r < 0)
		return eff_exit_of(r);
	switch (outcome) {
	case 'f':
		return eff_failf(3, "attempt %u", n_attempts);
	case 'd':
		return eff_die("attempt %u", n_attempts);
	case 'i':
		return eff_interrupted();
	default:
		return eff_ok(arg);
	}
}

/* As the page's TaskSupervisor waits: 2 and 4 s, three attempts in all. */
static struct eff_supervision page(void)
{
	return (struct eff_supervision){.restart = EFF_ON_FAILURE,
		.schedule = eff_exponential(EFF_S(2), 2),
		.max_restarts = 2};
}

static eff_exit supervised(const char *as, const struct eff_supervision *how)
{
	outcomes = as;
	n_attempts = 0;
	return eff_supervise(EFF_NAMED("UnreliableWorker", attempt, TEXT("done")), how);
}

static void is(eff_exit exit, const char *expected)
{
	char text[200];

	ck_assert_str_eq(eff_exit_text(exit, text, sizeof(text)), expected);
	eff_exit_drop(exit);
}

FIBER_TEST(a_task_that_always_fails_is_given_up_with_its_last_cause)
{
	struct eff_supervision how = page();
	eff_exit exit = supervised("f", &how);

	/* Attempts at 0, 2.5 and 7 s. */
	EXPECT("1@0 2@2500ms 3@7 ");
	ck_assert_int_eq(eff_now(), EFF_MS(7500));
	is(exit, "fail 3: attempt 3, gave up after 2 restarts");
	return eff_ok(NULL);
}

FIBER_TEST(each_supervision_counts_for_itself)
{
	struct eff_supervision how = page();

	is(supervised("f", &how), "fail 3: attempt 3, gave up after 2 restarts");
	is(supervised("fo", &how), "ok");
	ck_assert_uint_eq(n_attempts, 2);
	return eff_ok(NULL);
}

FIBER_TEST(a_success_is_its_result)
{
	struct eff_supervision how = page();
	eff_exit exit = supervised("fdo", &how);

	ck_assert(eff_is_ok(exit));
	ck_assert_str_eq(exit.value.pointer, "done");
	EXPECT("1@0 2@2500ms 3@7 ");
	return eff_ok(NULL);
}

FIBER_TEST(an_interrupt_is_never_a_reason_to_run_again)
{
	struct eff_supervision how = page();

	how.restart = EFF_ALWAYS;
	is(supervised("fi", &how), "interrupt");
	EXPECT("1@0 2@2500ms ");
	return eff_ok(NULL);
}

static eff_exit undo(void *arg, eff_exit exit)
{
	char text[50];

	(void)arg;
	say("undo after %s", eff_exit_text(exit, text, sizeof(text)));
	return eff_failf(5, "undo");
}

static eff_exit fail_with_something_deferred(void *arg)
{
	eff_defer_exit(eff_scope_current(), arg, undo, NULL);
	return eff_failf(3, "run");
}

FIBER_TEST(what_a_run_defers_is_shown_how_it_ended_and_fails_behind_it)
{
	struct eff_supervision how = page();
	struct eff_finalizer finalizer;

	how.restart = EFF_NEVER;
	is(eff_supervise(EFF(fail_with_something_deferred, &finalizer), &how),
		"fail 3: run; and fail 5: undo");
	EXPECT("undo after fail 3: run@0 ");
	return eff_ok(NULL);
}

FIBER_TEST(the_policy_says_what_is)
{
	static const struct {
		enum eff_restart restart;
		const char *as, *end;
		unsigned n;
	} rows[] = {
		{EFF_NEVER, "f", "fail 3: attempt 1", 1},
		{EFF_NEVER, "o", "ok", 1},
		{EFF_ON_ABNORMAL, "df", "fail 3: attempt 2", 2},
		{EFF_ON_FAILURE, "dfd", "die: attempt 3, gave up after 2 restarts", 3},
		{EFF_ALWAYS, "o", "ok: gave up after 2 restarts", 3},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct eff_supervision how = page();

		how.restart = rows[i].restart;
		is(supervised(rows[i].as, &how), rows[i].end);
		ck_assert_uint_eq(n_attempts, rows[i].n);
	}
	return eff_ok(NULL);
}

FIBER_TEST(within_a_window_restarts_are_counted_by_time)
{
	/* One each 10.5 s: never three within 20 s, whatever comes; three within 21 s. */
	struct eff_supervision how = {.restart = EFF_ALWAYS,
		.schedule = eff_spaced(EFF_S(10)),
		.max_restarts = 2,
		.window = EFF_S(21)};

	is(supervised("f", &how), "fail 3: attempt 3, gave up after 2 restarts");
	how.window = EFF_S(21) - 1;
	is(supervised("fffffffffi", &how), "interrupt");
	ck_assert_uint_eq(n_attempts, 10);
	return eff_ok(NULL);
}

FIBER_TEST(a_stable_run_forgets_those_before)
{
	struct eff_supervision how = page();

	how.stable_for = EFF_MS(500);
	is(supervised("fffffi", &how), "interrupt");
	EXPECT("1@0 2@2500ms 3@5 4@7500ms 5@10 6@12500ms ");
	return eff_ok(NULL);
}

static eff_exit supervise_it(void *arg)
{
	return supervised("f", arg);
}

FIBER_TEST(whoever_interrupts_a_supervision_ends_it_in_a_run_and_in_a_delay)
{
	struct eff_supervision how = page();
	struct eff_fiber *fiber = forked(supervise_it, &how);

	(void)eff_sleep(EFF_MS(250));
	eff_interrupt_async(fiber);
	ck_assert_str_eq(end_of(fiber), "interrupt");
	fiber = forked(supervise_it, &how);
	(void)eff_sleep(EFF_S(1));
	eff_interrupt_async(fiber);
	ck_assert_str_eq(end_of(fiber), "interrupt; and fail 3: attempt 1");
	is(eff_timeout(EFF_S(1), EFF(supervise_it, &how)), "fail 110; and fail 3: attempt 1");
	ck_assert_int_eq(eff_now(), EFF_MS(2250));
	return eff_ok(NULL);
}

/* ── sets ── */

static eff_exit service(void *arg)
{
	const struct part *part = arg;
	struct eff_child *self = eff_child_self();
	int r;

	say("%s+", self->name);
	r = part->up_after > 0 ? eff_sleep(part->up_after) : 0;
	if (r == 0)
		eff_child_up(self);
	if (r == 0)
		r = eff_sleep(part->lives);
	if (r < 0 && part->stop_takes) {
		eff_masked before = eff_mask();

		(void)eff_sleep(part->stop_takes);
		eff_unmask(before);
	}
	say("%s%c", self->name, r < 0 ? '.' : '-');
	return r < 0 ? eff_exit_of(r) : part->ends;
}

FIBER_TEST(a_critical_service_that_dies_takes_the_optional_with_it)
{
	static struct part critical = DIES_AFTER(EFF_S(3));
	static struct part optional = {.lives = EFF_FOREVER, .stop_takes = EFF_S(2)};
	struct eff_child services[] = {
		{.name = "critical", .run = EFF(service, &critical), .policy.restart = EFF_NEVER},
		{.name = "optional", .run = EFF(service, &optional), .policy.restart = EFF_NEVER},
	};
	struct eff_services set = {.children = services, .n_children = 2};
	eff_exit exit;

	services[0].policy.critical = true;
	exit = eff_services_run(&set);
	/* It is awaited, and only then the set ends. */
	EXPECT("critical+@0 optional+@0 critical-@3 optional.@5 ");
	ck_assert_int_eq(eff_now(), EFF_S(5));
	is(exit, "fail 1: critical has failed; and die");
	return eff_ok(NULL);
}

FIBER_TEST(when_an_optional_service_dies_the_set_goes_on)
{
	static struct part critical = STEADY;
	static struct part optional = DIES_AFTER(EFF_S(3));
	struct eff_child services[] = {
		{.name = "critical", .run = EFF(service, &critical), .policy.restart = EFF_NEVER},
		{.name = "optional", .run = EFF(service, &optional), .policy.restart = EFF_NEVER},
	};
	struct eff_services set = {.children = services, .n_children = 2};

	services[0].policy.critical = true;
	is(eff_timeout(EFF_S(60), EFF(eff_services_run, &set)), "fail 110");
	EXPECT("critical+@0 optional+@0 optional-@3 critical.@60 ");
	ck_assert_int_eq(services[1].rest, EFF_REST_FAILED);
	return eff_ok(NULL);
}

static const char *health_says;
static eff_exit check(void *arg)
{
	unsigned *n = arg;

	say("%c", health_says[*n]);
	return health_says[(*n)++] == 'n' ? eff_fail(1) : eff_ok(NULL);
}

static eff_exit dies_twice(void *arg)
{
	struct part part = DIES_AFTER(EFF_S(1));

	(void)arg;
	if (eff_child_self()->runs > 2)
		part.lives = EFF_FOREVER;
	return service(&part);
}

FIBER_TEST(a_service_dies_twice_and_is_found_ill_once_and_is_run_again_each_time)
{
	static struct part steady = STEADY;
	unsigned n = 0;
	struct eff_health health = {.check = EFF(check, &n), .every = EFF_S(10)};
	struct eff_child children[] = {
		{.name = "database", .run = EFF(service, &steady)},
		{.name = "worker", .run = EFF(dies_twice, NULL), .health = &health},
	};
	struct eff_child *const needs[] = {&children[0], NULL};
	struct eff_services set = {.children = children, .n_children = 2};
	struct eff_fiber *fiber;

	health_says = "yynyyyyy";
	children[0].policy = children[1].policy = eff_policy_of(EFF_ALWAYS);
	children[1].policy.backoff = eff_spaced(EFF_S(1));
	children[1].needs = needs;
	fiber = forked(eff_services_run, &set);
	(void)eff_sleep(EFF_S(50));
	eff_interrupt_async(fiber);
	ck_assert_str_eq(end_of(fiber), "interrupt");
	EXPECT("database+@0 worker+@0 worker-@1 worker+@2 worker-@3 worker+@4 "
	       "y@14 y@24 n@34 worker.@34 worker+@35 y@45 worker.@50 database.@50 ");
	return eff_ok(NULL);
}

FIBER_TEST(services_that_need_each_other_in_a_circle_are_refused)
{
	static struct part steady = STEADY;
	struct eff_child a = {.name = "a", .run = EFF(service, &steady)};
	struct eff_child *const needs[] = {&a, NULL};
	struct eff_services set = {.children = &a, .n_children = 1};

	a.needs = needs;
	is(eff_services_run(&set), "fail 40");
	EXPECT("");
	return eff_ok(NULL);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("lib/services");
	TCase *c = tcase_create("services");

	test_leak_guard(c);
	tcase_add_checked_fixture(c, run_setup, run_teardown);
	tcase_add_test(c, a_task_that_always_fails_is_given_up_with_its_last_cause);
	tcase_add_test(c, each_supervision_counts_for_itself);
	tcase_add_test(c, a_success_is_its_result);
	tcase_add_test(c, an_interrupt_is_never_a_reason_to_run_again);
	tcase_add_test(c, what_a_run_defers_is_shown_how_it_ended_and_fails_behind_it);
	tcase_add_test(c, the_policy_says_what_is);
	tcase_add_test(c, within_a_window_restarts_are_counted_by_time);
	tcase_add_test(c, a_stable_run_forgets_those_before);
	tcase_add_test(c, whoever_interrupts_a_supervision_ends_it_in_a_run_and_in_a_delay);
	tcase_add_test(c, a_critical_service_that_dies_takes_the_optional_with_it);
	tcase_add_test(c, when_an_optional_service_dies_the_set_goes_on);
	tcase_add_test(c, a_service_dies_twice_and_is_found_ill_once_and_is_run_again_each_time);
	tcase_add_test(c, services_that_need_each_other_in_a_circle_are_refused);
	suite_add_tcase(suite, c);
	return suite;
}
