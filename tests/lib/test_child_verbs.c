/* SPDX-License-Identifier: MIT */
/* Children that come and go while the supervisor runs: spawned, temporary, removed, moved, waited for. */
#include <stdlib.h>

#include "leak.h"
#include "supervised.h"

Suite *test_suite(void);

/* ── from a template ── */

static unsigned n_freed;

static eff_exit instance_run(void *arg)
{
	struct eff_child *self = eff_child_self();
	eff_ns *lives = arg;
	int r;

	say("%s+", self->name);
	eff_child_up(self);
	r = eff_sleep(*lives);
	say("%s%c", self->name, r < 0 ? '.' : '-');
	return r < 0 ? eff_interrupted() : eff_fail(1);
}

static void free_argument(struct eff_child *child)
{
	say("%s/", child->name);
	free(child->run.arg);
	n_freed++;
}

static eff_ns *lifetime(eff_ns lives)
{
	eff_ns *copy = malloc(sizeof(*copy));

	ck_assert_ptr_nonnull(copy);
	*copy = lives;
	return copy;
}

static const struct eff_sup_hooks instance_hooks = {.on_forget = free_argument};

FIBER_TEST(simple_one_for_one_makes_its_children_from_a_template)
{
	struct eff_child template = {.name = "job", .run = EFF(instance_run, NULL)};
	eff_ns ever = EFF_FOREVER, short_time = EFF_S(2);
	struct eff_child *a, *b, *c;
	char name[] = "b";
	struct eff_sup sup;

	template.policy = eff_policy_of(EFF_ALWAYS);
	template.policy.backoff = eff_spaced(EFF_S(1));
	eff_scope_open(&stage);
	ck_assert_int_eq(eff_sup_open(&sup,
				 &(struct eff_sup_opts){.strategy = EFF_SIMPLE_ONE_FOR_ONE,
					 .order = EFF_SEQUENTIAL,
					 .template = &template}),
		0);
	ck_assert_int_eq(eff_sup_spawn(&sup, "a", &ever, &a), 0);
	ck_assert_int_eq(eff_sup_spawn(&sup, name, &short_time, &b), 0);
	ck_assert_int_eq(eff_sup_spawn(&sup, NULL, &ever, &c), 0);
	name[0] = 'x';
	(void)eff_sleep(EFF_S(4));
	/* No order among them, whatever the options say. */
	EXPECT("a+@0 b+@0 job+@0 b-@2 b+@3 ");
	ck_assert_ptr_eq(eff_sup_find(&sup, "b"), b);
	ck_assert_ptr_null(eff_sup_find(&sup, "x"));
	ck_assert_int_eq(eff_child_stop(a), 0);
	eff_sup_remove(a);
	ck_assert_ptr_null(eff_sup_find(&sup, "a"));
	eff_sup_stop(&sup);
	EXPECT("a.@4 b.@4 job.@4 ");
	ck_assert_int_eq(eff_sup_spawn(&sup, "late", &ever, NULL), -ECANCELED);
	return played(&sup);
}

FIBER_TEST(a_temporary_child_is_forgotten_at_its_end)
{
	struct eff_child template = {
		.name = "job", .run = EFF(instance_run, NULL), .temporary = true};
	struct eff_child *slow, *stopped;
	struct eff_sup sup;

	n_freed = 0;
	template.policy = eff_policy_of(EFF_NEVER);
	eff_scope_open(&stage);
	ck_assert_int_eq(eff_sup_open(&sup,
				 &(struct eff_sup_opts){.strategy = EFF_SIMPLE_ONE_FOR_ONE,
					 .template = &template,
					 .hooks = &instance_hooks}),
		0);
	ck_assert_int_eq(eff_sup_spawn(&sup, "a", lifetime(EFF_S(1)), NULL), 0);
	ck_assert_int_eq(eff_sup_spawn(&sup, "b", lifetime(EFF_S(9)), &slow), 0);
	ck_assert_int_eq(eff_sup_spawn(&sup, "c", lifetime(EFF_S(9)), &stopped), 0);
	(void)eff_sleep(EFF_S(2));
	EXPECT("a+@0 b+@0 c+@0 a-@1 a/@1 ");
	eff_child_stop_async(stopped);
	ck_assert_int_eq(eff_child_await_rest(stopped), 0);
	EXPECT("c.@2 c/@2 ");
	/* Who waits for it to be up is told when it has gone. */
	eff_child_stop_async(slow);
	eff_child_not_up(slow);
	ck_assert_int_eq(eff_child_await_up(slow), -ECHILD);
	ck_assert(eff_list_empty(&sup.children));
	ck_assert_uint_eq(n_freed, 3);
	return played(&sup);
}

