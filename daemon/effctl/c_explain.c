/* SPDX-License-Identifier: MIT */
/* `effctl explain`: the state, why, what is waited for, what comes next. */
#include "effctl/call.h"
#include "effctl/command.h"
#include "effctl/words.h"

static void put_chain(struct effctl *e, const struct json *chain)
{
	const char *lead = "because";

	for (const struct json *v = json_first(chain); v; v = json_next(v)) {
		const char *at = json_get_text(v, "at", NULL);

		(void)fprintf(e->out, "  %s ", lead);
		put_text(e->out, json_get_text(v, "text", "?"));
		if (at) {
			(void)fputs(" (", e->out);
			put_text(e->out, at);
			(void)fputc(')', e->out);
		}
		(void)fputc('\n', e->out);
		lead = "  and that because";
	}
}

static void put_needs(struct effctl *e, const struct json *needs)
{
	for (const struct json *v = json_first(needs); v; v = json_next(v)) {
		const char *state = json_get_text(v, "state", "?");

		(void)fputs("  waits for ", e->out);
		put_text(e->out, json_get_text(v, "unit", "?"));
		(void)fputs(" to be ", e->out);
		put_text(e->out, json_get_text(v, "condition", "ready"));
		(void)fputs(", which is ", e->out);
		paint_text(e->out, state_paint(state), state, e->colour);
		(void)fputc('\n', e->out);
	}
}

static void put_next(struct effctl *e, const struct json *next)
{
	const char *text = json_get_text(next, "text", "");
	double in_s = json_get_number(next, "in_s", -1);
	struct text line = {0};

	if (json_type(next) != JSON_OBJECT)
		return;
	text_printf(&line, "  next: %s", json_get_text(next, "action", "?"));
	if (in_s >= 0) {
		text_add(&line, " in ");
		add_seconds(&line, in_s);
	}
	text_printf(&line, "%s%s", *text ? ": " : "", text);
	if (line.bytes)
		put_text(e->out, line.bytes);
	(void)fputc('\n', e->out);
	text_done(&line);
}

enum code c_explain(struct effctl *e)
{
	struct json *parameters = json_object();
	struct reply reply;
	const char *state;
	enum code code;

	(void)json_set(parameters, "unit", json_text(e->units[0]));
	code = call_ask(e, METHOD_EXPLAIN, parameters, &reply);
	if (code != CODE_DONE)
		return code;
	if (e->given[OPTION_JSON]) {
		code = put_json(e, reply.parameters);
		reply_done(&reply);
		return code;
	}
	state = json_get_text(reply.parameters, "state", "?");
	put_text(e->out, json_get_text(reply.parameters, "unit", e->units[0]));
	(void)fputs(" is ", e->out);
	paint_text(e->out, state_paint(state), state, e->colour);
	(void)fputs(" since ", e->out);
	put_text(e->out, json_get_text(reply.parameters, "since", "?"));
	(void)fputc('\n', e->out);
	put_chain(e, json_get(reply.parameters, "chain"));
	put_needs(e, json_get(reply.parameters, "waits_for"));
	put_next(e, json_get(reply.parameters, "next"));
	reply_done(&reply);
	return CODE_DONE;
}
