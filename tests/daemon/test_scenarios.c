/* SPDX-License-Identifier: MIT */
/* Random small trees, random processes, random words of operators: whatever happens, the rules hold in every moment.
 *
 * EFFD_SEED repeats one scenario and tells what is done; EFFD_SCENARIOS is the count. One that fails
 * prints its seed, its tree and what was done. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "fake/fake_parts.h"
#include "fake/scenario.h"
#include "fake/scenario_rules.h"
#include "fake/world.h"

enum { STEPS = 25, N_SCENARIOS = 2000, N_BATCHES = 8 };

struct play {
	struct scenario scenario;
	struct world *world;
	struct text story;
	bool tells;
	struct rules rules;
};

static void tell(struct play *p, const char *what, const char *unit)
{
	text_printf(&p->story, "%lld ms: %s %s\n", (long long)(world_now(p->world) / EFF_MS(1)),
		what, unit);
	p->world->story = p->story.bytes;
	if (p->tells)
		(void)fprintf(stderr, "%lld ms: %s %s\n",
			(long long)(world_now(p->world) / EFF_MS(1)), what, unit);
}

/* ── time passes ── */

/* One deadline after the other, and a look after each. */
static void pass(struct play *p, eff_ns duration)
{
	struct world *w = p->world;
	eff_ns until = eff_now() + duration;
	eff_ns next;

	ck_assert_int_eq(eff_testclock_advance(w->clock, 0), 0);
	rules_look(&p->rules);
	while (eff_testclock_next(w->clock, &next) && next <= until) {
		ck_assert_int_eq(eff_testclock_advance(w->clock, next - eff_now()), 0);
		rules_look(&p->rules);
	}
	if (until > eff_now())
		ck_assert_int_eq(eff_testclock_advance(w->clock, until - eff_now()), 0);
}

/* ── what is done ── */

static void do_reload(struct play *p)
{
	struct world *w = p->world;
	struct text yaml = {0};

	for (unsigned i = 1 + scenario_below(&p->scenario, 3); i > 0; i--)
		scenario_mutate(&p->scenario);
	scenario_yaml(&p->scenario, &yaml);
	tell(p, "reload", "");
	text_add(&p->story, yaml.bytes);
	w->story = p->story.bytes;
	world_reload(w, yaml.bytes);
	text_done(&yaml);
}

static void do_add(struct play *p)
{
	struct world *w = p->world;
	struct unit *pool = scenario_pick_pool(&p->scenario, w->tree);
	struct text units = {0};
	int r;

	if (!pool)
		return;
	scenario_additions(&p->scenario, w->tree, pool, &units);
	tell(p, units.bytes, pool->name);
	r = world_add(w, pool->name, units.bytes);
	WORLD_ASSERT(w, r == 0 || r == -EEXIST || r == -ESRCH, "add: %s", strerror(-r));
	text_done(&units);
}

static void do_remove(struct play *p)
{
	struct world *w = p->world;
	struct unit *u = scenario_pick_added(&p->scenario, w->tree);
	bool now = !scenario_one_in(&p->scenario, 3);
	int r;

	if (!u)
		return;
	tell(p, now ? "remove --now" : "remove", u->name);
	r = world_remove(w, u->name, now);
	WORLD_ASSERT(w, r == 0 || r == -ENOTEMPTY || (r == -EBUSY && !now), "remove: %s",
		strerror(-r));
}

static void do_something_outside(struct play *p, struct unit *u)
{
	struct world *w = p->world;

	if (scenario_one_in(&p->scenario, 2)) {
		bool open = scenario_one_in(&p->scenario, 2);

		tell(p, open ? "open a port" : "close a port", "");
		os_fake_port(w->fake, (uint16_t)(1 + scenario_below(&p->scenario, 3)),
			open ? 0 : -ECONNREFUSED, scenario_one_in(&p->scenario, 4) ? EFF_S(2) : 0);
	} else if (os_fake_runs(w->fake, u->name)) {
		tell(p, "kill", u->name);
		p->rules.is_killing = true;
		os_fake_kill(w->fake, u->name, scenario_one_in(&p->scenario, 2) ? SIGKILL : SIGTERM);
		p->rules.is_killing = false;
	}
}

