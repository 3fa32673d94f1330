/* SPDX-License-Identifier: MIT */
/* What becomes of all that one request has set going: it looks after each change of the tree, until every outcome is known,
 * its time is up, or its client has gone. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "control/methods.h"
#include "control/verb.h"

void acts_done(struct acts *all)
{
	for (uint32_t i = 0; i < all->n; i++) {
		free(all->acts[i].name);
		cause_unref(all->acts[i].why);
		json_free(all->acts[i].result);
	}
	free(all->acts);
	free(all->places);
}

/* Of a unit that is in the tree; NULL: there is no more to know of it than that it goes. */
static uint32_t *acts_place(struct acts *all, const struct unit *u)
{
	return all->places && !u->removed ? &all->places[tree_index(all->req->tree, u->name)] : NULL;
}

struct act *acts_find(struct acts *all, const struct unit *u)
{
	const uint32_t *place = acts_place(all, u);

	return place && *place ? &all->acts[*place - 1] : NULL;
}

struct act *acts_add(struct acts *all, struct unit *u)
{
	struct act *a = acts_find(all, u);
	uint32_t *place;

	if (a && !a->outcome) {
		a->verb = all->verb;
		a->dependant = false;
		a->verbs = u->verbs;
		a->sure_at = 0;
		return a;
	}
	if (!all->places)
		all->places = alloc_new(all->req->tree->n_units * sizeof(*all->places));
	if (!all->places) {
		all->error = -ENOMEM;
		return NULL;
	}
	if (all->n == all->room) {
		uint32_t room = all->room ? all->room * 2 : 8;
		struct act *acts = alloc_grow(all->acts, room * sizeof(*acts));

		if (!acts) {
			all->error = -ENOMEM;
			return NULL;
		}
		all->acts = acts;
		all->room = room;
	}
	a = &all->acts[all->n];
	*a = (struct act){.verb = all->verb, .unit = u, .name = strdup(u->name)};
	if (!a->name) {
		all->error = -ENOMEM;
		return NULL;
	}
	all->n++;
	place = acts_place(all, u);
	if (place)
		*place = all->n;
	a->verbs = u->verbs;
	a->starts = u->starts;
	a->ends = u->ends;
	return a;
}

void act_decide(struct act *a, const char *outcome, struct cause *why)
{
	a->outcome = outcome;
	a->why = why;
}

void act_decide_for(struct act *a, const struct unit *other, struct cause *because)
{
	act_decide(a, "failed",
		cause_new(CAUSE_DEPENDENCY, eff_wall(), because, "waits for %s, which is %s",
			other->name, unit_phrase(other)));
}

/* ── waiting for what becomes of it ── */

/* Keep what is to be said of it as it is now, and say it to who wants to hear of each. */
static int act_report(struct acts *all, struct act *a)
{
	struct json *parameters, *units;

	a->result = a->unit ? json_result(a->unit, a->outcome, a->why)
			    : json_result_gone(a->name, a->outcome, a->why);
	if (a->verb != all->verb)
		(void)json_set(a->result, "verb", json_text(verb_name(a->verb)));
	all->n_decided++;
	if (!all->req->more)
		return 0;
	parameters = json_object();
	units = json_array();
	(void)json_add(units, json_copy(a->result));
	(void)json_set(parameters, "units", units);
	return request_continue(all->req, parameters);
}

/* A reload may have taken units away. */
static void acts_look_up(struct acts *all)
{
	struct tree *t = all->req->tree;

	if (all->kept || all->generation == t->generation)
		return;
	all->generation = t->generation;
	for (uint32_t i = 0; i < all->n; i++) {
		struct act *a = &all->acts[i];

		if (a->result || tree_find(t, a->name) == a->unit)
			continue;
		a->unit = NULL;
		if (!a->outcome)
			act_decide(a, "superseded", NULL);
	}
}

/* Look at all that is not decided. Returns when to look again at the latest. */
static int acts_judge(struct acts *all, eff_ns *ret_wake_at)
{
	eff_ns now = eff_now();
	struct hope hope;
	int r = 0;

	*ret_wake_at = all->until;
	acts_look_up(all);
	hope_begin(&hope, all->req->tree);
	for (uint32_t i = 0; i < all->n && r == 0; i++) {
		struct act *a = &all->acts[i];

		if (a->result)
			continue;
		if (!a->outcome)
			act_judge(a, &hope, now, ret_wake_at);
		if (!a->outcome && now >= all->until)
			act_decide(a, "timeout", NULL);
		if (a->outcome)
			r = act_report(all, a);
	}
	all->n_looked = all->n + hope.n_seen;
	hope_end(&hope);
	return r;
}

static eff_ns later(eff_ns a, eff_ns b)
{
	return a > b ? a : b;
}

int acts_await(struct acts *all)
{
	int r = 0;

	for (;;) {
		struct eff_scope within;
		eff_ns wake_at;

		r = acts_judge(all, &wake_at);
		if (r < 0 || all->n_decided == all->n)
			return r;
		eff_scope_open(&within);
		eff_scope_limit(&within, later(wake_at, eff_now() + look_pause(all->n_looked)));
		r = changes_await(all->req->tree, all->n_looked);
		(void)eff_scope_close(&within);
		if (r < 0 && r != -ETIMEDOUT)
			return r;
	}
}

void acts_answer(struct acts *all)
{
	struct json *parameters = json_object(), *units = json_array();

	for (uint32_t i = 0; i < all->n; i++) {
		(void)json_add(units, all->acts[i].result);
		all->acts[i].result = NULL;
	}
	(void)json_set(parameters, "units", units);
	request_reply(all->req, parameters);
}
