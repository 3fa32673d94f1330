/* SPDX-License-Identifier: MIT */
/* What must hold in every moment of a random scenario: whatever is seen of the fake kernel is held against what the tree says
 * of itself, and what verbs were to do against what they did. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "fake/scenario_rules.h"

/* How many moments may pass without a look when nothing was seen to happen in them. */
enum { STILL_MOST = 8 };

void rules_begin(struct rules *r, struct world *w)
{
	r->world = w;
	r->n_shadows = 0;
	memset(r->places, 0, sizeof(r->places));
	r->broken[0] = '\0';
	r->generation = 0;
	r->seen_seq = 0;
	r->seen_events = 0;
	r->n_still = STILL_MOST;
}

static struct shadow *shadow_of(struct rules *r, const char *name)
{
	uint32_t place = 2166136261;
	struct shadow *shadow;

	for (const char *c = name; *c; c++)
		place = (place ^ (unsigned char)*c) * 16777619;
	for (place %= RULES_PLACES; r->places[place]; place = (place + 1) % RULES_PLACES)
		if (!strcmp(r->shadows[r->places[place] - 1].name, name))
			return &r->shadows[r->places[place] - 1];
	WORLD_ASSERT(r->world, r->n_shadows < RULES_SHADOWS, "there are too many units");
	shadow = &r->shadows[r->n_shadows++];
	r->places[place] = (uint16_t)r->n_shadows;
	*shadow = (struct shadow){.gone_at = -1};
	(void)snprintf(shadow->name, sizeof(shadow->name), "%s", name);
	return shadow;
}

static bool is_of_stem(const struct shadow *shadow, const char *stem)
{
	size_t len = strlen(stem);

	return shadow->unit && !strncmp(shadow->name, stem, len) &&
		(shadow->name[len] == '@' || shadow->name[len] == '\0');
}

/* A new one is held if all that it is one of are. */
static bool begins_held(const struct rules *r, const struct shadow *shadow, const struct unit *u)
{
	const char *stem = u->spec->stem ? u->spec->stem : u->name;
	bool all = true, any = false;

	for (unsigned i = 0; i < r->n_shadows; i++) {
		const struct shadow *other = &r->shadows[i];

		if (other == shadow || !is_of_stem(other, stem))
			continue;
		any = true;
		all &= other->held;
	}
	return any && all;
}

/* The shadow of a unit of the tree. */
static struct shadow *shadow_at(struct rules *r, const struct unit *u)
{
	struct shadow *shadow = shadow_of(r, u->name);

	if (shadow->unit != u || shadow->verbs > u->verbs)
		shadow->held = begins_held(r, shadow, u);
	shadow->unit = u;
	shadow->verbs = u->verbs;
	return shadow;
}

static void broken(struct rules *r, const char *unit, const char *what, const char *other)
{
	if (!r->broken[0])
		(void)snprintf(r->broken, sizeof(r->broken), "%s%s%s%s%s", unit,
			*what ? " " : "", what, *other ? " " : "", other);
}

/* ── what must hold when a unit is started ── */

static bool condition_holds(const struct unit_need *need)
{
	const struct unit *other = need->unit;
	bool ready = other->state == UNIT_UP ||
		(other->state == UNIT_DONE && other->spec->type == PLAN_ONESHOT);
	bool remains = other->state == UNIT_UP && other->spec->type == PLAN_ONESHOT;

	switch (need->need->condition) {
	case PLAN_STARTED:
		return other->started || ready;
	case PLAN_READY:
		return ready;
	case PLAN_COMPLETED:
		return other->state == UNIT_DONE || other->state == UNIT_FAILED || remains;
	case PLAN_COMPLETED_SUCCESSFULLY:
		return other->state == UNIT_DONE || remains;
	}
	return false;
}

static eff_ns least_delay(const struct unit *u)
{
	const struct plan_backoff *b = &u->spec->ways->backoff;
	eff_ns delay = b->initial_ns;

	for (int64_t k = 1; k < u->child.pace.given && delay < b->max_ns; k++)
		delay = eff_ns_scale(delay, b->factor);
	return delay < b->max_ns ? delay : b->max_ns;
}

/* Is an end of it a matter of its own, and not of its group? */
static bool ends_alone(const struct unit *u)
{
	enum plan_strategy strategy = u->parent->spec->ways->strategy;

	return strategy == PLAN_ONE_FOR_ONE || strategy == PLAN_SIMPLE_ONE_FOR_ONE;
}

static void check_spawn(struct rules *r, struct unit *u)
{
	const struct shadow *shadow = shadow_of(r, u->name);

	for (const struct unit *at = u; at; at = at->parent) {
		if (at->held)
			broken(r, u->name, "is started though an operator stopped", at->name);
		if (!at->spec->enabled)
			broken(r, u->name, "is started though disabled is", at->name);
		if (at->leaving)
			broken(r, u->name, "is started while there is on its way out", at->name);
		for (uint32_t i = 0; i < at->n_needs; i++)
			/* While pre_start runs what it requires may end by itself. */
			if (at == u && at->needs[i].need->required && !shadow->prepared &&
				!condition_holds(&at->needs[i]))
				broken(r, u->name, "is started though it requires",
					at->needs[i].unit->name);
	}
	for (uint32_t i = 0; i < u->n_conflicts; i++)
		if (os_fake_live(r->world->fake, u->conflicts[i]->name) > 0)
			broken(r, u->name, "is started beside", u->conflicts[i]->name);
	if (r->world->tree->shutting_down)
		broken(r, u->name, "is started during the shutdown", "");
	/* In a group it may be another's delay; and a reload may make it one, or none any more. */
	if (shadow->alone && ends_alone(u) && u->child.restarted && shadow->gone_at >= 0 &&
		u->child.pace.given > 0 && eff_now() - shadow->gone_at < least_delay(u))
		broken(r, u->name, "is started before its delay", "");
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
static bool holds_up(struct rules *r, const struct unit *d)
{
	const struct tree *t = r->world->tree;

	for (uint32_t i = 0; i < t->n_units; i++)
		if (is_within(t->units[i], d) && !t->units[i]->stuck && !t->units[i]->kill_now &&
			os_fake_live(r->world->fake, t->units[i]->name) > 0)
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
static void check_stop(struct rules *r, const struct unit *u)
{
	bool all = r->world->tree->shutting_down;

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

			if ((all || requires(d, at)) && !is_within(u, d) && holds_up(r, d))
				broken(r, u->name, "is stopped before", d->name);
		}
	}
}

