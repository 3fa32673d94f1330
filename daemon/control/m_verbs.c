/* SPDX-License-Identifier: MIT */
/* Start, Stop, Restart, Reset: the verbs. All that is asked for is set going at once; then the request waits for what becomes
 * of it (acts.c). */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "control/methods.h"
#include "control/verb.h"

const char *verb_name(enum verb verb)
{
	static const char *const names[] = {
		[VERB_START] = "start",
		[VERB_STOP] = "stop",
		[VERB_RESTART] = "restart",
		[VERB_RESET] = "reset",
	};

	return names[verb];
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

static void act_for_another(struct acts *all, struct unit *u)
{
	struct act *a = acts_add(all, u);

	if (!a)
		return;
	a->verb = VERB_START;
	/* A group that opens for the sake of one in it need not be up for that. */
	a->dependant = u->spec->kind == PLAN_SUPERVISOR;
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
	act_for_another(all, lifted);
}

/* What it requires, and has ended. */
static void on_again(void *context, struct unit *u)
{
	struct acts *all = context;
	const struct act *a = acts_find(all, u);

	if (u != all->current && (!a || a->outcome))
		act_for_another(all, u);
}

/* A dependant; or, by a start, what makes way for it. */
static void on_stopped(void *context, struct unit *stopped)
{
	struct acts *all = context;
	struct act *a = acts_find(all, stopped);

	if (a && !a->outcome)
		return;
	a = acts_add(all, stopped);
	if (!a)
		return;
	a->verb = VERB_STOP;
	a->dependant = true;
}

static int verb_act(struct acts *all, struct unit *u, struct unit **ret_blocker)
{
	const struct asker *by = &all->req->conn->peer.who;
	struct tree_told told = {
		.lifted = on_lifted, .again = on_again, .stopped = on_stopped, .context = all};
	struct tree *t = all->req->tree;
	int r;

	switch (all->verb) {
	case VERB_START:
		r = tree_start(t, u, by, &told);
		*ret_blocker = told.blocker;
		return r;
	case VERB_STOP:
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

/* What stops for its sake comes before it in the list, as it does in time: the act is put in after that. */
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
		act_decide(a, "refused",
			cause_new(CAUSE_DEPENDENCY, eff_wall(), NULL, "%s is not enabled",
				blocker->name));
	else if (r < 0)
		act_decide(a, "failed",
			cause_new(CAUSE_LOST, eff_wall(), NULL, "%s", strerror(-r)));
	else if (is_so)
		act_decide(a, "unchanged", NULL);
}

/* Nobody waits for what becomes of them, be it those that were asked for or what goes with these. */
static void verbs_let_go(struct acts *all)
{
	for (uint32_t i = 0; i < all->n; i++)
		if (!all->acts[i].outcome)
			act_decide(&all->acts[i], "done", NULL);
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
	for (uint32_t i = 0; i < s.n && all.error == 0; i++)
		verb_begin(&all, req->tree->units[s.index[i]]);
	selection_done(&s);
	if (!all.wait)
		verbs_let_go(&all);
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
