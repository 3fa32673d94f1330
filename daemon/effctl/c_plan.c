/* SPDX-License-Identifier: MIT */
/* `effctl plan` and `effctl reload`: what a new tree changes, unit by unit. */
#include <string.h>

#include "effctl/call.h"
#include "effctl/command.h"
#include "effctl/diagnostics.h"
#include "effctl/grid.h"
#include "effctl/results.h"
#include "effctl/words.h"

static enum paint action_paint(const char *action)
{
	if (!strcmp(action, "start"))
		return GOOD;
	if (!strcmp(action, "stop"))
		return BAD;
	return !strcmp(action, "restart") ? BUSY : PLAIN;
}

/* Of a plan there are no outcomes. */
static enum code change_code(const struct json *change)
{
	return json_get(change, "outcome") ? results_code(change) : CODE_DONE;
}

static void add_change(struct grid *grid, const struct json *change, bool outcomes)
{
	const char *action = json_get_text(change, "action", "?");
	struct text fields = {0};

	text_add(&fields, json_get_text(change, "text", ""));
	for (const struct json *v = json_first(json_get(change, "fields")); v; v = json_next(v))
		text_printf(&fields, "%s%s", fields.len ? ", " : "",
			json_as_text(v) ? json_as_text(v) : "?");
	grid_add(grid, PLAIN, json_get_text(change, "unit", "?"));
	grid_add(grid, action_paint(action), action);
	if (outcomes)
		grid_add(grid, change_code(change) == CODE_DONE ? PLAIN : BAD,
			json_get_text(change, "outcome", ""));
	grid_add(grid, PLAIN, fields.bytes ? fields.bytes : "");
	grid->failed |= fields.failed;
	text_done(&fields);
}

/* What the new tree is warned of; the changes, if any, and else that there are none. With outcomes: of a reload. */
static enum code print_changes(
	struct effctl *e, const struct json *answer, const char *none, bool outcomes)
{
	static const char *const titles[] = {"UNIT", "ACTION", "OUTCOME", "FIELDS"};
	static const char *const titles_of_plan[] = {"UNIT", "ACTION", "FIELDS"};
	const struct json *changes = json_get(answer, "changes");
	struct grid grid;
	bool waits = false;
	int r;

	diagnostics_print(e->err, json_get(answer, "diagnostics"), &e->sent, link_peer(&e->link));
	if (!json_first(changes)) {
		(void)fprintf(e->out, "%s\n", none);
		return CODE_DONE;
	}
	grid_init(&grid, outcomes ? 4 : 3, outcomes ? titles : titles_of_plan);
	for (const struct json *v = json_first(changes); v; v = json_next(v)) {
		add_change(&grid, v, outcomes);
		waits |= !strcmp(json_get_text(v, "action", ""), "effd");
	}
	r = grid_print(&grid, e->out, e->width, e->colour);
	grid_done(&grid);
	if (r < 0)
		return out_of_memory(e);
	if (waits)
		(void)fputs("\neffd: what holds only from effd's next start on\n", e->out);
	return CODE_DONE;
}

/* The names of those that go by the new tree, or that do not. */
static void print_names(struct effctl *e, const struct json *changes, bool applied, const char *title)
{
	const char *before = title;

	for (const struct json *v = json_first(changes); v; v = json_next(v)) {
		if (json_get_bool(v, "applied", true) != applied)
			continue;
		(void)fputs(before, e->out);
		put_text(e->out, json_get_text(v, "unit", "?"));
		before = ", ";
	}
	if (before != title)
		(void)fputc('\n', e->out);
}

/* What has failed, and then what is new all the same, and what is as it was. */
static enum code print_failures(struct effctl *e, const struct json *changes)
{
	enum code code = CODE_DONE;
	bool silent = e->given[OPTION_JSON];
	unsigned n = 0, n_failed = 0;

	for (const struct json *v = json_first(changes); v; v = json_next(v)) {
		n++;
		n_failed += change_code(v) != CODE_DONE;
	}
	if (n_failed > 0 && !silent)
		(void)fprintf(e->out, "\n%u of %u did not come about:\n", n_failed, n);
	for (const struct json *v = json_first(changes); v; v = json_next(v)) {
		enum code one = change_code(v);

		if (one != CODE_DONE && !silent)
			results_put_one(e, v);
		/* What failed says more than what is late. */
		if (code == CODE_DONE || one == CODE_FAILED)
			code = one;
	}
	if (n_failed > 0 && !silent) {
		print_names(e, changes, true, "new: ");
		print_names(e, changes, false, "as it was: ");
		(void)fputs("all other units are as they were\n", e->out);
	}
	return code;
}

enum code c_plan(struct effctl *e)
{
	struct reply reply;
	const struct json *changes;
	enum code code = call_ask(e, METHOD_PLAN, NULL, &reply);

	if (code != CODE_DONE)
		return code;
	changes = json_get(reply.parameters, "changes");
	if (e->given[OPTION_JSON])
		code = put_json(e, reply.parameters);
	else
		code = print_changes(e, reply.parameters, "nothing would change", false);
	if (code == CODE_DONE && !e->given[OPTION_JSON] && json_first(changes)) {
		(void)fputs("\nto do it: effctl reload --plan ", e->out);
		put_text(e->out, json_get_text(reply.parameters, "id", "?"));
		(void)fputc('\n', e->out);
	}
	reply_done(&reply);
	return code;
}

enum code c_reload(struct effctl *e)
{
	const struct json *changes;
	struct json *parameters;
	struct reply reply;
	enum code code;

	if (e->given[OPTION_PLAN] && e->n_units) {
		(void)fputs("effctl: a plan is of the whole tree: reload --plan takes no units\n",
			e->err);
		return CODE_USAGE;
	}
	parameters = call_units(e);
	if (e->given[OPTION_PLAN])
		(void)json_set(parameters, "plan", json_text(e->value[OPTION_PLAN]));
	if (e->given[OPTION_NO_WAIT])
		(void)json_set(parameters, "wait", json_bool(false));
	call_add_timeout(e, parameters);
	if (e->n_units)
		return results_ask(e, METHOD_RELOAD, parameters,
			e->given[OPTION_NO_WAIT] ? "asked to reload" : "reloaded");
	code = call_send_more(e, METHOD_RELOAD, parameters);
	if (code == CODE_DONE)
		code = results_receive(e, &reply);
	if (code != CODE_DONE)
		return code;
	changes = json_get(reply.parameters, "changes");
	if (e->given[OPTION_JSON])
		code = put_json(e, reply.parameters);
	else if (changes)
		code = print_changes(e, reply.parameters, "nothing changed", true);
	else
		(void)fputs("the reload has begun\n", e->out);
	if (code == CODE_DONE)
		code = print_failures(e, changes);
	reply_done(&reply);
	return code;
}
