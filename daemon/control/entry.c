/* SPDX-License-Identifier: MIT */
/* The nouns of the interface as JSON: a cause, a unit's status, diagnostics, changes. Null is said aloud: a field is never
 * left out, but for those that only supervisors have. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "control/methods.h"
#include "unit/ring.h"
#include "wire/escape.h"

enum { CAUSES_MAX = 16 };

static double seconds(eff_ns ns)
{
	/* To the millisecond: what is below is noise to people and digits to machines. */
	return round((double)ns / 1e6) / 1e3;
}

struct json *json_wall(eff_ns wall_at)
{
	char buf[32];

	return wall_at > 0 ? json_text(wall_text(wall_at, buf)) : json_null();
}

struct json *json_asker(const struct asker *by)
{
	struct json *asker;

	if (by->pid == 0)
		return json_null();
	asker = json_object();
	(void)json_set(asker, "pid", json_int(by->pid));
	(void)json_set(asker, "uid", json_int(by->uid));
	(void)json_set(asker, "command", json_text(by->command));
	return asker;
}

static struct json *cause_alone(const struct cause *cause)
{
	struct json *object = json_object();
	char buf[16];

	(void)json_set(object, "kind", json_text(cause_kind_name(cause->kind)));
	(void)json_set(object, "text", cause->text[0] ? json_text(cause->text) : json_null());
	(void)json_set(object, "at", json_wall(cause->wall_at));
	(void)json_set(object, "code", cause->code >= 0 ? json_int(cause->code) : json_null());
	(void)json_set(object, "signal",
		cause->signal > 0 ? json_text(signal_text(cause->signal, buf)) : json_null());
	(void)json_set(object, "core", cause->signal > 0 ? json_bool(cause->core) : json_null());
	(void)json_set(object, "by", json_asker(&cause->by));
	return object;
}

struct json *json_cause(const struct cause *cause)
{
	const struct cause *chain[CAUSES_MAX];
	struct json *behind = json_null();
	int n = 0;

	for (; cause && n < CAUSES_MAX; cause = cause->because)
		chain[n++] = cause;
	/* From the far end on: what is part of something cannot grow. */
	while (n > 0) {
		struct json *object = cause_alone(chain[--n]);

		(void)json_set(object, "because", behind);
		behind = object;
	}
	return behind;
}

/* ── status ── */

static const char *kind_name(enum plan_kind kind)
{
	static const char *const names[] = {
		[PLAN_PROCESS] = "process",
		[PLAN_FIBER] = "fiber",
		[PLAN_SUPERVISOR] = "supervisor",
	};

	return names[kind];
}

struct children {
	uint32_t n, active;
	bool ails;
};

static struct children children_of(const struct tree *t, uint32_t index)
{
	struct children c = {0};
	uint32_t i = plan_unit(t->plan, index)->first_child;

	for (; i != PLAN_NONE; i = plan_unit(t->plan, i)->next_sibling) {
		const struct unit *u = t->units[i];

		c.n++;
		if (u->spec->kind == PLAN_SUPERVISOR)
			c.active += u->state == UNIT_STARTING || u->state == UNIT_UP;
		else
			c.active += unit_is_active(u) &&
				(u->spec->kind == PLAN_FIBER || u->pid != 0);
		c.ails = c.ails || tree_ails(u);
	}
	return c;
}

static struct json *json_health(const struct tree *t, uint32_t index)
{
	static const char *const names[] = {
		[UNIT_HEALTH_UNKNOWN] = "unknown",
		[UNIT_HEALTH_PASSING] = "passing",
		[UNIT_HEALTH_FAILING] = "failing",
	};
	const struct unit *u = t->units[index];

	if (u->spec->kind == PLAN_SUPERVISOR) {
		if (u->state != UNIT_UP && u->state != UNIT_STARTING)
			return json_null();
		return json_text(
			names[children_of(t, index).ails ? UNIT_HEALTH_FAILING : UNIT_HEALTH_PASSING]);
	}
	return u->health == UNIT_HEALTH_NONE ? json_null() : json_text(names[u->health]);
}

static struct json *json_depends_on(const struct tree *t, uint32_t index)
{
	const struct plan_unit *spec = plan_unit(t->plan, index);
	struct json *names = json_array();

	for (uint32_t i = 0; i < spec->n_needs; i++)
		(void)json_add(names, json_text(t->units[spec->needs[i].unit]->name));
	return names;
}

/* Of one in backoff, and of one that rests until its schedule. */
static struct json *json_next_start(const struct unit *u, eff_ns now)
{
	eff_ns at = unit_awaits_schedule(u) ? u->due_at : u->child.next_at;

	if ((u->state != UNIT_BACKOFF && !unit_awaits_schedule(u)) || at < 0 || at == EFF_FOREVER)
		return json_null();
	return json_number(at > now ? seconds(at - now) : 0);
}

static void status_of_life(struct json *s, const struct unit *u)
{
	eff_ns now = eff_now();

	(void)json_set(s, "pid", u->pid ? json_int(u->pid) : json_null());
	(void)json_set(s, "since", json_wall(u->since_wall));
	(void)json_set(s, "uptime_s",
		u->state == UNIT_UP ? json_number(seconds(now - u->since)) : json_null());
	(void)json_set(s, "starts", json_int((int64_t)u->starts));
	(void)json_set(s, "restarts", json_int((int64_t)u->restarts));
	(void)json_set(s, "failures", json_int(eff_child_failures(&u->child)));
	(void)json_set(s, "next_start_s", json_next_start(u, now));
	(void)json_set(s, "last_exit", json_cause(u->last_exit));
	(void)json_set(s, "cause", json_cause(u->cause));
}

