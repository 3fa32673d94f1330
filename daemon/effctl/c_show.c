/* SPDX-License-Identifier: MIT */
/* `effctl show`: units and the values of their fields, each with the place that it came from. */
#include <string.h>

#include "effctl/call.h"
#include "effctl/command.h"
#include "effctl/grid.h"
#include "effctl/words.h"

/* Units that nothing more is said of, `{a: null, b: null}`, as people write them: `[a, b]`. False: it is something else. */
static bool add_names(struct text *to, const char *value)
{
	static const char end[] = ": null";

	text_add(to, "[");
	for (value += *value == '{';; value += 2) {
		size_t len = strcspn(value, ":,{}\"");

		if (!len || strncmp(value + len, end, strlen(end)) != 0)
			return false;
		text_add_bytes(to, value, len);
		value += len + strlen(end);
		if (!strcmp(value, "}"))
			break;
		if (strncmp(value, ", ", 2) != 0)
			return false;
		text_add(to, ", ");
	}
	text_add(to, "]");
	return true;
}

static void add_value(struct grid *grid, const struct json *value)
{
	const char *shown = json_get_text(value, "value", "(not shown)");
	const struct json *place = json_get(value, "place");
	struct text field = {0};
	struct text source = {0};
	struct text names = {0};

	text_printf(&field, "  %s", json_get_text(value, "field", "?"));
	if (json_type(place) == JSON_OBJECT)
		text_printf(&source, "%s:%lld:%lld", json_get_text(place, "file", "?"),
			(long long)json_get_int(place, "line", 0),
			(long long)json_get_int(place, "column", 0));
	else
		text_add(&source, json_get_text(value, "source", ""));
	grid_add(grid, PLAIN, field.bytes ? field.bytes : "");
	if (!strcmp(json_get_text(value, "field", ""), "depends_on") &&
		add_names(&names, shown) && names.bytes)
		shown = names.bytes;
	grid_add(grid, PLAIN, shown);
	grid_add(grid, FAINT, source.bytes ? source.bytes : "");
	grid->failed |= field.failed || source.failed || names.failed;
	text_done(&field);
	text_done(&source);
	text_done(&names);
}

static enum code print_unit(struct effctl *e, const struct json *unit)
{
	static const char *const titles[] = {"  FIELD", "VALUE", "FROM"};
	struct grid grid;
	int r = 0;

	paint_text(e->out, BOLD, json_get_text(unit, "name", "?"), e->colour);
	(void)fprintf(e->out, " (%s)\n", json_get_text(unit, "kind", "unit"));
	if (!json_first(json_get(unit, "values")))
		return CODE_DONE;
	grid_init(&grid, 3, titles);
	for (const struct json *v = json_first(json_get(unit, "values")); v; v = json_next(v))
		add_value(&grid, v);
	r = grid_print(&grid, e->out, 0, e->colour);
	grid_done(&grid);
	return r < 0 ? out_of_memory(e) : CODE_DONE;
}

static enum code print_all(struct effctl *e, const struct json *shown)
{
	enum code code = CODE_DONE;

	if (!e->n_units) {
		put_text(e->out, json_get_text(shown, "name", "?"));
		(void)fputs(", from", e->out);
		for (const struct json *v = json_first(json_get(shown, "files")); v;
			v = json_next(v)) {
			(void)fputc(' ', e->out);
			put_text(e->out, json_as_text(v) ? json_as_text(v) : "?");
		}
		(void)fputc('\n', e->out);
	}
	for (const struct json *v = json_first(json_get(shown, "units"));
		v && code == CODE_DONE; v = json_next(v))
		code = print_unit(e, v);
	return code;
}

enum code c_show(struct effctl *e)
{
	struct json *parameters = json_object();
	struct reply reply;
	enum code code;

	if (e->n_units)
		(void)json_set(parameters, "unit", json_text(e->units[0]));
	if (e->given[OPTION_RESOLVED])
		(void)json_set(parameters, "resolved", json_bool(true));
	if (e->given[OPTION_VALUES])
		(void)json_set(parameters, "values", json_bool(true));
	code = call_ask(e, METHOD_SHOW, parameters, &reply);
	if (code != CODE_DONE)
		return code;
	code = e->given[OPTION_JSON] ? put_json(e, reply.parameters)
				     : print_all(e, reply.parameters);
	reply_done(&reply);
	return code;
}
