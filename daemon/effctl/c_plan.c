/* SPDX-License-Identifier: MIT */
/* `effctl plan` and `effctl reload`: what a new tree changes, unit by unit. */
#include <string.h>

#include "effctl/command.h"
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

static void add_change(struct grid *grid, const struct json *change)
{
	const char *action = json_get_text(change, "action", "?");
	struct text fields = {0};

	text_add(&fields, json_get_text(change, "text", ""));
	for (const struct json *v = json_first(json_get(change, "fields")); v; v = json_next(v))
		text_printf(&fields, "%s%s", fields.len ? ", " : "",
			json_as_text(v) ? json_as_text(v) : "?");
	grid_add(grid, PLAIN, json_get_text(change, "unit", "?"));
	grid_add(grid, action_paint(action), action);
	grid_add(grid, PLAIN, fields.bytes ? fields.bytes : "");
	grid->failed |= fields.failed;
	text_done(&fields);
}

/* The changes, if any, and else that there are none. */
static enum code print_changes(struct effctl *e, const struct json *changes, const char *none)
{
	static const char *const titles[] = {"UNIT", "ACTION", "FIELDS"};
	struct grid grid;
	bool waits = false;
	int r;

	if (!json_first(changes)) {
		(void)fprintf(e->out, "%s\n", none);
		return CODE_DONE;
	}
	grid_init(&grid, 3, titles);
	for (const struct json *v = json_first(changes); v; v = json_next(v)) {
		add_change(&grid, v);
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
		code = print_changes(e, changes, "nothing would change");
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
	struct json *parameters = call_units(e);
	struct reply reply;
	enum code code;

	if (e->given[OPTION_PLAN])
		(void)json_set(parameters, "plan", json_text(e->value[OPTION_PLAN]));
	if (e->given[OPTION_NO_WAIT])
		(void)json_set(parameters, "wait", json_bool(false));
	call_add_timeout(e, parameters);
	if (e->n_units)
		return results_ask(e, METHOD_RELOAD, parameters, "reloaded");
	code = call_send_more(e, METHOD_RELOAD, parameters);
	if (code == CODE_DONE)
		code = results_receive(e, &reply);
	if (code != CODE_DONE)
		return code;
	if (e->given[OPTION_JSON])
		code = put_json(e, reply.parameters);
	else
		code = print_changes(e, json_get(reply.parameters, "changes"), "nothing changed");
	reply_done(&reply);
	return code;
}