void rules_watch(void *context, const struct fake_event *event)
{
	struct rules *r = context;
	struct unit *u = tree_find(r->world->tree, event->unit);
	const char *wrong = r->also ? r->also(r->also_context, r->world, event) : NULL;
	struct shadow *shadow;
	bool begins = event->what == FAKE_SPAWN;

	if (wrong)
		broken(r, wrong, "", "");
	/* One that a reload took out has nobody's needs to look at. */
	if (!u)
		return;
	shadow = shadow_of(r, u->name);
	if (event->helper) {
		if (begins && u->state == UNIT_STARTING && !u->pid)
			shadow->prepared = true;
		/* stop.command is how its stop begins, be there another reason for it before a signal comes. */
		if (begins && u->state == UNIT_STOPPING && u->pid && !shadow->told) {
			check_stop(r, u);
			shadow->told = true;
		}
		return;
	}
	if (begins) {
		check_spawn(r, u);
		shadow->told = shadow->prepared = false;
	}
	if (event->what == FAKE_SIGNAL && event->sig != SIGCONT && u->pid && !r->is_killing) {
		if (!shadow->told)
			check_stop(r, u);
		shadow->told = true;
	}
	/* What stop.mode lets a run leave behind holds up nothing. */
	if (event->what == FAKE_END || (event->what == FAKE_GONE && !event->abandoned)) {
		shadow->gone_at = event->at;
		shadow->alone = ends_alone(u);
	}
}

/* ── what must hold at any time ── */

/* All replicas of a unit are in one place of their group. */
static void check_place(const struct rules *r, const struct unit *u, const struct unit *before)
{
	const struct plan_unit *row = u->next ? u->next : u->spec;

	if (row->replica > 1 && u->child.sup && before->child.sup)
		WORLD_ASSERT(r->world, u->child.place == before->child.place,
			"%s is in place %u, and %s in %u", u->name, u->child.place,
			before->name, before->child.place);
}

/* Has nothing happened since the last look, and was that not long ago? */
static bool is_still(struct rules *r)
{
	const struct tree *t = r->world->tree;
	size_t n_events;

	(void)os_fake_events(r->world->fake, &n_events);
	if (n_events == r->seen_events && t->last_seq == r->seen_seq &&
		t->generation == r->generation && r->n_still++ < STILL_MOST)
		return true;
	r->seen_events = n_events;
	r->seen_seq = t->last_seq;
	r->n_still = 0;
	return false;
}

static void look_at(struct rules *r, const struct unit *u, const struct unit *before, bool known)
{
	struct world *w = r->world;
	struct shadow *shadow = shadow_at(r, u);

	WORLD_ASSERT(w, !unit_was_added(u) || u->parent->group_open || w->tree->shutting_down,
		"%s has outlived its supervisor", u->name);
	if (!known)
		shadow->held = u->held;
	WORLD_ASSERT(w, shadow->held == u->held, "%s is %sheld", u->name, u->held ? "" : "not ");
	check_place(r, u, before);
}

void rules_look(struct rules *r)
{
	struct world *w = r->world;
	uint64_t generation = w->tree->generation;
	/* After two reloads at once nobody knows who went and came back. */
	bool known = generation <= r->generation + 1, changed = generation != r->generation;

	WORLD_ASSERT(w, !r->broken[0], "%s", r->broken);
	if (is_still(r))
		return;
	world_check(w);
	r->generation = generation;
	for (uint32_t i = 1; i < w->tree->n_units; i++)
		look_at(r, w->tree->units[i], w->tree->units[i - 1], known);
	/* One that comes back may have the very memory of the one that went. */
	for (unsigned i = 0; changed && i < r->n_shadows; i++)
		if (!tree_find(w->tree, r->shadows[i].name))
			r->shadows[i].unit = NULL;
}

/* What a verb did to who is held is what it was to do; a start lifts only. */
void rules_follow(struct rules *r, const struct unit *stopped)
{
	const struct tree *t = r->world->tree;

	r->n_still = STILL_MOST;
	/* All are known before the first is held: another that is one with it is no new one. */
	for (uint32_t i = 1; i < t->n_units; i++)
		(void)shadow_at(r, t->units[i]);
	for (uint32_t i = 1; i < t->n_units; i++) {
		struct shadow *shadow = shadow_at(r, t->units[i]);

		if (t->units[i] == stopped)
			shadow->held = true;
		else if (!stopped && !t->units[i]->held)
			shadow->held = false;
	}
}
