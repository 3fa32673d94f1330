/* SPDX-License-Identifier: MIT */
/* `effctl status`: a table of units, or of a single one all that is known and its last output. */
#include <string.h>

#include "effctl/answer.h"
#include "effctl/call.h"
#include "effctl/command.h"
#include "effctl/status_file.h"
#include "effctl/words.h"

#define LAST_LINES 10

static void put_field(struct effctl *e, const char *name, const char *value)
{
	(void)fprintf(e->out, "  %-11s ", name);
	put_text(e->out, value);
	(void)fputc('\n', e->out);
}

static void put_built(struct effctl *e, const char *name, struct text *value)
{
	if (value->len)
		put_field(e, name, value->bytes);
	text_done(value);
}

static void put_state(struct effctl *e, const struct json *status)
{
	const char *state = json_get_text(status, "state", "?");
	const char *since = json_get_text(status, "since", NULL);

	(void)fprintf(e->out, "  %-11s ", "state");
	paint_text(e->out, state_paint(state), state, e->colour);
	if (since) {
		(void)fputs(" since ", e->out);
		put_text(e->out, since);
	}
	(void)fputs(json_get_bool(status, "wanted", true) ? "\n" : ", not wanted\n", e->out);
}

static void put_causes(struct effctl *e, const struct json *status)
{
	struct text text = {0};
	double next_s = json_get_number(status, "next_start_s", -1);

	add_cause(&text, json_get(status, "cause"));
	put_built(e, "cause", &text);
	add_cause(&text, json_get(status, "last_exit"));
	if (text.len)
		text_printf(&text, " at %s",
			json_get_text(json_get(status, "last_exit"), "at", "?"));
	put_built(e, "last exit", &text);
	if (next_s >= 0) {
		text_add(&text, "in ");
		add_seconds(&text, next_s);
	}
	put_built(e, "next start", &text);
}

static void put_counts(struct effctl *e, const struct json *status)
{
	struct text text = {0};
	int64_t children = json_get_int(status, "children", -1);
	int64_t restarts = json_get_int(status, "restarts", 0);
	int64_t failures = json_get_int(status, "failures", 0);
	const struct json *intensity = json_get(status, "intensity");

	text_printf(&text, "%lld, of these %lld restart%s; %lld failure%s in a row",
		(long long)json_get_int(status, "starts", 0), (long long)restarts,
		restarts == 1 ? "" : "s", (long long)failures, failures == 1 ? "" : "s");
	put_built(e, "starts", &text);
	if (children >= 0)
		text_printf(&text, "%lld, active %lld", (long long)children,
			(long long)json_get_int(status, "active", 0));
	put_built(e, "children", &text);
	if (json_type(intensity) == JSON_OBJECT) {
		text_printf(&text, "%lld of at most %lld restarts in ",
			(long long)json_get_int(status, "restarts_in_period", 0),
			(long long)json_get_int(intensity, "max_restarts", 0));
		add_seconds(&text, json_get_number(intensity, "period_s", 0));
	}
	put_built(e, "intensity", &text);
}

static void put_process(struct effctl *e, const struct json *status)
{
	struct text text = {0};
	int64_t pid = json_get_int(status, "pid", 0);
	double cpu_s = json_get_number(status, "cpu_s", -1);
	double memory = json_get_number(status, "memory_bytes", -1);
	int64_t lost = json_get_int(status, "log_lost_bytes", 0);

	if (pid > 0)
		text_printf(&text, "%lld", (long long)pid);
	put_built(e, "pid", &text);
	add_seconds(&text, json_get_number(status, "uptime_s", -1));
	put_built(e, "uptime", &text);
	if (cpu_s >= 0)
		text_printf(&text, "%.2fs", cpu_s);
	put_built(e, "cpu", &text);
	if (memory >= 0)
		add_bytes(&text, memory);
	put_built(e, "memory", &text);
	if (lost > 0)
		text_printf(&text, "%lld bytes of output", (long long)lost);
	put_built(e, "lost", &text);
}

