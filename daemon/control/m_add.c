/* SPDX-License-Identifier: MIT */
/* Add and Remove: children of a supervisor that is simple_one_for_one.
 *
 * To add is the work of a fiber of the server's: it reads the tree once more with the text that the client has sent, on a
 * thread, and takes over what comes of it. Who asked and goes away ends its wait and nothing else. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "control/errand.h"
#include "control/methods.h"
#include "control/verb.h"

struct adding {
	struct errand errand;
	struct plan_addition addition; /* its texts are its own */
	struct diags *diags;
	struct unit **units; /* what was added: it stays in memory until this is freed, whatever becomes of it */
	uint32_t n_units;
};

/* They stay in memory until they are let go of. */
static void units_let_go(struct unit *const *units, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		units[i]->n_users--;
		eff_pulse_send(&units[i]->changed);
	}
}

static void adding_free(struct errand *errand)
{
	struct adding *a = eff_container(errand, struct adding, errand);

	free((char *)a->addition.supervisor);
	free((char *)a->addition.file);
	free((char *)a->addition.text);
	free(a->addition.taken);
	diags_free(a->diags);
	units_let_go(a->units, a->n_units);
	free(a->units);
	free(a);
}

/* A text without the name of a file stands in the folder of the tree. */
static char *file_of(const struct request *req)
{
	const char *file = json_get_text(req->parameters, "file", NULL);
	const char *tree = plan_files(req->tree->plan)[0];
	const char *slash = tree ? strrchr(tree, '/') : NULL;
	struct text text = {0};

	if (file)
		return strdup(file);
	if (slash)
		text_add_bytes(&text, tree, (size_t)(slash - tree));
	text_add(&text, "/added");
	return text.bytes;
}

/* 0; -ENOENT, -EPERM: nothing can be added to it. */
static int supervisor_check(struct tree *t, const char *name)
{
	const struct plan_unit *row = plan_find(t->plan, name);
	uint32_t first, n;

	/* Replicas are known by one name, too. */
	if (!row)
		return plan_find_all(t->plan, name, &first, &n) ? -EPERM : -ENOENT;
	return row->kind == PLAN_SUPERVISOR && row->ways->strategy == PLAN_SIMPLE_ONE_FOR_ONE
		? 0
		: -EPERM;
}

/* Those that are new in the tree's plan. One may end, and be forgotten, before anybody has looked. */
static void units_keep(struct adding *a, const struct tree *t)
{
	for (uint32_t i = 0; i < t->n_units; i++) {
		if (!plan_is_new(plan_unit(t->plan, i)))
			continue;
		a->units[a->n_units++] = t->units[i];
		t->units[i]->n_users++;
	}
}

/* The plan with it takes the present one's place. Suspends. */
static int adding_carry_out(struct adding *a)
{
	const struct control_host *host = &a->errand.control->host;
	struct tree *t = a->errand.control->tree;
	struct plan *present = plan_ref(t->plan), *plan = NULL;
	int r = supervisor_check(t, a->addition.supervisor);

	if (r == 0)
		r = host->add(host->context, present, &a->addition, &plan, a->diags);
	if (r == 0)
		r = tree_catch_up(t, &plan);
	if (r == 0)
		a->units = alloc_new(plan_n_units(plan) * sizeof(*a->units));
	if (r == 0 && !a->units)
		r = -ENOMEM;
	if (r == 0)
		r = tree_add(t, plan, a->addition.supervisor);
	if (r == 0)
		units_keep(a, t);
	plan_unref(plan);
	plan_unref(present);
	return r;
}

static int adding_run(struct errand *errand)
{
	struct tree *t = errand->control->tree;
	int r = tree_claim_plan(t);

	if (r == 0) {
		r = adding_carry_out(eff_container(errand, struct adding, errand));
		tree_release_plan(t);
	}
	return r;
}

static struct adding *adding_new(struct request *req)
{
	struct adding *a = alloc_new(sizeof(*a));

	if (!a)
		return NULL;
	errand_init(&a->errand, req->control, adding_run, adding_free);
	a->diags = diags_new();
	a->addition.supervisor = strdup(json_get_text(req->parameters, "supervisor", ""));
	a->addition.file = file_of(req);
	a->addition.text = strdup(json_get_text(req->parameters, "tree", ""));
	if (!a->diags || !a->addition.supervisor || !a->addition.file || !a->addition.text) {
		errand_unref(&a->errand);
		return NULL;
	}
	a->addition.size = strlen(a->addition.text);
	return a;
}

/* An error about one unit; `text`: instead of the error's own, NULL: none. */
static void answer_unit(
	struct request *req, enum control_error error, const char *unit, const char *text)
{
	const struct unit *u = tree_find(req->tree, unit);
	struct json *parameters = json_object();

	(void)json_set(parameters, "unit", json_text(unit));
	if (text)
		(void)json_set(parameters, "text", json_text(text));
	if (error == ERROR_UNIT_RUNNING || error == ERROR_NOT_RUNNING)
		(void)json_set(
			parameters, "state", json_text(state_name(u ? u->state : UNIT_DOWN)));
	request_error(req, error, parameters);
}

