/* SPDX-License-Identifier: MIT */
/* Plan and Reload: the tree is read anew, and the difference shown, or applied. (With units: own_reload.c.)
 *
 * The work of a reload is a fiber of the server's and not of the client's: who asked and goes away ends its wait and
 * nothing else. What the two share is a job, freed by the one that lets go last. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "control/errand.h"
#include "control/methods.h"

/* ── reading and applying ── */

void reload_outcome_done(struct reload_outcome *outcome)
{
	tree_reloaded_done(&outcome->done);
	plan_unref(outcome->after);
	diags_free(outcome->diags);
	*outcome = (struct reload_outcome){0};
}

/* Read the tree as it is now. Suspends. */
static int plan_read_anew(struct control *control, struct reload_outcome *o)
{
	struct tree *t = control->tree;
	struct plan *present;
	int r;

	o->diags = diags_new();
	if (!o->diags)
		return -ENOMEM;
	present = plan_ref(t->plan);
	r = control->host.load(control->host.context, present, &o->after, o->diags);
	plan_unref(present);
	return r < 0 ? r : tree_catch_up(t, &o->after);
}

/* The same, while nobody else makes a plan; and until no other reload is under way: reading takes its time. Suspends. */
static int plan_read_in_turn(struct control *control, struct reload_outcome *o)
{
	struct tree *t = control->tree;
	int r = tree_claim_plan(t);

	if (r < 0)
		return r;
	r = t->shutting_down ? -ESHUTDOWN : plan_read_anew(control, o);
	while (r == 0 && t->reloading)
		r = eff_pulse_await(&t->reloaded);
	if (r == 0)
		r = tree_catch_up(t, &o->after);
	tree_release_plan(t);
	return r;
}

/* What taking it over would do, and its id. */
static int plan_compare(struct tree *t, struct reload_outcome *o)
{
	int r = tree_plan(t, o->after, &o->done.changes, &o->done.n);

	if (r < 0)
		return r;
	/* The texts of what would stop are the present plan's. */
	o->done.old = plan_ref(t->plan);
	tree_plan_id(t, o->after, o->done.changes, o->done.n, o->id);
	return 0;
}

/* A file that cannot be read has no line. */
static const char *place_text(const struct plan_place *at, char buf[static 32])
{
	buf[0] = '\0';
	if (at->line)
		(void)snprintf(buf, 32, ":%u:%u", at->line, at->column);
	return buf;
}

void control_log_diags(const struct diags *diags)
{
	char place[32];

	for (uint32_t i = 0; i < diags_count(diags); i++) {
		const struct diag *d = diags_at(diags, i);
		enum log_level level = d->is_error ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN;

		log_line(level, "%s%s: %s[%s]: %s", d->at.file ? d->at.file : "",
			place_text(&d->at, place), d->is_error ? "error" : "warning", d->code,
			d->message);
		for (uint32_t n = 0; n < d->n_notes; n++)
			log_line(level, "    note: %s%s: %s",
				d->notes[n].at.file ? d->notes[n].at.file : "",
				place_text(&d->notes[n].at, place), d->notes[n].text);
		if (d->help)
			log_line(level, "    help: %s", d->help);
	}
}

/* One of them may be what waits for effd's next start. */
static uint32_t n_changed(const struct reload_outcome *o)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < o->done.n; i++)
		n += o->done.changes[i].action != PLAN_DO_EFFD;
	return n;
}

static void reload_log(const struct reload_outcome *o, const struct asker *by)
{
	const char *command = by && by->command[0] ? by->command : "somebody";
	uint32_t n = n_changed(o);

	if (o->result == 0)
		log_info("reload: %u changed (asked for by %s, pid %d)%s", n, command,
			by ? (int)by->pid : 0,
			n < o->done.n ? "; some of `daemon` waits for the next start of effd" : "");
	else if (o->result == -EINVAL)
		log_error("reload: the tree has errors (%u); nothing was changed",
			o->diags ? diags_errors(o->diags) : 0);
	else if (o->result == -ESHUTDOWN)
		log_info("reload: effd is shutting down; nothing was changed");
	else
		log_error("reload: %s; asked for by %s",
			o->result == -ESTALE ? "something changed since that plan was made"
					     : strerror(-o->result),
			command);
	if ((o->result == 0 || o->result == -EINVAL) && o->diags)
		control_log_diags(o->diags);
}

/* From here on without a wait up to the change itself: what was compared is what is applied. */
static int reload_apply(
	struct tree *t, const struct asker *by, const char *only_if, struct reload_outcome *o)
{
	int r = plan_compare(t, o);

	if (r < 0)
		return r;
	tree_reloaded_done(&o->done);
	if (only_if && strcmp(only_if, o->id) != 0)
		return -ESTALE;
	return tree_reload(t, o->after, by, &o->done);
}

int control_reload(struct control *control, const struct asker *by, const char *only_if,
	struct reload_outcome *ret)
{
	struct tree *t = control->tree;
	int r = 0;