static void do_stop(struct play *p, struct unit *u, bool now)
{
	tell(p, now ? "stop --now" : "stop", u->name);
	(void)tree_stop(p->world->tree, u, NULL, now, NULL);
	rules_follow(&p->rules, u);
}

static void do_something(struct play *p)
{
	struct tree *t = p->world->tree;
	struct unit *u = t->units[scenario_below(&p->scenario, t->n_units)];

	if (!u->parent)
		return; /* a stop of the root is a shutdown's */
	switch (scenario_below(&p->scenario, 12)) {
	case 0:
	case 1:
		tell(p, "start", u->name);
		(void)tree_start(t, u, NULL, NULL);
		rules_follow(&p->rules, NULL);
		break;
	case 2:
	case 3:
		do_stop(p, u, false);
		break;
	case 4:
		do_stop(p, u, true);
		break;
	case 5:
		tell(p, "restart", u->name);
		(void)tree_restart(t, u, NULL, false, NULL);
		rules_follow(&p->rules, NULL);
		break;
	case 6:
		tell(p, "reset", u->name);
		(void)tree_reset(t, u, NULL);
		break;
	case 7:
		do_reload(p);
		break;
	case 8:
		do_add(p);
		break;
	case 9:
		do_remove(p);
		break;
	default:
		do_something_outside(p, u);
		break;
	}
}

static void play_steps(struct play *p)
{
	static const eff_ns times[] = {
		0, 0, EFF_MS(1), EFF_MS(50), EFF_MS(500), EFF_S(3), EFF_S(20), EFF_S(100)};

	if (!scenario_one_in(&p->scenario, 10))
		pass(p, 0);
	for (unsigned i = 0; i < STEPS && !p->world->ended; i++) {
		do_something(p);
		if (!scenario_one_in(&p->scenario, 4))
			pass(p, times[scenario_below(&p->scenario, sizeof(times) / sizeof(times[0]))]);
	}
}

static void play(uint64_t seed, bool tells)
{
	struct play *p = fake_zalloc(sizeof(*p));
	struct text yaml = {0};

	p->tells = tells;
	scenario_make(&p->scenario, seed);
	scenario_yaml(&p->scenario, &yaml);
	text_printf(&p->story, "EFFD_SEED=%llu\n%s", (unsigned long long)seed, yaml.bytes);
	if (tells)
		(void)fprintf(stderr, "%s", p->story.bytes);
	p->world = world_new(yaml.bytes);
	p->world->story = p->story.bytes;
	os_fake_play(p->world->fake, "prog", scenario_play, &p->scenario);
	os_fake_play(p->world->fake, "hook", scenario_hook, &p->scenario);
	p->rules.world = p->world;
	os_fake_watch(p->world->fake, rules_watch, &p->rules);
	play_steps(p);
	tell(p, "shutdown", "");
	world_shutdown(p->world, scenario_one_in(&p->scenario, 6));
	while (!p->world->ended && world_now(p->world) < EFF_H(100))
		pass(p, EFF_S(10));
	world_free(p->world);
	text_done(&yaml);
	text_done(&p->story);
	free(p);
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

START_TEST(whatever_happens_the_rules_hold_in_every_moment)
{
	uint64_t each = number_of("EFFD_SCENARIOS", N_SCENARIOS) / N_BATCHES;
	uint64_t first = 1 + (uint64_t)_i * each;
	uint64_t seed = number_of("EFFD_SEED", 0);

	if (seed) {
		if (_i == 0)
			play(seed, true);
		return;
	}
	for (uint64_t i = first; i < first + each; i++) {
		if (getenv("EFFD_TELL"))
			(void)fprintf(stderr, "seed %llu\n", (unsigned long long)i);
		play(i, false);
	}
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/scenarios");
	TCase *tcase = tcase_create("scenarios");

	tcase_set_timeout(tcase, 280);
	tcase_add_loop_test(tcase, whatever_happens_the_rules_hold_in_every_moment, 0, N_BATCHES);
	suite_add_tcase(suite, tcase);
	return suite;
}
