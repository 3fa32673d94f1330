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
#include "fake/world.h"

enum {
	STEPS = 25,
	N_SCENARIOS = 2000,
	N_BATCHES = 8,
	N_SHADOWS = 2 * SCENARIO_NODES * SCENARIO_REPLICAS
};

struct play {
	struct scenario scenario;
	struct world *world;
	struct text story;
	bool tells;
	char broken[300]; /* found in the middle of things; the first one counts */
	/* By unit: is it held, as far as verbs say; when its last run had gone. */
	struct shadow {
		char name[64];
		const struct unit *unit; /* that it is of: another of the same name begins anew */
		uint64_t verbs; /* that it has seen; another may come to lie in its place, and has seen less */
		bool held;
		bool told; /* this run has had a signal */
		eff_ns gone_at;
	} shadows[N_SHADOWS];
	unsigned n_shadows;
	uint64_t generation; /* of the tree at the last look */
	bool is_killing;     /* not effd: somebody */
};

static struct shadow *shadow_of(struct play *p, const char *name)
{
	for (unsigned i = 0; i < p->n_shadows; i++)
		if (!strcmp(p->shadows[i].name, name))
			return &p->shadows[i];
	ck_assert_uint_lt(p->n_shadows, N_SHADOWS);
	(void)snprintf(p->shadows[p->n_shadows].name, sizeof(p->shadows[0].name), "%s", name);
	p->shadows[p->n_shadows].gone_at = -1;
	return &p->shadows[p->n_shadows++];
}

/* The shadow of a unit of the tree. */
static struct shadow *shadow_at(struct play *p, const struct unit *u)
{
	struct shadow *shadow = shadow_of(p, u->name);

	if (shadow->unit != u || shadow->verbs > u->verbs)
		shadow->held = false;
	shadow->unit = u;
	shadow->verbs = u->verbs;
	return shadow;
}

static void broken(struct play *p, const char *unit, const char *what, const char *other)
{
	if (!p->broken[0])
		(void)snprintf(p->broken, sizeof(p->broken), "%s %s %s", unit, what, other);
}

static void tell(struct play *p, const char *what, const char *unit)
{
	text_printf(&p->story, "%lld ms: %s %s\n", (long long)(world_now(p->world) / EFF_MS(1)),
		what, unit);
	p->world->story = p->story.bytes;
	if (p->tells)
		(void)fprintf(stderr, "%lld ms: %s %s\n",
			(long long)(world_now(p->world) / EFF_MS(1)), what, unit);
}

/* ── what must hold when a unit is started ── */

static bool condition_holds(const struct unit_need *need)
{
	const struct unit *other = need->unit;
	bool ready = other->state == UNIT_UP ||
		(other->state == UNIT_DONE && other->spec->type == PLAN_ONESHOT);

	switch (need->need->condition) {
	case PLAN_STARTED:
		return other->started || ready;
	case PLAN_READY:
		return ready;
	case PLAN_COMPLETED:
		return other->state == UNIT_DONE || other->state == UNIT_FAILED;
	case PLAN_COMPLETED_SUCCESSFULLY:
		return other->state == UNIT_DONE;
	}
	return false;
}

static eff_ns least_delay(const struct unit *u)
{
	const struct plan_backoff *b = &u->spec->backoff;
	eff_ns delay = b->initial_ns;

	for (int64_t k = 1; k < u->child.pace.given && delay < b->max_ns; k++)
		delay = eff_ns_scale(delay, b->factor);
	return delay < b->max_ns ? delay : b->max_ns;
}

static void check_spawn(struct play *p, struct unit *u)
{
	const struct shadow *shadow = shadow_of(p, u->name);

	for (const struct unit *at = u; at; at = at->parent) {
		if (at->held)
			broken(p, u->name, "is started though an operator stopped", at->name);
		if (!at->spec->enabled)
			broken(p, u->name, "is started though disabled is", at->name);
		if (at->leaving)
			broken(p, u->name, "is started while there is on its way out", at->name);
		for (uint32_t i = 0; i < at->n_needs; i++)
			/* While pre_start runs what it requires may end by itself. */
			if (at == u && at->needs[i].need->required &&
				!u->spec->hooks.pre_start.argv && !condition_holds(&at->needs[i]))
				broken(p, u->name, "is started though it requires",
					at->needs[i].unit->name);
	}
	if (p->world->tree->shutting_down)
		broken(p, u->name, "is started during the shutdown", "");
	/* In a group it may be another's delay. */
	if (u->parent->spec->strategy == PLAN_ONE_FOR_ONE && u->child.restarted &&
		shadow->gone_at >= 0 && u->child.pace.given > 0 &&
		eff_now() - shadow->gone_at < least_delay(u))
		broken(p, u->name, "is started before its delay", "");
}

/* ── what must hold when one gets a signal ── */

static bool is_within(const struct unit *u, const struct unit *group)
{
	for (; u; u = u->parent)
		if (u == group)
			return true;
	return false;
}

/* Something of `d`, or of what is in it, is there and can still be waited for. */
static bool holds_up(struct play *p, const struct unit *d)
{
	const struct tree *t = p->world->tree;

	for (uint32_t i = 0; i < t->n_units; i++)
		if (is_within(t->units[i], d) && !t->units[i]->stuck && !t->units[i]->kill_now &&
			os_fake_live(p->world->fake, t->units[i]->name) > 0)
			return true;
	return false;
}

static bool requires(const struct unit *d, const struct unit *u)
{
	for (uint32_t i = 0; i < d->n_needs; i++)
		if (d->needs[i].unit == u && d->needs[i].need->required)
			return true;
	return false;
}

