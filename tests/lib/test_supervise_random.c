/* SPDX-License-Identifier: MIT */
/* Random supervisors: strategies, orders, policies, needs and places, children that come up late, end, die, do not heed
 * their stop, and somebody who starts, stops, cycles, removes and adds. A shadow of each child, which knows the rules and
 * not how they are kept, holds in every moment:
 *
 *   never two runs of one child; none of one that is not to run, none when the supervisor has ended; no run is cut short
 *   without a word for it; no delay is shorter than its schedule's; who starts has nobody before it who is to be waited for;
 *   a round takes in exactly whom it has to, starts them again, and nobody while it is held; the end that is one restart too
 *   many is exactly that one; the same seed does the same.
 *
 * EFF_SEED repeats one program and tells what happens; EFF_PROGRAMS is the count. */
#include <stdlib.h>

#include "leak.h"
#include "shadow.h"

Suite *test_suite(void);

enum { STEPS = 60, PROGRAMS = 2400, BATCHES = 8 };

/* ── what is done ── */

static void do_start(struct actor *a)
{
	trace("start", a);
	a->wanted = true;
	if (!a->running)
		a->restart = false;
	if (a->waiting)
		a->hurried = true;
	/* One that waits for its group, or is stopped with it, takes that with it. */
	if (a->child.held || a->child.grouped)
		EACH_ACTOR (o)
			o->hurried |= o->holding;
	ck_assert_int_eq(eff_child_start(&a->child), 0);
}

static void do_stop(struct actor *a)
{
	trace("stop", a);
	a->wanted = false;
	eff_child_stop_async(&a->child);
}

static void do_cycle(struct actor *a)
{
	trace("cycle", a);
	if (a->wanted && !a->child.stopping && a->child.delayed) {
		a->hurried = true;
		a->restart = false;
	} else if (a->running && !a->grouped && !a->child.stopping) {
		a->cycled = true;
		a->restart = false;
	}
	eff_child_cycle(&a->child);
}

static bool is_needed(const struct actor *a)
{
	EACH_ACTOR (o)
		for (struct eff_child *const *need = o->child.needs; need && *need; need++)
			if (*need == &a->child)
				return true;
	return false;
}

static void do_remove_or_add(struct actor *a)
{
	if (!a->added) {
		trace("add", a);
		eff_sup_add(&w.sup, &a->child);
		a->added = true;
	} else if (!a->child.fiber && !is_needed(a)) {
		trace("remove", a);
		eff_sup_remove(&a->child);
		a->added = false;
	}
}

static void do_something(void)
{
	struct actor *a = &w.actors[draw(ACTORS)];

	switch (a->added ? draw(8) : 7) {
	case 0:
	case 1:
	case 2:
		do_start(a);
		break;
	case 3:
	case 4:
		do_stop(a);
		break;
	case 5:
		do_cycle(a);
		break;
	case 6:
		eff_child_reset(&a->child);
		break;
	default:
		do_remove_or_add(a);
		break;
	}
}

static void check_now(void)
{
	EACH_ACTOR (a) {
		HOLDS(!a->running || a->child.life, a);
		HOLDS(a->child.fiber || !a->wanted, a);
		HOLDS(!a->child.fiber || a->added, a);
		all_expected_have_come(a);
	}
	HOLDS(!w.expects_give_up && !w.expects_backoff, w.actors);
}

static void actor_make(struct actor *a, int i)
{
	static const enum eff_restart restarts[] = {EFF_ALWAYS, EFF_ALWAYS, EFF_ALWAYS,
		EFF_ON_FAILURE, EFF_ON_SUCCESS, EFF_ON_ABNORMAL, EFF_NEVER};
	struct eff_policy *policy = &a->child.policy;

	*a = (struct actor){.name = {(char)('a' + i)}, .added = true};
	a->child = (struct eff_child){.name = a->name, .run = EFF(actor_run, a)};
	*policy = (struct eff_policy){.restart = restarts[draw(7)],
		.reset_after = draw(2) ? EFF_MS(100) : EFF_FOREVER,
		.max_restarts = draw(3) ? UINT32_MAX : draw(4),
		.critical = !draw(8)};
	policy->backoff = draw(2) ? eff_spaced(draw_time()) : eff_exponential(EFF_MS(10), 2);
	policy->backoff = eff_sched_jitter(eff_sched_cap(policy->backoff, EFF_MS(300)), 1, 1.5);
	a->child.stop_grace = draw(3) ? 0 : EFF_MS(20);
	/* Places that some share; needs of those before only, so there is no circle. */
	a->child.place = (uint32_t)i + 1 - (i > 0 && !draw(4) ? 1 : 0);
	for (unsigned n = draw(4) ? 0 : draw(NEEDS + 1), k = 0; i > 0 && k < n; k++)
		a->needs[k] = &w.actors[draw((unsigned)i)].child;
	a->child.needs = a->needs[0] ? a->needs : NULL;
}