FIBER_TEST(ten_thousand_that_come_and_go_leave_nothing)
{
	struct eff_child template = {
		.name = "job", .run = EFF(instance_run, NULL), .temporary = true};
	struct eff_sup sup;

	n_freed = 0;
	template.policy = eff_policy_of(EFF_NEVER);
	eff_scope_open(&stage);
	ck_assert_int_eq(
		eff_sup_open(&sup,
			&(struct eff_sup_opts){.template = &template, .hooks = &instance_hooks}),
		0);
	for (int i = 0; i < 10000; i++) {
		ck_assert_int_eq(eff_sup_spawn(&sup, NULL, lifetime(EFF_MS(i % 7)), NULL), 0);
		if (i % 100 == 0)
			(void)eff_sleep(EFF_MS(3));
	}
	(void)eff_sleep(EFF_S(1));
	ck_assert_uint_eq(n_freed, 10000);
	ck_assert(eff_list_empty(&sup.children));
	return played(&sup);
}

FIBER_TEST(without_a_template_nothing_is_spawned)
{
	struct eff_sup sup;

	eff_scope_open(&stage);
	ck_assert_int_eq(eff_sup_open(&sup, &(struct eff_sup_opts){0}), 0);
	ck_assert_int_eq(eff_sup_spawn(&sup, "a", NULL, NULL), -EINVAL);
	return played(&sup);
}

/* ── added and taken out ── */

FIBER_TEST(children_are_added_and_removed_while_it_runs)
{
	struct player p[] = {PLAYER("a", STEADY)};
	struct player q[] = {PLAYER("b", FAILS_AFTER(EFF_S(1)))};
	struct eff_sup sup;

	player_is_quiet = true;
	PLAY(&sup, p);
	players_add(&sup, q, 1);
	ck_assert_int_eq(eff_child_start(&q[0].child), 0);
	(void)eff_sleep(EFF_MS(4500));
	EXPECT("a+@0 b+@0 b-@1 b+@2 b-@3 b+@4 ");
	ck_assert_int_eq(eff_child_stop(&q[0].child), 0);
	eff_sup_remove(&q[0].child);
	ck_assert_ptr_null(q[0].child.sup);
	/* Put in again it begins anew, but for what it has counted. */
	ck_assert_uint_eq(q[0].child.restarts, 2);
	players_add(&sup, q, 1);
	ck_assert_uint_eq(eff_child_failures(&q[0].child), 0);
	ck_assert_uint_eq(q[0].child.restarts, 2);
	return played(&sup);
}

FIBER_TEST(a_place_is_kept_in_the_order)
{
	struct player p[] = {PLAYER("a", STEADY), PLAYER("b", STEADY), PLAYER("c", STEADY),
		PLAYER("d", STEADY)};
	struct eff_sup sup;

	player_is_quiet = true;
	p[0].child.place = 30;
	p[1].child.place = 10;
	p[2].child.place = 30;
	PLAY(&sup, p);
	(void)eff_sleep(EFF_S(1));
	EXPECT("b+@0 a+@0 c+@0 d+@0 ");
	ck_assert_uint_eq(p[3].child.place, 31);
	eff_sup_stop(&sup);
	EXPECT("b.@1 a.@1 c.@1 d.@1 ");
	return played(&sup);
}

