/* SPDX-License-Identifier: MIT */
/* How a supervisor ends: critical children, significant ones; what that is to the supervisor above; and its own new
 * beginning. */
#include <string.h>

#include <eff/effect.h>
#include <eff/services.h>

#include "leak.h"
#include "supervised.h"

Suite *test_suite(void);

FIBER_TEST(a_critical_child_that_failed_fails_its_supervisor)
{
	struct player p[] = {
		PLAYER("a", FAILS_AFTER(EFF_S(1))), PLAYER("b", FAILS_AFTER(EFF_MS(2500)))};
	struct eff_sup sup;

	p[0].child.policy.critical = true;
	p[0].child.policy.max_restarts = 1;
	PLAY(&sup, p);
	ck_assert_int_eq(eff_sup_await(&sup), 0);
	ck_assert_int_eq(sup.end, EFF_SUP_CRITICAL);
	/* b's delay would be over at 3.5 s. */
	EXPECT("a+@0 b+@0 a-@1 a~@1 a+@2 b-@2500ms b~@2500ms a-@3 a=max@3 END a@3 ");
	(void)eff_sleep(EFF_S(9));
	eff_sup_stop(&sup);
	EXPECT("b=stopped@12 ");
	return played(&sup);
}

FIBER_TEST(one_that_is_done_or_stopped_or_not_critical_fails_nobody)
{
	struct player p[] = {PLAYER("done", ENDS_AFTER(EFF_S(1))), PLAYER("stopped", STEADY),
		PLAYER("bad", FAILS_AFTER(EFF_S(1)))};
	struct eff_sup sup;

	for (int i = 0; i < 3; i++) {
		p[i].child.policy.restart = EFF_NEVER;
		p[i].child.policy.critical = i < 2;
	}
	PLAY(&sup, p);
	(void)eff_sleep(EFF_S(5));
	ck_assert_int_eq(eff_child_stop(&p[1].child), 0);
	ck_assert_int_eq(sup.end, EFF_SUP_GOES_ON);
	return played(&sup);
}

static void rest_and_start(struct eff_child *child, eff_exit exit, enum eff_rest rest)
{
	(void)exit;
	(void)rest;
	if (player_of(child)->n_runs == 1)
		ck_assert_int_eq(eff_child_start(child), 0);
}

FIBER_TEST(one_that_is_started_again_as_it_comes_to_rest_fails_nobody)
{
	struct player p[] = {PLAYER("a", FAILS_AFTER(EFF_S(1)))};
	struct eff_sup_hooks hooks = {.on_rest = rest_and_start};
	struct eff_sup sup;

	p[0].child.policy.restart = EFF_NEVER;
	p[0].child.policy.critical = true;
	PLAY(&sup, p);
	ck_assert_int_eq(eff_sup_change(&sup, &(struct eff_sup_opts){.hooks = &hooks}), 0);
	ck_assert_int_eq(eff_sup_await(&sup), 0);
	EXPECT("a+@0 a-@1 a+@1 a-@2 ");
	return played(&sup);
}

/* ── significant children ── */

static void significant(struct player *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		p[i].child.policy.restart = EFF_ON_FAILURE;
		p[i].child.policy.significant = true;
	}
}

FIBER_TEST(any_significant_child_that_ended_clean_by_itself_is_enough)
{
	struct player p[] = {PLAYER("a", STEADY),
		PLAYER("b", FAILS_AFTER(EFF_S(1)), ENDS_AFTER(EFF_S(1))),
		PLAYER("c", ENDS_AFTER(EFF_S(2)))};
	struct eff_sup sup;
	eff_exit exit;
	int r;

	significant(p, 2);
	p[2].child.policy.restart = EFF_ON_FAILURE;
	PLAY(&sup, p, .auto_shutdown = EFF_AUTO_ANY);
	r = eff_sup_await(&sup);
	EXPECT("a+@0 b+@0 c+@0 b-@1 b~@1 c-@2 c=done@2 b+@2 b-@3 b=done@3 END b@3 ");
	ck_assert_int_eq(sup.end, EFF_SUP_DONE);
	eff_sup_stop(&sup);
	exit = eff_sup_exit(&sup, r);
	ck_assert(eff_is_ok(exit));
	EXPECT("a.@3 a=stopped@3 ");
	return played(&sup);
}