/* A unit that is being stopped for good gets its first signal only when those that go first have gone. The final one comes
 * when its time is up, whoever else is to stop meanwhile. */
static void check_stop(struct play *p, const struct unit *u)
{
	bool all = p->world->tree->shutting_down;

	/* From the innermost that was stopped by hand on: what is told to stop itself asks nobody above. */
	for (const struct unit *at = u; at; at = at == u && u->held ? NULL : at->parent) {
		/* Told by its group, or by somebody else meanwhile? */
		if (u->why != at->why)
			continue;
		if (!at->why || at->why->kind != CAUSE_STOP_REQUESTED || !at->held ||
			at->kill_now || at->fault)
			continue;
		for (uint32_t i = 0; i < at->n_needed_by; i++) {
			const struct unit *d = at->needed_by[i].unit;

			if ((all || requires(d, at)) && !is_within(u, d) && holds_up(p, d))
				broken(p, u->name, "is stopped before", d->name);
		}
	}
}

static void watch(void *context, const struct fake_event *event)
{
	struct play *p = context;
	struct unit *u = tree_find(p->world->tree, event->unit);
	struct shadow *shadow;

	/* One that a reload took out has nobody's needs to look at. */
	if (!u || event->helper)
		return;
	shadow = shadow_of(p, u->name);
	if (event->what == FAKE_SPAWN) {
		check_spawn(p, u);
		shadow->told = false;
	}
	if (event->what == FAKE_SIGNAL && event->sig != SIGCONT && u->pid && !p->is_killing) {
		if (!shadow->told)
			check_stop(p, u);
		shadow->told = true;
	}
	if (event->what == FAKE_GONE)
		shadow->gone_at = event->at;
}

/* ── what must hold at any time ── */

/* All replicas of a unit are in one place of their group. */
static void check_place(const struct play *p, const struct unit *u, const struct unit *before)
{
	const struct plan_unit *row = u->next ? u->next : u->spec;

	if (row->replica > 1 && u->child.sup && before->child.sup)
		WORLD_ASSERT(p->world, u->child.place == before->child.place,
			"%s is in place %u, and %s in %u", u->name, u->child.place,
			before->name, before->child.place);
}

/* ── time passes ── */

static void check_now(struct play *p)
{
	struct world *w = p->world;

	/* After two reloads at once nobody knows who went and came back. */
	bool known = w->tree->generation <= p->generation + 1;

	world_check(w);
	WORLD_ASSERT(w, !p->broken[0], "%s", p->broken);
	p->generation = w->tree->generation;
	for (uint32_t i = 1; i < w->tree->n_units; i++) {
		const struct unit *u = w->tree->units[i];

		if (!known)
			shadow_at(p, u)->held = u->held;
		WORLD_ASSERT(w, shadow_at(p, u)->held == u->held, "%s is %sheld", u->name,
			u->held ? "" : "not ");
		check_place(p, u, w->tree->units[i - 1]);
	}
	/* One that comes back may have the very memory of the one that went. */
	for (unsigned i = 0; i < p->n_shadows; i++)
		if (!tree_find(w->tree, p->shadows[i].name))
			p->shadows[i].unit = NULL;
}

/* One deadline after the other, and a look after each. */
static void pass(struct play *p, eff_ns duration)
{
	struct world *w = p->world;
	eff_ns until = eff_now() + duration;
	eff_ns next;

	ck_assert_int_eq(eff_testclock_advance(w->clock, 0), 0);
	check_now(p);
	while (eff_testclock_next(w->clock, &next) && next <= until) {
		ck_assert_int_eq(eff_testclock_advance(w->clock, next - eff_now()), 0);
		check_now(p);
	}
	if (until > eff_now())
		ck_assert_int_eq(eff_testclock_advance(w->clock, until - eff_now()), 0);
}

/* ── what is done ── */

/* What a verb did to who is held is what it was to do; a start lifts only. */
static void shadows_follow(struct play *p, const struct unit *stopped)
{
	const struct tree *t = p->world->tree;

	for (uint32_t i = 1; i < t->n_units; i++) {
		struct shadow *shadow = shadow_at(p, t->units[i]);

		if (t->units[i] == stopped)
			shadow->held = true;
		else if (!stopped && !t->units[i]->held)
			shadow->held = false;
	}
}

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
		p->is_killing = true;
		os_fake_kill(w->fake, u->name, scenario_one_in(&p->scenario, 2) ? SIGKILL : SIGTERM);
		p->is_killing = false;
	}
}

static void do_stop(struct play *p, struct unit *u, bool now)
{
	tell(p, now ? "stop --now" : "stop", u->name);
	(void)tree_stop(p->world->tree, u, NULL, now, NULL);
	shadows_follow(p, u);
}

static void do_something(struct play *p)
{
	struct tree *t = p->world->tree;
	struct unit *u = t->units[scenario_below(&p->scenario, t->n_units)];

	if (!u->parent)
		return; /* a stop of the root is a shutdown's */
	switch (scenario_below(&p->scenario, 10)) {
	case 0:
	case 1:
		tell(p, "start", u->name);
		(void)tree_start(t, u, NULL, NULL);
		shadows_follow(p, NULL);
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
		shadows_follow(p, NULL);
		break;
	case 6:
		tell(p, "reset", u->name);
		(void)tree_reset(t, u, NULL);
		break;
	case 7:
		do_reload(p);
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
	os_fake_watch(p->world->fake, watch, p);
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
