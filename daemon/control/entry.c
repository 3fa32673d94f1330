/* SPDX-License-Identifier: MIT */
/* The nouns of the interface as JSON: a cause, diagnostics, changes. Null is said aloud: a field is never left out. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "control/methods.h"
#include "unit/ring.h"
#include "wire/escape.h"

enum { CAUSES_MAX = 16 };

struct json *json_wall(eff_ns wall_at)
{
	char buf[32];

	return wall_at > 0 ? json_text(wall_text(wall_at, buf)) : json_null();
}

struct json *json_asker(const struct asker *by)
{
	struct json *asker;

	if (by->pid == 0 && !by->unseen)
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

struct json *json_line(const char *bytes, size_t len)
{
	struct text shown = {0};
	struct json *value;

	escape_bytes(&shown, bytes, len);
	value = shown.failed ? NULL : json_text(shown.bytes ? shown.bytes : "");
	text_done(&shown);
	return value;
}

enum { LAST_LINES = 10 };

/* The last lines of one run; null: it has written none. */
static struct json *json_last_lines(const struct unit *u, uint16_t run)
{
	uint64_t from = ring_run_tail(u->ring, run, LAST_LINES);
	struct json *lines = from == UINT64_MAX ? json_null() : json_array();
	struct ring_line line;

	for (; ring_next(u->ring, from, &line); from = line.number + 1)
		if (line.run == run)
			(void)json_add(lines, json_line(line.text, line.len));
	return lines;
}

/* Of the run that failed, or of one that goes on and should not; what never began has said nothing. */
static struct json *json_output(const struct unit *u, const char *outcome, const struct cause *why)
{
	if (strcmp(outcome, "failed") != 0 && strcmp(outcome, "timeout") != 0)
		return json_null();
	if (why && why == u->last_exit)
		return json_last_lines(u, u->last_run);
	return unit_is_active(u) ? json_last_lines(u, (uint16_t)u->starts) : json_null();
}

/* But for its output, which comes last. */
static struct json *result_new(const char *name, const char *outcome, enum unit_state state,
	pid_t pid, const struct cause *cause)
{
	struct json *result = json_object();

	(void)json_set(result, "name", json_text(name));
	(void)json_set(result, "outcome", json_text(outcome));
	(void)json_set(result, "state", json_text(state_name(state)));
	(void)json_set(result, "pid", pid ? json_int(pid) : json_null());
	(void)json_set(result, "cause", json_cause(cause));
	return result;
}

struct json *json_result(const struct unit *u, const char *outcome, const struct cause *why)
{
	struct json *result = result_new(u->name, outcome, u->state, u->pid, why ? why : u->cause);

	(void)json_set(result, "output", json_output(u, outcome, why));
	return result;
}

struct json *json_result_gone(const char *name, const char *outcome, const struct cause *why)
{
	struct json *result = result_new(name, outcome, UNIT_DOWN, 0, why);

	(void)json_set(result, "output", json_null());
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

/* Of one that has another name now: which, and in words that for effd it is two. */
static void change_moved(struct json *one, const struct plan_change *changes, uint32_t n,
	const struct plan_change *change)
{
	struct text words = {0};

	if (!plan_change_words(changes, n, change, &words))
		return;
	(void)json_set(one, change->after == PLAN_NONE ? "moved_to" : "moved_from",
		json_text(change->other));
	(void)json_set(one, "text", json_text(words.bytes));
	text_done(&words);
}

struct json *json_change(const struct plan_change *changes, uint32_t n, uint32_t i)
{
	struct json *one = json_object(), *fields = json_array();

	(void)json_set(one, "unit", json_text(changes[i].unit));
	(void)json_set(one, "action", json_text(plan_action_name(changes[i].action)));
	for (uint32_t k = 0; k < changes[i].n_fields; k++)
		(void)json_add(fields, json_text(plan_field(changes[i].fields[k])->name));
	(void)json_set(one, "fields", fields);
	change_moved(one, changes, n, &changes[i]);
	return one;
}

struct json *json_changes(const struct plan_change *changes, uint32_t n)
{
	struct json *all = json_array();

	for (uint32_t i = 0; i < n; i++)
		(void)json_add(all, json_change(changes, n, i));
	return all;
}