FIBER_TEST(all_significant_children_have_to)
{
	struct player p[] = {PLAYER("a", ENDS_AFTER(EFF_S(3))), PLAYER("b", ENDS_AFTER(EFF_S(1))),
		PLAYER("c", ENDS_AFTER(EFF_S(2))), PLAYER("z", STEADY)};
	struct eff_sup sup;

	player_is_quiet = true;
	significant(p, 3);
	PLAY(&sup, p, .auto_shutdown = EFF_AUTO_ALL);
	ck_assert_int_eq(eff_sup_await(&sup), 0);
	EXPECT("a+@0 b+@0 c+@0 z+@0 b-@1 c-@2 a-@3 END a@3 ");
	return played(&sup);
}

static void failed_one(enum eff_restart restart)
{
	struct player p[] = {PLAYER("a", ENDS_AFTER(EFF_S(3)), ENDS_AFTER(EFF_S(3))),
		PLAYER("bad", FAILS_AFTER(EFF_S(1)), ENDS_AFTER(EFF_S(1))), PLAYER("c", STEADY)};
	struct eff_sup sup;
	eff_ns began = eff_now();

	significant(p, 3);
	p[1].child.policy.restart = restart;
	p[1].child.policy.max_restarts = 0;
	PLAY(&sup, p, .auto_shutdown = EFF_AUTO_ALL);
	(void)eff_sleep(EFF_S(4));
	/* A stop is not its own end. */
	ck_assert_int_eq(eff_child_stop(&p[2].child), 0);
	(void)eff_sleep(EFF_S(4));
	ck_assert_int_eq(p[1].child.rest,
		restart == EFF_NEVER ? EFF_REST_FAILED : EFF_REST_MAX_RESTARTS);
	ck_assert_int_eq(sup.end, EFF_SUP_GOES_ON);
	ck_assert_int_eq(eff_child_start(&p[1].child), 0);
	ck_assert_int_eq(eff_sup_await(&sup), 0);
	ck_assert_int_eq(eff_now() - began, EFF_S(9));
	ck_assert_ptr_eq(sup.culprit, &p[1].child);
	(void)played(&sup);
}

FIBER_TEST(one_that_failed_stands_in_the_way_of_all_and_one_that_was_stopped_does_not)
{
	failed_one(EFF_ON_FAILURE);
	failed_one(EFF_NEVER);
	return eff_ok(NULL);
}

FIBER_TEST(without_auto_shutdown_nothing_is_significant)
{
	struct player p[] = {PLAYER("a", ENDS_AFTER(EFF_S(1)))};
	struct eff_sup sup;

	significant(p, 1);
	PLAY(&sup, p);
	(void)eff_sleep(EFF_S(4));
	ck_assert_int_eq(sup.end, EFF_SUP_GOES_ON);
	return played(&sup);
}

FIBER_TEST(a_clean_end_that_belongs_to_a_round_is_not_by_itself)
{
	struct player p[] = {PLAYER("a", FAILS_AFTER(EFF_S(1)), STEADY),
		PLAYER("b", {.lives = EFF_FOREVER, .says_so = true})};
	struct eff_sup sup;

	player_is_quiet = true;
	significant(p, 2);
	PLAY(&sup, p, .strategy = EFF_ONE_FOR_ALL, .auto_shutdown = EFF_AUTO_ANY);
	(void)eff_sleep(EFF_S(10));
	EXPECT("a+@0 b+@0 a-@1 b.@1 a+@2 b+@2 ");
	ck_assert_int_eq(sup.end, EFF_SUP_GOES_ON);
	return played(&sup);
}

/* ── supervisors of supervisors ── */

/* inner: a that ends each second, and b. */
struct family {
	struct player members[2];
	struct eff_child children[2];
	struct eff_services inner;
};

static eff_exit member_run(void *arg)
{
	struct player *p = arg;
	struct eff_child *self = eff_child_self();
	int r;

	p->n_runs++;
	say("%s+", p->child.name);
	eff_child_up(self);
	r = eff_sleep(p->parts->lives);
	say("%s%c", p->child.name, r < 0 ? '.' : '-');
	return r < 0 ? eff_interrupted() : p->parts->ends;
}