static eff_exit program(void *arg)
{
	static const enum eff_strategy strategies[] = {EFF_ONE_FOR_ONE, EFF_ONE_FOR_ALL,
		EFF_ONE_FOR_ALL, EFF_REST_FOR_ONE, EFF_REST_FOR_ONE};
	struct eff_sup_opts opts = {.hooks = &hooks};
	struct eff_scope scope;

	(void)arg;
	opts.strategy = strategies[draw(5)];
	opts.order = draw(3) ? EFF_PARALLEL : EFF_SEQUENTIAL;
	opts.period = draw(2) ? 0 : draw_time();
	opts.max_restarts = draw(20);
	eff_scope_open(&scope);
	ck_assert_int_eq(eff_sup_open(&w.sup, &opts), 0);
	for (int i = 0; i < ACTORS; i++) {
		actor_make(&w.actors[i], i);
		eff_sup_add(&w.sup, &w.actors[i].child);
	}
	EACH_ACTOR (a)
		if (w.tells)
			fprintf(stderr, "%s: place %u, restart %d, up to %u%s, needs %s %s\n",
				a->name, a->child.place, (int)a->child.policy.restart,
				a->child.policy.max_restarts,
				a->child.policy.critical ? ", critical" : "",
				a->needs[0] ? a->needs[0]->name : "-",
				a->needs[0] && a->needs[1] ? a->needs[1]->name : "-");
	EACH_ACTOR (a)
		if (draw(8))
			do_start(a);
	for (int i = 0; i < STEPS && !w.over; i++) {
		(void)eff_sleep(draw_time());
		check_now();
		if (!w.over)
			do_something();
	}
	w.over = true;
	trace("the supervisor stops", w.actors);
	eff_sup_stop(&w.sup);
	EACH_ACTOR (a)
		HOLDS(!a->child.fiber && !a->running, a);
	ck_assert_uint_eq(w.sup.n_fibers, 0);
	ck_assert_uint_eq(w.sup.n_unsettled, 0);
	ck_assert_uint_eq(w.sup.n_leading, 0);
	ck_assert_uint_eq(w.sup.n_ending, 0);
	ck_assert_uint_eq(w.sup.n_told, 0);
	(void)eff_scope_close(&scope);
	return eff_ok(NULL);
}

static uint64_t play(uint64_t seed, bool tells)
{
	run_setup();
	memset(&w, 0, sizeof(w));
	w.seed = seed;
	w.state = seed * 0x9e3779b97f4a7c15u;
	w.tells = tells;
	(void)draw(2);
	run_ok(program, NULL);
	run_teardown();
	return w.hash;
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

START_TEST(whatever_happens_the_rules_hold_in_every_moment)
{
	uint64_t each = number_of("EFF_PROGRAMS", PROGRAMS) / BATCHES;
	uint64_t seed = number_of("EFF_SEED", 0);

	if (seed) {
		if (_i == 0)
			(void)play(seed, true);
		return;
	}
	for (uint64_t i = 1 + (uint64_t)_i * each; i <= (uint64_t)(_i + 1) * each; i++) {
		uint64_t hash = play(i, false);

		if (i % 10 == 0)
			ck_assert_msg(play(i, false) == hash,
				"EFF_SEED=%llu is not the same twice", (unsigned long long)i);
	}
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("lib/supervise_random");
	TCase *c = tcase_create("supervise_random");

	test_leak_guard(c);
	tcase_set_timeout(c, 280);
	tcase_add_loop_test(c, whatever_happens_the_rules_hold_in_every_moment, 0, BATCHES);
	suite_add_tcase(suite, c);
	return suite;
}