/* Against sorting by hand. */
FIBER_TEST(whatever_is_moved_the_places_stay_in_order)
{
	struct eff_child c[20] = {0};
	struct eff_sup sup;

	eff_scope_open(&stage);
	ck_assert_int_eq(eff_sup_open(&sup, &(struct eff_sup_opts){0}), 0);
	for (int i = 0; i < 20; i++)
		eff_sup_add(&sup, &c[i]);
	for (int i = 0; i < 2000; i++) {
		struct eff_child *moved = &c[eff_random() % 20];
		uint32_t before = 0, n = 0, place = (uint32_t)(eff_random() % 12);
		bool seen = false;

		eff_sup_move(moved, place);
		ck_assert(place ? moved->place == place : moved->place > 0);
		for (struct eff_list *l = sup.children.next; l != &sup.children; l = l->next, n++) {
			struct eff_child *at = eff_container(l, struct eff_child, link);

			ck_assert_uint_ge(at->place, before);
			before = at->place;
			seen |= at == moved;
		}
		ck_assert_uint_eq(n, 20);
		ck_assert(seen);
	}
	return played(&sup);
}

/* ── looked at and waited for ── */

FIBER_TEST(each_moment_of_a_life_has_a_state)
{
	struct player p[] = {PLAYER("a",
		{.up_after = EFF_S(2), .lives = EFF_S(2), .ends = {.tag = EFF_FAIL, .code = 7}},
		{.lives = EFF_FOREVER, .stop_takes = EFF_S(1)})};
	const struct eff_child *a = &p[0].child;
	struct eff_sup sup;

	PLAY(&sup, p);
	ck_assert_int_eq(eff_child_state(a), EFF_CHILD_WAITS);
	(void)eff_sleep(EFF_S(1));
	ck_assert_int_eq(eff_child_state(a), EFF_CHILD_STARTS);
	(void)eff_sleep(EFF_S(2));
	ck_assert_int_eq(eff_child_state(a), EFF_CHILD_UP);
	ck_assert_int_eq(a->up_since, EFF_S(2));
	(void)eff_sleep(EFF_MS(1500));
	ck_assert_int_eq(eff_child_state(a), EFF_CHILD_BACKOFF);
	ck_assert_int_eq(a->next_at, EFF_S(5));
	ck_assert_int_eq(a->last.code, 7);
	ck_assert_uint_eq(eff_child_failures(a), 1);
	(void)eff_sleep(EFF_S(1));
	ck_assert_int_eq(eff_child_state(a), EFF_CHILD_UP);
	ck_assert_uint_eq(a->runs, 2);
	ck_assert_int_eq(a->next_at, -1);
	eff_child_cycle(&p[0].child);
	ck_assert_int_eq(eff_child_state(a), EFF_CHILD_STOPS);
	eff_child_stop_async(&p[0].child);
	ck_assert_int_eq(eff_child_state(a), EFF_CHILD_STOPS);
	ck_assert_int_eq(eff_child_await_rest(&p[0].child), 0);
	ck_assert_int_eq(eff_child_state(a), EFF_CHILD_RESTS);
	return played(&sup);
}

FIBER_TEST(a_delay_that_runs_is_cut_to_what_another_backoff_would_give_at_most)
{
	struct player p[] = {PLAYER("a", FAILS_AFTER(EFF_S(1)))};
	struct eff_child *a = &p[0].child;
	struct eff_sched slow = eff_exponential(EFF_M(1), 2.0),
			 fast = eff_exponential(EFF_S(1), 3.0);
	struct eff_sup sup;

	a->policy.backoff = slow;
	PLAY(&sup, p);
	eff_child_hasten(a);
	(void)eff_sleep(EFF_S(63));
	eff_child_hasten(a);
	ck_assert_int_eq(a->next_at, EFF_S(182));
	a->policy.backoff = eff_sched_jitter(fast, 1.0, 2.0);
	eff_child_hasten(a);
	ck_assert_int_eq(a->next_at, EFF_S(69));
	/* Nor is it put off again. */
	(void)eff_sleep(EFF_S(1));
	eff_child_hasten(a);
	a->policy.backoff = slow;
	eff_child_hasten(a);
	(void)eff_sleep(EFF_S(7));
	ck_assert_int_eq(a->next_at, EFF_S(70 + 240));
	EXPECT("a+@0 a-@1 a~@1 a+@61 a-@62 a~@62 a+@69 a-@70 a~@70 ");
	return played(&sup);
}

