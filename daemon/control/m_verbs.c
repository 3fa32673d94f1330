/* SPDX-License-Identifier: MIT */
/* Start, Stop, Restart, Reset: the verbs. All that is asked for is set going at once; then the request looks, after each
 * change of the tree, what has become of it, until every outcome is known, its time is up, or its client has gone. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "control/methods.h"
#include "control/verb.h"

struct acts {
	struct request *req;
	enum verb verb;
	bool now, wait;
	const struct unit *current; /* that is being set going */
	eff_ns until;               /* EFF_FOREVER: no limit */
	struct act *acts;
	uint32_t n, room;
	uint32_t *places; /* by row: where in `acts` the last one of a unit stands, from 1; 0: there is none */
	uint32_t n_decided;
	uint64_t generation; /* of the tree whose units these are */
	int error;
};

static const char *verb_name(enum verb verb)
{
	static const char *const names[] = {
		[VERB_START] = "start",
		[VERB_STOP] = "stop",
		[VERB_RESTART] = "restart",
		[VERB_RESET] = "reset",
	};

	return names[verb];
}

static void acts_done(struct acts *all)
{
	for (uint32_t i = 0; i < all->n; i++) {
		free(all->acts[i].name);
		cause_unref(all->acts[i].why);
		json_free(all->acts[i].result);
	}
	free(all->acts);
	free(all->places);
}

/* Its last one; NULL: there is none. While they are set going: the tree is the same as long. */
static struct act *acts_find(struct acts *all, const struct unit *u)
{
	uint32_t at = all->places[tree_index(all->req->tree, u->name)];

	return at ? &all->acts[at - 1] : NULL;
}

/* One act more; of a unit that has one that is not decided, that one. NULL: out of memory. */
static struct act *acts_add(struct acts *all, struct unit *u)
{
	struct act *a = acts_find(all, u);

	if (a && !a->outcome) {
		a->dependant = false;
		a->verbs = u->verbs;
		return a;
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
	all->places[tree_index(all->req->tree, u->name)] = ++all->n;
	a->verbs = u->verbs;
	a->starts = u->starts;
	a->ends = u->ends;
	return a;
}

static void decided(struct act *a, const char *outcome, struct cause *why)
{
	a->outcome = outcome;
	a->why = why;
}

/* ── setting it going ── */

static bool is_so_already(enum verb verb, const struct unit *u)
{
	switch (verb) {
	case VERB_START:
		return u->state == UNIT_UP && u->wanted && !unit_is_leaving(u);
	case VERB_STOP:
		return u->state == UNIT_DOWN && unit_rests(u) && (u->held || !u->spec->enabled);
	case VERB_RESET:
		return u->state != UNIT_FAILED && u->state != UNIT_BACKOFF &&
			eff_child_failures(&u->child) == 0;
	case VERB_RESTART:
		break;
	}
	return false;
}

static void on_lifted(void *context, struct unit *lifted)
{
	struct acts *all = context;
	struct act *a = acts_find(all, lifted);

	if (lifted == all->current)
		return;
	lifted->verbs++;
	if (a && !a->outcome) {
		a->verbs = lifted->verbs;
		return;
	}
	log_info("%s lifts the stop of %s", verb_name(all->verb), lifted->name);
	a = acts_add(all, lifted);
	if (a)
		a->verb = VERB_START;
	/* A group that opens for the sake of one in it need not be up for that. */
	if (a && lifted->spec->kind == PLAN_SUPERVISOR)
		a->outcome = "done";
}

static void on_dependant(void *context, struct unit *dependant)
{
	struct acts *all = context;
	struct act *a = acts_find(all, dependant);

	if (a && !a->outcome)
		return;
	a = acts_add(all, dependant);
	if (a)
		a->dependant = true;
}

static int verb_act(struct acts *all, struct unit *u, struct unit **ret_blocker)
{
	const struct asker *by = &all->req->conn->peer.who;
	struct tree_told told = {.tell = on_lifted, .context = all};
	struct tree *t = all->req->tree;
	int r;

	switch (all->verb) {
	case VERB_START:
		r = tree_start(t, u, by, &told);
		*ret_blocker = told.blocker;
		return r;
	case VERB_STOP:
		told.tell = on_dependant;
		return tree_stop(t, u, by, all->now, &told);
	case VERB_RESTART:
		r = tree_restart(t, u, by, all->now, &told);
		*ret_blocker = told.blocker;
		return r;
	case VERB_RESET:
		return tree_reset(t, u, by);
	}
	return -EINVAL;
}

/* Dependants of a stop come before it in the list, as they do in time: the act is put in after them. */
static void verb_begin(struct acts *all, struct unit *u)
{
	uint64_t starts = u->starts, ends = u->ends;
	struct unit *blocker = u;
	bool is_so = is_so_already(all->verb, u);
	struct act *a;
	int r;

	request_log(all->req, verb_name(all->verb), u->name);
	u->verbs++;
	all->current = u;
	r = verb_act(all, u, &blocker);
	a = acts_add(all, u);
	if (!a)
		return;
	a->starts = starts;
	a->ends = ends;
	if (r == -EPERM)
		decided(a, "refused",
			cause_new(CAUSE_DEPENDENCY, eff_wall(), NULL, "%s is not enabled",
				blocker->name));
	else if (r < 0)
		decided(a, "failed", cause_new(CAUSE_LOST, eff_wall(), NULL, "%s", strerror(-r)));
	else if (is_so)
		decided(a, "unchanged", NULL);
	else if (!all->wait)
		decided(a, "done", NULL);
}

/* ── waiting for what becomes of it ── */

static struct json *result_of_gone(const struct act *a)
{
	struct json *result = json_object();