static void status_of_usage(struct json *s, const struct unit *u)
{
	struct os_usage usage;
	bool known = unit_usage(u, &usage);

	(void)json_set(s, "cpu_s",
		known ? json_number(seconds((eff_ns)(usage.cpu_s * 1e9))) : json_null());
	(void)json_set(
		s, "memory_bytes", known ? json_int((int64_t)usage.memory_bytes) : json_null());
	(void)json_set(s, "log_lost_bytes", json_int((int64_t)u->log_lost_bytes));
}

static struct json *json_intensity(const struct plan_intensity *intensity)
{
	struct json *s;

	if (intensity->period_ns == 0)
		return json_null();
	s = json_object();
	(void)json_set(s, "max_restarts", json_int(intensity->max_restarts));
	(void)json_set(s, "period_s", json_number(seconds(intensity->period_ns)));
	return s;
}

struct json *json_status(struct tree *t, uint32_t index)
{
	const struct unit *u = t->units[index];
	struct json *s = json_object();

	(void)json_set(s, "name", json_text(u->name));
	(void)json_set(s, "description", json_text(u->spec->description));
	(void)json_set(s, "kind", json_text(kind_name(u->spec->kind)));
	(void)json_set(s, "state", json_text(state_name(u->state)));
	(void)json_set(s, "wanted", json_bool(u->wanted && !u->held && u->spec->enabled));
	status_of_life(s, u);
	(void)json_set(s, "health", json_health(t, index));
	(void)json_set(s, "status_text", u->status_text ? json_text(u->status_text) : json_null());
	(void)json_set(s, "depends_on", json_depends_on(t, index));
	status_of_usage(s, u);
	if (u->spec->kind == PLAN_SUPERVISOR) {
		struct children c = children_of(t, index);

		(void)json_set(s, "children", json_int(c.n));
		(void)json_set(s, "active", json_int(c.active));
		(void)json_set(s, "intensity", json_intensity(&u->spec->intensity));
		(void)json_set(s, "restarts_in_period",
			json_int(u->group_open ? eff_sup_restarts(&u->sup) : 0));
	}
	return s;
}

struct json *json_line(const char *bytes, size_t len)
{
	struct text shown = {0};
	struct json *value;

	escape_bytes(&shown, bytes, len);
	value = shown.failed ? NULL : json_text(shown.bytes ? shown.bytes : "");
	text_done(&shown);
	return value;
}

struct json *json_last_lines(const struct unit *u, uint32_t n)
{
	struct json *lines = json_array();
	struct ring_line line;
	uint64_t from = u->ring ? ring_tail(u->ring, n) : 0;

	while (ring_next(u->ring, from, &line)) {
		(void)json_add(lines, json_line(line.text, line.len));
		from = line.number + 1;
	}
	return lines;
}

enum { LAST_LINES = 10 };

struct json *json_result(const struct unit *u, const char *outcome, const struct cause *why)
{
	struct json *result = json_object();
	bool failed = strcmp(outcome, "failed") == 0 || strcmp(outcome, "timeout") == 0;

	(void)json_set(result, "name", json_text(u->name));
	(void)json_set(result, "outcome", json_text(outcome));
	(void)json_set(result, "state", json_text(state_name(u->state)));
	(void)json_set(result, "pid", u->pid ? json_int(u->pid) : json_null());
	(void)json_set(result, "cause", json_cause(why ? why : u->cause));
	(void)json_set(result, "output",
		failed && u->ring ? json_last_lines(u, LAST_LINES) : json_null());
	return result;
}

/* ── trees ── */

static struct json *json_place(const struct plan_place *at)
{
	struct json *place = json_object();

	(void)json_set(place, "file", json_text(at->file ? at->file : ""));
	(void)json_set(place, "line", json_int(at->line));
	(void)json_set(place, "column", json_int(at->column));
	return place;
}

struct json *json_diagnostics(const struct diags *diags)
{
	struct json *all = json_array();

	for (uint32_t i = 0; diags && i < diags_count(diags); i++) {
		const struct diag *d = diags_at(diags, i);
		struct json *one = json_object(), *related = json_array();

		(void)json_set(one, "code", json_text(d->code));
		(void)json_set(one, "severity", json_text(d->is_error ? "error" : "warning"));
		(void)json_set(one, "file", json_text(d->at.file ? d->at.file : ""));
		(void)json_set(one, "line", json_int(d->at.line));
		(void)json_set(one, "column", json_int(d->at.column));
		(void)json_set(one, "message", json_text(d->message));
		(void)json_set(one, "help", d->help ? json_text(d->help) : json_null());
		for (uint32_t k = 0; k < d->n_notes; k++) {
			struct json *note = json_place(&d->notes[k].at);

			(void)json_set(note, "message", json_text(d->notes[k].text));
			(void)json_add(related, note);
		}
		(void)json_set(one, "related", related);
		(void)json_add(all, one);
	}
	return all;
}

struct json *json_changes(const struct plan_change *changes, uint32_t n)
{
	struct json *all = json_array();

	for (uint32_t i = 0; i < n; i++) {
		struct json *one = json_object(), *fields = json_array();

		if (changes[i].action == PLAN_DO_NOTHING && changes[i].n_fields == 0) {
			json_free(one);
			json_free(fields);
			continue;
		}
		(void)json_set(one, "unit", json_text(changes[i].unit));
		(void)json_set(one, "action", json_text(plan_action_name(changes[i].action)));
		for (uint32_t k = 0; k < changes[i].n_fields; k++)
			(void)json_add(fields, json_text(plan_field(changes[i].fields[k])->name));
		(void)json_set(one, "fields", fields);
		(void)json_add(all, one);
	}
	return all;
}
