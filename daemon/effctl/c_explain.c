/* SPDX-License-Identifier: MIT */
/* `effctl explain`: the state, why, what is waited for, what comes next. */
#include <string.h>

#include "effctl/call.h"
#include "effctl/command.h"
#include "effctl/words.h"

static void put_time(struct effctl *e, const char *at)
{
	if (!at)
		return;
	(void)fputs(" (", e->out);
	put_text(e->out, at);
	(void)fputc(')', e->out);
}

/* The first link is the wish, and stands with the state. One of a kind is a cause, one of none a fact beside it. */
static void put_chain(struct effctl *e, const struct json *chain)
{
	const struct json *first = json_first(chain);

	if (first) {
		(void)fputs("; ", e->out);
		put_text(e->out, json_get_text(first, "text", "?"));
	}
	(void)fputc('\n', e->out);
	for (const struct json *v = first ? json_next(first) : NULL; v; v = json_next(v)) {
		bool is_cause = json_get_text(v, "kind", NULL);

		(void)fputs(is_cause ? "  because " : "  ", e->out);
		put_text(e->out, json_get_text(v, "text", "?"));
		put_time(e, json_get_text(v, "at", NULL));
		(void)fputc('\n', e->out);
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
		(void)fputs(!strcmp(state, "backoff") ? ", which is in " : ", which is ", e->out);
		paint_text(e->out, state_paint(state), state, e->colour);
		(void)fputc('\n', e->out);
	}
}

static void put_next(struct effctl *e, const struct json *next)
{
	const char *action = json_get_text(next, "action", "none");
	const char *text = json_get_text(next, "text", "");
	double in_s = json_get_number(next, "in_s", -1);
	struct text line = {0};

	if (json_type(next) != JSON_OBJECT)
		return;
	text_add(&line, "  next: ");
	if (strcmp(action, "none") != 0)
		text_add(&line, action);
	if (in_s >= 0) {
		text_add(&line, " in ");
		add_seconds(&line, in_s);
	}
	text_printf(&line, "%s%s", *text && strcmp(action, "none") != 0 ? ": " : "", text);
	if (line.bytes)
		put_text(e->out, line.bytes);
	(void)fputc('\n', e->out);
	text_done(&line);
}

static void put_explained(struct effctl *e, const struct json *explained)
{
	const char *state = json_get_text(explained, "state", "?");

	if (!json_get(explained, "unit")) {
		put_no_replicas(e->out, e->units[0]);
		return;
	}
	put_text(e->out, json_get_text(explained, "unit", e->units[0]));
	(void)fputs(" is ", e->out);
	paint_text(e->out, state_paint(state), state, e->colour);
	(void)fputs(" since ", e->out);
	put_text(e->out, json_get_text(explained, "since", "?"));
	put_chain(e, json_get(explained, "chain"));
	put_needs(e, json_get(explained, "waits_for"));
	put_next(e, json_get(explained, "next"));
}

/* One document; of several replicas one a line, of none nothing. */
static enum code put_documents(struct effctl *e, const struct reply *reply, bool is_first)
{
	if (!json_get(reply->parameters, "unit"))
		return CODE_DONE;
	if (is_first && !reply->continues)
		return put_json(e, reply->parameters);
	return put_json_line(e, reply->parameters);
}

enum code c_explain(struct effctl *e)
{
	struct json *parameters = json_object();
	bool is_first = true, more = true;
	struct reply reply;
	enum code code;

	(void)json_set(parameters, "unit", json_text(e->units[0]));
	code = call_send_all(e, METHOD_EXPLAIN, parameters);
	for (; code == CODE_DONE && more; is_first = false) {
		code = call_receive_good(e, &reply);
		if (code != CODE_DONE)
			return code;
		if (e->given[OPTION_JSON])
			code = put_documents(e, &reply, is_first);
		else
			put_explained(e, reply.parameters);
		more = reply.continues;
		reply_done(&reply);
	}
	return code;
}