	*ret = (struct reload_outcome){0};
	while (t->reloading && r == 0)
		r = eff_pulse_await(&t->reloaded);
	if (control->host.on_reload)
		control->host.on_reload(control->host.context, true);
	if (r == 0)
		r = plan_read_in_turn(control, ret);
	if (r == 0)
		r = reload_apply(t, by, only_if, ret);
	ret->result = r;
	if (r == 0)
		control_let_in(control);
	if (r != -ECANCELED)
		reload_log(ret, by);
	/* Nobody may ask again for long, and they keep a whole plan. */
	if (control->rows.plan != t->plan)
		rows_done(&control->rows);
	if (control->host.on_reload)
		control->host.on_reload(control->host.context, false);
	return r;
}

/* ── jobs ── */

struct job {
	struct errand errand;
	struct asker by;
	char *only_if; /* NULL: any */
	struct reload_outcome outcome;
};

static void job_free(struct errand *errand)
{
	struct job *job = eff_container(errand, struct job, errand);

	reload_outcome_done(&job->outcome);
	free(job->only_if);
	free(job);
}

static int job_run(struct errand *errand)
{
	struct job *job = eff_container(errand, struct job, errand);

	return control_reload(errand->control, &job->by, job->only_if, &job->outcome);
}

static struct job *job_new(struct request *req)
{
	struct job *job = alloc_new(sizeof(*job));

	if (!job)
		return NULL;
	errand_init(&job->errand, req->control, job_run, job_free);
	job->by = req->conn->peer.who;
	return job;
}

/* ── answers ── */

/* Nothing was changed; why. */
static void answer_refusal(struct request *req, int r, const struct reload_outcome *o)
{
	struct json *parameters = json_object();

	if (r == -EINVAL) {
		(void)json_set(parameters, "diagnostics", json_diagnostics(o->diags));
		request_error(req, ERROR_INVALID_TREE, parameters);
	} else if (r == -ESTALE) {
		(void)json_set(parameters, "id", json_text(o->id));
		request_error(req, ERROR_PLAN_CHANGED, parameters);
	} else {
		json_free(parameters);
		if (r == -ESHUTDOWN)
			request_error(req, ERROR_SHUTTING_DOWN, NULL);
		else
			request_fail(req, ERROR_FAILED,
				"cannot reload: %s; nothing was changed", strerror(-r));
	}
}

static void answer_changes(struct request *req, struct json *changes, const struct reload_outcome *o)
{
	struct json *parameters = json_object();

	(void)json_set(parameters, "changes", changes);
	(void)json_set(parameters, "id", json_text(o->id));
	(void)json_set(parameters, "diagnostics", json_diagnostics(o->diags));
	request_reply(req, parameters);
}

void m_plan(struct request *req)
{
	struct reload_outcome o = {0};
	int r = plan_read_anew(req->control, &o);

	if (r == 0)
		r = plan_compare(req->tree, &o);
	if (r == 0)
		answer_changes(req, json_changes(o.done.changes, o.done.n), &o);
	else if (r != -ECANCELED)
		answer_refusal(req, r, &o);
	reload_outcome_done(&o);
}

/* It was taken over: what became of each change, as far as that is known when the time is up. Suspends. */
static void answer_fates(struct request *req, const struct reload_outcome *o, eff_ns until)
{
	struct json *changes;
	int r = fates_await(req, o, until, &changes);

	if (r == 0)
		answer_changes(req, changes, o);
	else if (r != -ECANCELED)
		request_fail(req, ERROR_FAILED, "the tree was changed; %s", strerror(-r));
}

static void reload_tree(struct request *req, eff_ns until)
{
	const char *id = json_get_text(req->parameters, "plan", NULL);
	bool wait = json_get_bool(req->parameters, "wait", true);
	struct job *job = job_new(req);
	int r = -ENOMEM;

	request_log(req, "reload", "");
	if (job && id)
		job->only_if = strdup(id);
	if (job && (!id || job->only_if))
		r = errand_begin(&job->errand);
	if (r == 0)
		r = errand_await(&job->errand, wait ? until : eff_now());
	if (r == -ETIMEDOUT && !wait)
		request_reply(req, NULL);
	else if (job && job->outcome.done.old && (r == 0 || r == -ETIMEDOUT))
		answer_fates(req, &job->outcome, until);
	else if (r == -ETIMEDOUT)
		request_fail(req, ERROR_TIMED_OUT, "the reload goes on");
	else if (r != -ECANCELED)
		answer_refusal(req, r, job ? &job->outcome : NULL);
	if (job)
		errand_unref(&job->errand);
}

void m_reload(struct request *req)
{
	const struct json *names = json_get(req->parameters, "units");
	eff_ns until;

	if (req->tree->shutting_down)
		request_error(req, ERROR_SHUTTING_DOWN, NULL);
	else if (request_until(req, &until) < 0)
		return;
	else if (json_first(names) && json_get_text(req->parameters, "plan", NULL))
		request_invalid(req, "plan"); /* It is of the whole tree. */
	else if (json_first(names))
		own_reloads(req, names, until);
	else if (json_type(names) == JSON_ARRAY)
		request_invalid(req, "units");
	else
		reload_tree(req, until);
}