	(void)json_set(result, "name", json_text(a->name));
	(void)json_set(result, "outcome", json_text(a->outcome));
	(void)json_set(result, "state", json_text(state_name(UNIT_DOWN)));
	(void)json_set(result, "pid", json_null());
	(void)json_set(result, "cause", json_cause(a->why));
	(void)json_set(result, "output", json_null());
	return result;
}

/* Keep what is to be said of it as it is now, and say it to who wants to hear of each. */
static int act_report(struct acts *all, struct act *a)
{
	struct json *parameters, *units;

	a->result = a->unit ? json_result(a->unit, a->outcome, a->why) : result_of_gone(a);
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

	if (all->generation == t->generation)
		return;
	all->generation = t->generation;
	for (uint32_t i = 0; i < all->n; i++) {
		struct act *a = &all->acts[i];

		if (a->result || tree_find(t, a->name) == a->unit)
			continue;
		a->unit = NULL;
		if (!a->outcome)
			decided(a, "superseded", NULL);
	}
}

/* Look at all that is not decided. Returns when to look again at the latest. */
static int acts_judge(struct acts *all, eff_ns *ret_wake_at)
{
	eff_ns now = eff_now();
	int r = 0;

	*ret_wake_at = all->until;
	acts_look_up(all);
	for (uint32_t i = 0; i < all->n && r == 0; i++) {
		struct act *a = &all->acts[i];

		if (a->result)
			continue;
		if (!a->outcome)
			act_judge(a, all->req->tree, now, ret_wake_at);
		if (!a->outcome && now >= all->until)
			decided(a, "timeout", NULL);
		if (a->outcome)
			r = act_report(all, a);
	}
	return r;
}

static eff_ns later(eff_ns a, eff_ns b)
{
	return a > b ? a : b;
}

static int acts_await(struct acts *all)
{
	int r = 0;

	for (;;) {
		struct eff_scope within;
		eff_ns wake_at;

		r = acts_judge(all, &wake_at);
		if (r < 0 || all->n_decided == all->n)
			return r;
		eff_scope_open(&within);
		eff_scope_limit(&within, later(wake_at, eff_now() + look_pause(all->n)));
		r = changes_await(all->req->tree, all->n);
		(void)eff_scope_close(&within);
		if (r < 0 && r != -ETIMEDOUT)
			return r;
	}
}

static void acts_answer(struct acts *all)
{
	struct json *parameters = json_object(), *units = json_array();

	for (uint32_t i = 0; i < all->n; i++) {
		(void)json_add(units, all->acts[i].result);
		all->acts[i].result = NULL;
	}
	(void)json_set(parameters, "units", units);
	request_reply(all->req, parameters);
}

int request_until(struct request *req, eff_ns *ret_until)
{
	double timeout_s = json_get_number(req->parameters, "timeout_s", INFINITY);

	if (!(timeout_s >= 0)) {
		request_invalid(req, "timeout_s");
		return -EINVAL;
	}
	*ret_until = timeout_s > 1e9 ? EFF_FOREVER
				     : eff_ns_add(eff_now(), (eff_ns)(timeout_s * 1e9));
	return 0;
}

static void verb_run(struct request *req, enum verb verb)
{
	const struct json *names = json_get(req->parameters, "units");
	struct acts all = {
		.req = req,
		.verb = verb,
		.now = json_get_bool(req->parameters, "now", false),
		.wait = json_get_bool(req->parameters, "wait", true),
		.generation = req->tree->generation,
	};
	struct selection s;

	if (req->tree->shutting_down) {
		request_error(req, ERROR_SHUTTING_DOWN, NULL);
		return;
	}
	if (!json_first(names)) {
		request_invalid(req, "units");
		return;
	}
	if (request_until(req, &all.until) < 0 || select_units(req, names, false, &s) < 0)
		return;
	all.places = alloc_new(req->tree->n_units * sizeof(*all.places));
	if (!all.places)
		all.error = -ENOMEM;
	for (uint32_t i = 0; i < s.n && all.error == 0; i++)
		verb_begin(&all, req->tree->units[s.index[i]]);
	selection_done(&s);
	/* Who waits for an earlier verb on these learns that it is over. */
	eff_pulse_send(&req->tree->changed);
	if (all.error < 0)
		request_fail(req, ERROR_FAILED, "out of memory");
	else if (acts_await(&all) == 0)
		acts_answer(&all);
	acts_done(&all);
}

void m_start(struct request *req)
{
	verb_run(req, VERB_START);
}

void m_stop(struct request *req)
{
	verb_run(req, VERB_STOP);
}

void m_restart(struct request *req)
{
	verb_run(req, VERB_RESTART);
}

void m_reset(struct request *req)
{
	verb_run(req, VERB_RESET);
}