static void family_make(struct family *f, const struct part *first)
{
	static const struct part steady = STEADY;

	*f = (struct family){.members = {PLAYER("a", STEADY), PLAYER("b", STEADY)}};
	f->members[0].parts = first;
	f->members[1].parts = &steady;
	for (int i = 0; i < 2; i++) {
		f->children[i] = f->members[i].child;
		f->children[i].run = EFF(member_run, &f->members[i]);
	}
	f->inner.children = f->children;
	f->inner.n_children = 2;
}

static void tell_rest(struct eff_child *child, eff_exit exit, enum eff_rest rest)
{
	char text[160];

	(void)rest;
	say("%s: %s", child->name, eff_exit_text(exit, text, sizeof(text)));
}

static void tell_backoff(struct eff_child *child, eff_exit exit, eff_ns delay)
{
	char text[160];

	(void)delay;
	say("%s~ %s", child->name, eff_exit_text(exit, text, sizeof(text)));
}

static const struct eff_sup_hooks outer_hooks = {.on_rest = tell_rest, .on_backoff = tell_backoff};

FIBER_TEST(a_failure_climbs_by_the_policies_above)
{
	static const struct part crash = FAILS_AFTER(EFF_S(1));
	struct family f;
	struct eff_child inner = {.name = "inner",
		.run = EFF(eff_services_run, &f.inner),
		.policy = eff_policy_of(EFF_ALWAYS)};
	struct eff_services outer = {
		.opts = {.max_restarts = 1, .period = EFF_S(60), .hooks = &outer_hooks},
		.children = &inner,
		.n_children = 1};
	char text[300];
	eff_exit exit;

	family_make(&f, &crash);
	f.inner.opts = (struct eff_sup_opts){.max_restarts = 1, .period = EFF_S(30)};
	inner.policy.backoff = eff_spaced(EFF_S(5));
	exit = eff_services_run(&outer);
	/* Each time the inner one begins anew: its count is 0 again. */
	EXPECT("a+@0 b+@0 a-@1 a+@2 a-@3 b.@3 "
	       "inner~ fail 1: a ended: one restart too many; and fail 1@3 "
	       "a+@8 b+@8 a-@9 a+@10 a-@11 b.@11 "
	       "inner: fail 1: a ended: one restart too many; and fail 1@11 ");
	ck_assert_str_eq(eff_exit_text(exit, text, sizeof(text)),
		"fail 1: inner ended: one restart too many; and fail 1: a ended: one restart too many; and fail 1");
	eff_exit_drop(exit);
	return eff_ok(NULL);
}

FIBER_TEST(by_default_the_first_supervisor_above_absorbs)
{
	static const struct part crash = FAILS_AFTER(EFF_S(1));
	struct family f;
	struct eff_child inner = {.name = "inner",
		.run = EFF(eff_services_run, &f.inner),
		.policy = eff_policy_of(EFF_ALWAYS)};
	struct eff_services outer = {.children = &inner, .n_children = 1};
	eff_exit exit;

	family_make(&f, &crash);
	f.children[0].policy.critical = true;
	f.children[0].policy.restart = EFF_NEVER;
	inner.policy.critical = true;
	exit = eff_timeout(EFF_H(1), EFF(eff_services_run, &outer));
	ck_assert_int_eq(exit.code, ETIMEDOUT);
	/* It has been up for a second each time: its k goes on. 0.5 to 16 s, then 30 s (and up to a tenth more). */
	ck_assert_uint_ge(inner.runs, 108);
	ck_assert_uint_le(inner.runs, 122);
	ck_assert_uint_eq(inner.runs, f.members[0].n_runs);
	return eff_ok(NULL);
}

FIBER_TEST(one_that_gave_up_has_failed_and_one_that_is_done_has_not)
{
	static const struct part ends[] = {
		FAILS_AFTER(EFF_S(1)), DIES_AFTER(EFF_S(1)), ENDS_AFTER(EFF_S(1))};
	static const enum eff_restart policies[] = {EFF_ON_FAILURE, EFF_ON_ABNORMAL, EFF_ON_SUCCESS};
	/* A supervisor that gave up is a failure, whatever its child died of. */
	static const bool again[3][3] = {
		{true, false, false}, {true, false, false}, {false, false, true}};

	for (int end = 0; end < 3; end++)
		for (int policy = 0; policy < 3; policy++) {
			struct family f;
			struct eff_child inner = {.name = "inner",
				.run = EFF(eff_services_run, &f.inner),
				.policy = eff_policy_of(policies[policy])};
			struct eff_services outer = {.children = &inner, .n_children = 1};

			family_make(&f, &ends[end]);
			f.inner.opts.auto_shutdown = EFF_AUTO_ANY;
			f.children[0].policy.restart = EFF_NEVER;
			f.children[0].policy.critical = f.children[0].policy.significant = true;
			eff_exit_drop(eff_timeout(EFF_MS(2400), EFF(eff_services_run, &outer)));
			ck_assert_uint_eq(inner.runs, again[end][policy] ? 2 : 1);
			run_trace[0] = '\0';
		}
	return eff_ok(NULL);
}