static void add_refuse(struct request *req, const struct adding *a, int r)
{
	const char *supervisor = json_get_text(req->parameters, "supervisor", "");
	struct json *parameters;

	switch (r) {
	case -EINVAL:
		parameters = json_object();
		(void)json_set(parameters, "diagnostics", json_diagnostics(a->diags));
		request_error(req, ERROR_INVALID_TREE, parameters);
		break;
	case -EEXIST:
		answer_unit(req, ERROR_UNIT_EXISTS, a->addition.taken, NULL);
		break;
	case -ENOENT:
		select_missing(req, supervisor);
		break;
	case -EPERM:
		answer_unit(req, ERROR_NOT_DYNAMIC, supervisor,
			"only a supervisor whose strategy is simple_one_for_one takes children");
		break;
	case -ESRCH:
		answer_unit(req, ERROR_NOT_RUNNING, supervisor, NULL);
		break;
	case -ESHUTDOWN:
		request_error(req, ERROR_SHUTTING_DOWN, NULL);
		break;
	case -ETIMEDOUT:
		request_fail(req, ERROR_TIMED_OUT, "it is still being added");
		break;
	default:
		request_fail(req, ERROR_FAILED, "cannot add: %s", strerror(-r));
	}
}

/* As of a start, but that all that is known of them is of this one. */
static void add_await(struct request *req, const struct adding *adding, eff_ns until)
{
	struct acts all = {.req = req,
		.verb = VERB_START,
		.wait = json_get_bool(req->parameters, "wait", true),
		.until = until,
		.kept = true};

	for (uint32_t i = 0; i < adding->n_units && all.error == 0; i++) {
		struct unit *u = adding->units[i];
		struct act *a = acts_add(&all, u);

		if (!a)
			continue;
		a->starts = a->ends = 0;
		/* One that is not to run now is all that it can be. */
		if (!all.wait || (!u->wanted && !u->removed))
			act_decide(a, "done", NULL);
	}
	if (all.error < 0)
		request_fail(req, ERROR_FAILED, "out of memory");
	else if (acts_await(&all) == 0)
		acts_answer(&all);
	acts_done(&all);
}

void m_add(struct request *req)
{
	const char *file = json_get_text(req->parameters, "file", "/");
	const char *supervisor = json_get_text(req->parameters, "supervisor", "");
	struct adding *a;
	eff_ns until;
	int r;

	if (req->tree->shutting_down) {
		request_error(req, ERROR_SHUTTING_DOWN, NULL);
		return;
	}
	if (file[0] != '/') {
		request_invalid(req, "file");
		return;
	}
	if (request_until(req, &until) < 0)
		return;
	request_log(req, "add to", supervisor);
	a = adding_new(req);
	r = a ? errand_begin(&a->errand) : -ENOMEM;
	if (r == 0)
		r = errand_await(&a->errand, until);
	if (r == 0)
		add_await(req, a, until);
	else if (r != -ECANCELED)
		add_refuse(req, a, r);
	errand_unref(a ? &a->errand : NULL);
}

/* ── remove ── */

static void remove_refuse(struct request *req, const struct tree_removal *removal, int r)
{
	const char *unit = removal->blocker ? removal->blocker->name : "";
	struct json *parameters;
	char text[320];

	switch (r) {
	case -EPERM:
		answer_unit(req, ERROR_NOT_DYNAMIC, unit,
			"it stands in the tree: take it out there, and reload");
		break;
	case -EBUSY:
		answer_unit(req, ERROR_UNIT_RUNNING, unit, NULL);
		break;
	case -ENOTEMPTY:
		(void)snprintf(text, sizeof(text), "it is named by %s, which stays",
			removal->because->name);
		parameters = json_object();
		(void)json_set(parameters, "unit", json_text(unit));
		(void)json_set(parameters, "by", json_text(removal->because->name));
		(void)json_set(parameters, "text", json_text(text));
		request_error(req, ERROR_UNIT_NAMED, parameters);
		break;
	default:
		request_fail(req, ERROR_FAILED, "cannot remove: %s", strerror(-r));
	}
}

/* Until each of them is gone, or will not go. Suspends. */
static void remove_await(struct request *req, struct unit *const *units, uint32_t n, eff_ns until)
{
	struct acts all = {.req = req, .verb = VERB_STOP, .until = until, .kept = true};
	bool wait = json_get_bool(req->parameters, "wait", true);

	for (uint32_t i = 0; i < n; i++) {
		struct act *a = acts_add(&all, units[i]);

		units[i]->n_users++;
		if (a && !wait)
			act_decide(a, "done", NULL);
	}
	if (all.error < 0)
		request_fail(req, ERROR_FAILED, "out of memory");
	else if (acts_await(&all) == 0)
		acts_answer(&all);
	acts_done(&all);
	units_let_go(units, n);
}

void m_remove(struct request *req)
{
	const struct json *names = json_get(req->parameters, "units");
	struct tree_removal removal = {.by = &req->conn->peer.who,
		.now = json_get_bool(req->parameters, "now", false)};
	struct unit **units;
	struct selection s;
	eff_ns until;
	int r = -ENOMEM;

	if (req->tree->shutting_down) {
		request_error(req, ERROR_SHUTTING_DOWN, NULL);
		return;
	}
	if (!json_first(names)) {
		request_invalid(req, "units");
		return;
	}
	if (request_until(req, &until) < 0 || select_units(req, names, false, &s) < 0)
		return;
	units = alloc_new((s.n ? s.n : 1) * sizeof(struct unit *));
	for (uint32_t i = 0; units && i < s.n; i++) {
		units[i] = req->tree->units[s.index[i]];
		request_log(req, "remove", units[i]->name);
	}
	if (units)
		r = tree_remove(req->tree, units, s.n, &removal);
	if (r == 0)
		remove_await(req, units, s.n, until);
	else
		remove_refuse(req, &removal, r);
	free(units);
	selection_done(&s);
}
