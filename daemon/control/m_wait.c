/* SPDX-License-Identifier: MIT */
/* Wait: until each unit has once been seen in the state that is asked for. The first that cannot come to be so, because it
 * rests in another or is gone, ends the wait. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "control/methods.h"

struct waiting {
	struct request *req;
	enum unit_state state;
	char **names; /* of the units still waited for; NULL: met */
	uint32_t n, n_left;
};

static void waiting_done(struct waiting *w)
{
	for (uint32_t i = 0; w->names && i < w->n; i++)
		free(w->names[i]);
	free(w->names);
}

static bool state_is_met(const struct waiting *w, const struct unit *u)
{
	if (u->state == w->state)
		return true;
	return w->state == UNIT_UP && u->state == UNIT_DONE && u->spec->type == PLAN_ONESHOT;
}

static void answer_at_rest(struct request *req, const struct unit *u)
{
	struct json *parameters = json_object();

	(void)json_set(parameters, "unit", json_text(u->name));
	(void)json_set(parameters, "state", json_text(state_name(u->state)));
	(void)json_set(parameters, "cause", json_cause(u->cause));
	request_error(req, ERROR_AT_REST, parameters);
}

static int met(struct waiting *w, uint32_t i)
{
	struct tree *t = w->req->tree;
	struct look look = {.now = eff_now(), .usage_age = LOOK_GOOD};
	struct text text = {0};
	struct json *status;

	status_add(&text, &w->req->control->rows, t, tree_index(t, w->names[i]), &look);
	status = text.failed ? NULL : json_raw(text.bytes);
	text_done(&text);
	free(w->names[i]);
	w->names[i] = NULL;
	if (--w->n_left > 0)
		return request_continue(w->req, status);
	request_reply(w->req, status);
	return 1;
}

/* Is it one that all replicas were asked for by their name, and that is no more of them? */
static bool is_surplus(const struct waiting *w, const char *name)
{
	const char *at = strchr(name, '@');
	const struct json *v = json_first(json_get(w->req->parameters, "units"));
	size_t len = at ? (size_t)(at - name) : 0;
	uint32_t first, n;

	for (; at && v; v = json_next(v)) {
		const char *asked = json_as_text(v);

		if (strncmp(asked, name, len) == 0 && !asked[len] &&
			plan_find_all(w->req->tree->plan, asked, &first, &n))
			return true;
	}
	return false;
}

/* It is not waited for any more. */
static int let_go(struct waiting *w, uint32_t i)
{
	free(w->names[i]);
	w->names[i] = NULL;
	if (--w->n_left > 0)
		return 0;
	request_reply(w->req, json_object());
	return 1;
}

/* Look at all. 0: wait on. 1: answered. -ECANCELED. */
static int look(struct waiting *w)
{
	int r = 0;

	for (uint32_t i = 0; i < w->n && r == 0; i++) {
		const struct unit *u;

		if (!w->names[i])
			continue;
		u = tree_find(w->req->tree, w->names[i]);
		if (!u && is_surplus(w, w->names[i])) {
			r = let_go(w, i);
		} else if (!u) {
			select_missing(w->req, w->names[i]);
			r = 1;
		} else if (state_is_met(w, u)) {
			r = met(w, i);
		} else if (unit_rests(u)) {
			answer_at_rest(w->req, u);
			r = 1;
		}
	}
	return r;
}

/* "db is starting, web is waiting, not up" */
static void answer_late(struct waiting *w)
{
	enum { NAMED = 3 };
	struct text text = {0};
	uint32_t n = 0;

	for (uint32_t i = 0; i < w->n && n < NAMED; i++) {
		const struct unit *u = w->names[i] ? tree_find(w->req->tree, w->names[i]) : NULL;

		if (!u)
			continue;
		text_printf(&text, "%s%s is %s", n ? ", " : "", u->name, unit_phrase(u));
		n++;
	}
	if (w->n_left > n)
		text_printf(&text, " and %u more", w->n_left - n);
	request_fail(w->req, ERROR_TIMED_OUT, "%s, not %s", text.bytes ? text.bytes : "",
		state_phrase(w->state));
	text_done(&text);
}

static void wait_run(struct waiting *w, eff_ns until)
{
	struct eff_scope within;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, until);
	while ((r = look(w)) == 0) {
		r = changes_await(w->req->tree, w->n);
		if (r < 0)
			break;
	}
	(void)eff_scope_close(&within);
	if (r == -ETIMEDOUT)
		answer_late(w);
}

void m_wait(struct request *req)
{
	const struct json *names = json_get(req->parameters, "units");
	int state = state_parse(json_get_text(req->parameters, "for", ""));
	struct waiting w = {.req = req, .state = (enum unit_state)state};
	struct selection s;
	eff_ns until;

	if (state < 0 || !json_first(names)) {
		request_invalid(req, state < 0 ? "for" : "units");
		return;
	}
	if (request_until(req, &until) < 0 || select_units(req, names, false, &s) < 0)
		return;
	w.names = selection_names(req->tree, &s);
	w.n = w.n_left = s.n;
	selection_done(&s);
	if (w.names && w.n == 0)
		request_reply(req, json_object());
	else if (w.names)
		wait_run(&w, until);
	else
		request_fail(req, ERROR_FAILED, "out of memory");
	waiting_done(&w);
}