FIBER_TEST(a_set_is_up_when_its_children_are_and_a_round_takes_it_out_of_that)
{
	static const struct part crash = FAILS_AFTER(EFF_S(11));
	struct family f;
	struct player after[] = {PLAYER("after", FAILS_AFTER(EFF_S(4)))};
	struct eff_child inner = {.name = "inner",
		.run = EFF(eff_services_run, &f.inner),
		.policy = eff_policy_of(EFF_ALWAYS)};
	struct eff_child *const needs[] = {&inner, NULL};
	struct eff_sup sup;

	player_is_quiet = true;
	family_make(&f, &crash);
	f.inner.opts.strategy = EFF_ONE_FOR_ALL;
	f.children[0].policy.backoff = eff_spaced(EFF_S(7));
	eff_scope_open(&stage);
	ck_assert_int_eq(eff_sup_open(&sup, &(struct eff_sup_opts){0}), 0);
	after[0].child.needs = needs;
	eff_sup_add(&sup, &inner);
	players_add(&sup, after, 1);
	ck_assert_int_eq(eff_sup_start(&sup), 0);
	(void)eff_sleep(EFF_S(20));
	/* Due again at 15 s while the round is under way until 18 s. */
	EXPECT("a+@0 b+@0 after+@0 after-@4 after+@5 after-@9 after+@10 a-@11 b.@11 after-@14 "
	       "a+@18 b+@18 after+@18 ");
	ck_assert_int_eq(inner.up_since, EFF_S(18));
	ck_assert_uint_eq(inner.runs, 1);
	return played(&sup);
}

FIBER_TEST(a_stop_from_above_goes_down_and_is_no_failure)
{
	static const struct part steady = STEADY;
	struct family f;
	struct eff_child inner = {.name = "inner",
		.run = EFF(eff_services_run, &f.inner),
		.policy = eff_policy_of(EFF_ALWAYS)};
	struct eff_services outer = {
		.opts = {.hooks = &outer_hooks}, .children = &inner, .n_children = 1};
	struct eff_fiber *fiber;

	family_make(&f, &steady);
	fiber = forked(eff_services_run, &outer);
	(void)eff_sleep(EFF_S(1));
	eff_interrupt_async(fiber);
	ck_assert_str_eq(end_of(fiber), "interrupt");
	EXPECT("a+@0 b+@0 a.@1 b.@1 inner: interrupt@1 ");
	return eff_ok(NULL);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("lib/give_up");
	TCase *c = tcase_create("give_up");

	test_leak_guard(c);
	tcase_add_checked_fixture(c, run_setup, run_teardown);
	tcase_add_test(c, a_critical_child_that_failed_fails_its_supervisor);
	tcase_add_test(c, one_that_is_done_or_stopped_or_not_critical_fails_nobody);
	tcase_add_test(c, one_that_is_started_again_as_it_comes_to_rest_fails_nobody);
	tcase_add_test(c, any_significant_child_that_ended_clean_by_itself_is_enough);
	tcase_add_test(c, all_significant_children_have_to);
	tcase_add_test(
		c, one_that_failed_stands_in_the_way_of_all_and_one_that_was_stopped_does_not);
	tcase_add_test(c, without_auto_shutdown_nothing_is_significant);
	tcase_add_test(c, a_clean_end_that_belongs_to_a_round_is_not_by_itself);
	tcase_add_test(c, a_failure_climbs_by_the_policies_above);
	tcase_add_test(c, by_default_the_first_supervisor_above_absorbs);
	tcase_add_test(c, one_that_gave_up_has_failed_and_one_that_is_done_has_not);
	tcase_add_test(c, a_set_is_up_when_its_children_are_and_a_round_takes_it_out_of_that);
	tcase_add_test(c, a_stop_from_above_goes_down_and_is_no_failure);
	suite_add_tcase(suite, c);
	return suite;
}