static void put_words(struct effctl *e, const struct json *status)
{
	static const struct {
		const char *key, *name;
	} words[] = {{"health", "health"}, {"status_text", "says"}};
	struct text text = {0};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		const char *value = json_get_text(status, words[i].key, NULL);

		if (value)
			put_field(e, words[i].name, value);
	}
	for (const struct json *v = json_first(json_get(status, "depends_on")); v; v = json_next(v))
		text_printf(&text, "%s%s", text.len ? ", " : "",
			json_as_text(v) ? json_as_text(v) : "?");
	put_built(e, "depends on", &text);
	for (const struct json *v = json_first(json_get(status, "sockets")); v; v = json_next(v))
		text_printf(&text, "%s%s %s%s", text.len ? ", " : "",
			json_get_text(v, "name", "?"), json_get_text(v, "listen", "?"),
			json_get_bool(v, "open", true) ? "" : " (not open)");
	put_built(e, "sockets", &text);
}

static enum code ask_output(struct effctl *e, const char *unit)
{
	struct json *parameters = json_object();
	struct json *units = json_array();

	(void)json_add(units, json_text(unit));
	(void)json_set(parameters, "units", units);
	(void)json_set(parameters, "lines", json_int(LAST_LINES));
	return call_send_all(e, METHOD_LOGS, parameters);
}

/* A unit without output, or a user who may not see it, is no failure of status. */
static void put_output(struct effctl *e, const char *unit)
{
	struct reply reply;
	bool more = true;

	if (ask_output(e, unit) != CODE_DONE)
		return;
	while (more && link_receive(&e->link, &reply) > 0) {
		const char *line = json_get_text(reply.parameters, "text", NULL);

		if (line && !reply.error) {
			(void)fputs("  | ", e->out);
			put_line_end(e->out, line);
		}
		more = reply.continues && !reply.error;
		reply_done(&reply);
	}
}

static enum code print_one(struct effctl *e, const struct json *status)
{
	const char *name = json_get_text(status, "name", "?");
	const char *description = json_get_text(status, "description", NULL);

	paint_text(e->out, BOLD, name, e->colour);
	(void)fprintf(e->out, " (%s)", json_get_text(status, "kind", "unit"));
	if (description) {
		(void)fputs(": ", e->out);
		put_text(e->out, description);
	}
	(void)fputc('\n', e->out);
	put_state(e, status);
	put_causes(e, status);
	put_process(e, status);
	put_words(e, status);
	put_counts(e, status);
	put_output(e, name);
	return CODE_DONE;
}

static enum code print_answer(struct effctl *e, const struct answer *answer)
{
	if (answer->grid.failed)
		return out_of_memory(e);
	if (e->n_units == 1 && answer->n_units == 1)
		return print_one(e, answer->read);
	if (answer->n_units == 0) {
		put_units_have_none(e, e->out);
		return CODE_DONE;
	}
	return grid_print(&answer->grid, e->out, e->width, e->colour) < 0 ? out_of_memory(e)
									  : CODE_DONE;
}

static enum code status_table(struct effctl *e)
{
	enum code code = call_send(e, METHOD_STATUS, call_units(e), ANSWER_TIMEOUT_S);
	struct answer answer;
	char *text;
	size_t len;

	if (code == CODE_DONE)
		code = call_receive_text(e, &text, &len);
	if (e->unanswered)
		put_status_file(e);
	if (code != CODE_DONE)
		return code;
	answer_init(&answer, e->n_units > 0);
	if (answer_read(&answer, text, len) < 0)
		code = call_text_refused(e, text, len);
	else
		code = print_answer(e, &answer);
	answer_done(&answer);
	return code == CODE_DONE && !answer.all_well ? CODE_NOT_UP : code;
}

static enum code status_json(struct effctl *e)
{
	struct reply reply;
	enum code code = call_ask(e, METHOD_STATUS, call_units(e), &reply);
	bool all_well = true;

	if (code != CODE_DONE)
		return code;
	for (const struct json *v = json_first(json_get(reply.parameters, "units")); v;
		v = json_next(v))
		all_well &= status_is_well(v);
	code = put_json(e, reply.parameters);
	reply_done(&reply);
	return code == CODE_DONE && e->n_units && !all_well ? CODE_NOT_UP : code;
}

enum code c_status(struct effctl *e)
{
	return e->given[OPTION_JSON] ? status_json(e) : status_table(e);
}
