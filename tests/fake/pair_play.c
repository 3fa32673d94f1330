/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "fake/fake_parts.h"
#include "fake/pair_play.h"

struct pair_known *play_known(struct pair_play *p, const char *name)
{
	for (unsigned i = 0; i < p->n_known; i++)
		if (!strcmp(p->known[i].name, name))
			return &p->known[i];
	ck_assert_uint_lt(p->n_known, PAIR_KNOWN);
	p->known[p->n_known] = (struct pair_known){0};
	(void)snprintf(p->known[p->n_known].name, sizeof(p->known[0].name), "%s", name);
	return &p->known[p->n_known++];
}

void play_tell(struct pair_play *p, const char *what, const char *of)
{
	text_printf(&p->story, "%lld ms: %s %s\n",
		p->world ? (long long)(world_now(p->world) / EFF_MS(1)) : 0, what, of);
	if (p->world)
		p->world->story = p->story.bytes;
	if (p->tells)
		(void)fprintf(stderr, "%s %s\n", what, of);
}

static void broken(struct pair_play *p, const char *unit, const char *what, const char *other)
{
	if (!p->broken[0])
		(void)snprintf(p->broken, sizeof(p->broken), "%s %s %s", unit, what, other);
}

/* ── what processes are and do ── */

static void spawned(void *context, const struct os_spawn *spawn)
{
	struct pair_play *p = context;
	struct pair_known *known;
	int n;

	if (strcmp(spawn->argv[0], "prog") != 0)
		return;
	known = play_known(p, spawn->unit);
	n = snprintf(known->given, sizeof(known->given), "%s", spawn->argv[1]);
	for (size_t i = 0; spawn->environment[i] && (size_t)n < sizeof(known->given); i++)
		n += snprintf(known->given + n, sizeof(known->given) - (size_t)n, " %s",
			spawn->environment[i]);
}

/* By the seed and the name alone, for runs are counted differently in the one world and in the other. */
static struct script steady_play(void *context, const char *unit, unsigned n)
{
	struct pair_play *p = context;
	const struct unit *u = tree_find(p->world->tree, unit);
	struct scenario s = {.random = p->pair.before.made.seed};
	struct script script = {.lives = EFF_FOREVER};

	(void)n;
	for (const char *c = unit; *c; c++)
		s.random = s.random * 31 + (unsigned char)*c;
	script.exec_takes = EFF_MS(scenario_below(&s, 3) * 25);
	script.ready_after = EFF_MS(scenario_below(&s, 3) * 200);
	script.term_takes = EFF_MS(scenario_below(&s, 4) * 700);
	script.ignores_term = scenario_one_in(&s, 8);
	if (u && u->spec->type == PLAN_ONESHOT)
		script.lives = EFF_MS(10);
	return script;
}

static struct script steady_hook(void *context, const char *unit, unsigned n)
{
	(void)context;
	(void)unit;
	(void)n;
	return (struct script){.helper = true, .lives = EFF_MS(20)};
}

/* One that the kernel does not let go of for longer than effd waits for it outlives the tree. */
static struct script failing_hook(void *context, const char *unit, unsigned n)
{
	struct script script = scenario_help(context, unit, n);

	if (script.unkillable_for > EFF_S(1))
		script.unkillable_for = EFF_S(1);
	return script;
}

/* ── what must hold when one is started, or told to stop ── */

static bool need_held(const struct unit_need *need)
{
	const struct unit *other = need->unit;

	switch (need->need->condition) {
	case PLAN_STARTED:
		return other->started || other->state == UNIT_UP || other->state == UNIT_DONE;
	case PLAN_READY:
		return other->state == UNIT_UP ||
			(other->state == UNIT_DONE && other->spec->type == PLAN_ONESHOT);
	case PLAN_COMPLETED:
		return other->state == UNIT_DONE || other->state == UNIT_FAILED;
	case PLAN_COMPLETED_SUCCESSFULLY:
		return other->state == UNIT_DONE;
	}
	return false;
}

static void check_start(struct pair_play *p, const struct unit *u)
{
	for (const struct unit *at = u; at; at = at->parent)
		if (at->held || !at->spec->enabled || at->leaving)
			broken(p, u->name, "is started, and that may not be with", at->name);
	/* While pre_start runs what it requires may end. */
	for (uint32_t i = 0; i < u->n_needs && !u->spec->rules->hooks.pre_start.argv; i++)
		if (u->needs[i].need->required && !need_held(&u->needs[i]))
			broken(p, u->name, "is started before", u->needs[i].unit->name);
}