static eff_exit tells_when_up(void *arg)
{
	struct player *p = arg;
	int r = eff_child_await_up(&p->child);

	say("%s:%d", p->child.name, r);
	return eff_ok(NULL);
}

FIBER_TEST(any_number_may_wait_until_one_is_up)
{
	static const struct part bad = {.up_after = -1, .ends = {.tag = EFF_DIE}};
	static const struct part slow = {.up_after = EFF_S(2), .lives = EFF_FOREVER};
	static const struct part job = {.up_after = -1, .lives = EFF_S(1)};
	struct player p[] = {PLAYER("a", bad, slow), PLAYER("b", job)};
	struct eff_scope waiting;
	struct eff_sup sup;

	player_is_quiet = true;
	p[1].child.policy.restart = EFF_NEVER;
	PLAY(&sup, p);
	eff_scope_open(&waiting);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(eff_fork(EFF(tells_when_up, &p[0]), NULL), 0);
	ck_assert_int_eq(eff_fork(EFF(tells_when_up, &p[1]), NULL), 0);
	(void)eff_sleep(EFF_S(5));
	EXPECT("a+@0 b+@0 a-@0 b-@1 b:-10@1 a+@1 a:0@3 a:0@3 ");
	(void)eff_scope_close(&waiting);
	ck_assert_int_eq(eff_child_await_up(&p[0].child), 0);
	/* One that is cut short is not, before its next run is. */
	eff_child_cycle(&p[0].child);
	ck_assert(eff_child_await_up(&p[0].child) == 0 && eff_now() == EFF_S(7));
	return played(&sup);
}

static eff_exit knows_itself(void *arg)
{
	struct eff_child *child = arg;

	ck_assert_ptr_eq(eff_child_self(), child);
	return eff_ok(NULL);
}

static eff_exit knows_nobody(void *arg)
{
	(void)arg;
	ck_assert_ptr_null(eff_child_self());
	return eff_ok(NULL);
}

FIBER_TEST(an_effect_may_ask_which_child_it_is)
{
	struct eff_child c = {.name = "c"};
	struct eff_sup sup;

	c.run = EFF(knows_itself, &c);
	c.policy = eff_policy_of(EFF_NEVER);
	eff_scope_open(&stage);
	ck_assert_int_eq(eff_sup_open(&sup, &(struct eff_sup_opts){0}), 0);
	eff_sup_add(&sup, &c);
	ck_assert_int_eq(eff_child_start(&c), 0);
	ck_assert_int_eq(eff_child_await_rest(&c), 0);
	ck_assert_int_eq(c.rest, EFF_REST_DONE);
	(void)knows_nobody(NULL);
	ck_assert_str_eq(end_of(forked(knows_nobody, NULL)), "ok");
	return played(&sup);
}

FIBER_TEST(one_that_says_nothing_may_be_up_when_it_begins)
{
	struct eff_child c = {.name = "c", .up_at_once = true};
	struct player p[] = {PLAYER("after", STEADY)};
	struct eff_child *const needs[] = {&c, NULL};
	eff_ns lives = EFF_FOREVER;
	struct eff_sup sup;

	player_is_quiet = true;
	c.run = EFF(instance_run, &lives);
	p[0].child.needs = needs;
	PLAY(&sup, p);
	eff_sup_add(&sup, &c);
	ck_assert_int_eq(eff_sup_start(&sup), 0);
	ck_assert_int_eq(eff_sup_await_up(&sup), 0);
	EXPECT("c+@0 after+@0 ");
	return played(&sup);
}

FIBER_TEST(one_that_is_said_to_be_stuck_holds_up_nobody)
{
	struct player p[] = {PLAYER("a", STEADY),
		PLAYER("b", {.lives = EFF_FOREVER, .stop_takes = EFF_S(30)})};
	struct eff_sup sup;

	player_is_quiet = true;
	PLAY(&sup, p, .order = EFF_SEQUENTIAL);
	(void)eff_sleep(EFF_S(1));
	eff_child_stuck(&p[1].child);
	eff_child_stop_async(&p[1].child);
	eff_child_stuck(&p[1].child);
	(void)eff_sleep(EFF_S(1));
	eff_sup_stop(&sup);
	EXPECT("a+@0 b+@0 b!@1 a.@2 b.@31 ");
	eff_child_stuck(&p[1].child);
	EXPECT("");
	return played(&sup);
}

/* A supervisor that is a child: of one that ends at once, and one that takes 30 s. */
static eff_exit inner_run(void *arg)
{
	struct player p[] = {PLAYER("x", STEADY),
		PLAYER("y", {.lives = EFF_FOREVER, .stop_takes = EFF_S(30)})};
	struct eff_scope scope;
	struct eff_sup sup;

	(void)arg;
	p[1].child.stop_grace = EFF_S(5);
	eff_scope_open(&scope);
	ck_assert_int_eq(eff_sup_open(&sup, &(struct eff_sup_opts){.hooks = &player_hooks}), 0);
	players_add(&sup, p, 2);
	ck_assert_int_eq(eff_sup_start(&sup), 0);
	ck_assert_int_eq(eff_sup_await_up(&sup), 0);
	eff_child_up(eff_child_self());
	(void)eff_sup_await(&sup);
	eff_sup_stop(&sup);
	(void)eff_scope_close(&scope);
	return eff_interrupted();
}

FIBER_TEST(a_supervisor_of_which_nothing_else_is_left_is_stuck_too)
{
	struct player p[] = {PLAYER("a", STEADY), PLAYER("in", STEADY), PLAYER("c", STEADY)};
	struct eff_sup sup;

	player_is_quiet = true;
	PLAY(&sup, p, .order = EFF_SEQUENTIAL);
	p[1].child.run = EFF(inner_run, NULL);
	(void)eff_sleep(EFF_S(1));
	eff_sup_stop(&sup);
	EXPECT("a+@0 x+@0 y+@0 c+@0 c.@1 x.@1 y!@6 in!@6 a.@6 y.@31 ");
	ck_assert(!p[1].child.stuck);
	ck_assert_uint_eq(sup.n_stuck, 0);
	return played(&sup);
}

Suite *test_suite(void)
{
	Suite *suite = suite_create("lib/child_verbs");
	TCase *c = tcase_create("child_verbs");

	test_leak_guard(c);
	tcase_add_checked_fixture(c, run_setup, run_teardown);
	tcase_add_test(c, simple_one_for_one_makes_its_children_from_a_template);
	tcase_add_test(c, a_temporary_child_is_forgotten_at_its_end);
	tcase_add_test(c, ten_thousand_that_come_and_go_leave_nothing);
	tcase_add_test(c, without_a_template_nothing_is_spawned);
	tcase_add_test(c, children_are_added_and_removed_while_it_runs);
	tcase_add_test(c, a_place_is_kept_in_the_order);
	tcase_add_test(c, whatever_is_moved_the_places_stay_in_order);
	tcase_add_test(c, each_moment_of_a_life_has_a_state);
	tcase_add_test(c, a_delay_that_runs_is_cut_to_what_another_backoff_would_give_at_most);
	tcase_add_test(c, any_number_may_wait_until_one_is_up);
	tcase_add_test(c, an_effect_may_ask_which_child_it_is);
	tcase_add_test(c, one_that_says_nothing_may_be_up_when_it_begins);
	tcase_add_test(c, one_that_is_said_to_be_stuck_holds_up_nobody);
	tcase_add_test(c, a_supervisor_of_which_nothing_else_is_left_is_stuck_too);
	suite_add_tcase(suite, c);
	return suite;
}