/* Those that a reload takes out go in order too: who requires another goes first. */
static void check_signal(struct pair_play *p, const struct fake_event *event)
{
	const struct scenario *s = &p->pair.before.made;

	if (tree_find(p->world->tree, event->unit) || event->sig == SIGCONT)
		return;
	for (unsigned i = 1; i < s->n; i++)
		for (unsigned k = 0; k < SCENARIO_NEEDS; k++) {
			const struct scenario_need *need = &s->nodes[i].needs[k];

			if (need->there && !need->optional &&
				!strcmp(s->nodes[need->on].name, event->unit) &&
				!tree_find(p->world->tree, s->nodes[i].name) &&
				os_fake_live(p->world->fake, s->nodes[i].name) > 0)
				broken(p, event->unit, "is stopped before", s->nodes[i].name);
		}
}

static void watch(void *context, const struct fake_event *event)
{
	struct pair_play *p = context;
	const struct unit *u = tree_find(p->world->tree, event->unit);

	if (event->helper)
		return;
	if (event->what == FAKE_SPAWN && u)
		check_start(p, u);
	if (event->what == FAKE_SIGNAL && p->pair.steady)
		check_signal(p, event);
}

/* ── worlds ── */

void play_start(struct pair_play *p, const struct pair_tree *tree)
{
	struct text yaml = {0};

	pair_yaml(tree, &yaml);
	play_tell(p, "a world of\n", yaml.bytes);
	p->n_known = 0;
	p->world = world_new(yaml.bytes);
	p->world->story = p->story.bytes;
	if (p->pair.steady) {
		os_fake_play(p->world->fake, "prog", steady_play, p);
		os_fake_play(p->world->fake, "hook", steady_hook, p);
	} else {
		os_fake_play(p->world->fake, "prog", scenario_play, &p->pair.before.made);
		os_fake_play(p->world->fake, "hook", failing_hook, &p->pair.before.made);
	}
	for (uint16_t port = 1; port <= 3 && p->pair.steady; port++)
		os_fake_port(p->world->fake, port, 0, 0);
	os_fake_watch(p->world->fake, watch, p);
	os_fake_on_spawn(p->world->fake, spawned, p);
	text_done(&yaml);
}

void play_end(struct pair_play *p)
{
	world_free(p->world);
	p->world = NULL;
}

static void check_now(struct pair_play *p)
{
	world_check(p->world);
	WORLD_ASSERT(p->world, !p->broken[0], "%s", p->broken);
}

void play_pass(struct pair_play *p, eff_ns duration)
{
	eff_ns until = eff_now() + duration, next;

	ck_assert_int_eq(eff_testclock_advance(p->world->clock, 0), 0);
	check_now(p);
	while (eff_testclock_next(p->world->clock, &next) && next <= until) {
		ck_assert_int_eq(eff_testclock_advance(p->world->clock, next - eff_now()), 0);
		check_now(p);
	}
	if (until > eff_now())
		ck_assert_int_eq(eff_testclock_advance(p->world->clock, until - eff_now()), 0);
}

void play_reload(struct pair_play *p)
{
	struct text yaml = {0};

	pair_yaml(&p->pair.after, &yaml);
	play_tell(p, "reload to\n", yaml.bytes);
	world_reload(p->world, yaml.bytes);
	text_done(&yaml);
}

struct pair_play *play_new(uint64_t seed, bool steady, bool tells)
{
	struct pair_play *p = fake_zalloc(sizeof(*p));

	p->tells = tells;
	pair_make(&p->pair, seed, steady);
	text_printf(&p->story, "EFFD_SEED=%llu\n", (unsigned long long)seed);
	if (tells)
		(void)fprintf(stderr, "%s", p->story.bytes);
	return p;
}

void play_free(struct pair_play *p)
{
	text_done(&p->story);
	free(p);
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

void play_batch(int index, unsigned n_pairs, void (*play)(uint64_t seed, bool tells))
{
	uint64_t each = number_of("EFFD_PAIRS", n_pairs) / PAIR_BATCHES;
	uint64_t first = 1 + (uint64_t)index * each;
	uint64_t seed = number_of("EFFD_SEED", 0);

	if (seed && index == 0)
		play(seed, true);
	for (uint64_t i = first; i < first + each && !seed; i++)
		play(i, false);
}
