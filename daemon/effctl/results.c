/* SPDX-License-Identifier: MIT */
/* One line a unit; of one that failed also why, and what it said last. */
#include <string.h>

#include "effctl/results.h"
#include "effctl/words.h"

#define MOMENT_S 2.0 /* of nothing to be seen */

enum { WAITING_SHOWN = 10 };

enum code results_code(const struct json *result)
{
	const char *outcome = json_get_text(result, "outcome", "failed");

	if (!strcmp(outcome, "done") || !strcmp(outcome, "unchanged"))
		return CODE_DONE;
	return strcmp(outcome, "timeout") != 0 ? CODE_FAILED : CODE_TIMED_OUT;
}

static void put_output(struct effctl *e, const struct json *result)
{
	for (const struct json *v = json_first(json_get(result, "output")); v; v = json_next(v)) {
		if (!json_as_text(v))
			continue;
		(void)fputs("  | ", e->out);
		put_line_end(e->out, json_as_text(v));
	}
}

/* What was done, in the colour of nothing to worry about. */
static void put_done(struct effctl *e, const struct json *result, const char *done)
{
	const char *verb = json_get_text(result, "verb", NULL);
	const char *signal = json_get_text(result, "signal", NULL);

	/* Nobody answers a signal: what comes of it is not known. */
	if (verb || signal)
		(void)fputs(verb ? "asked to " : "sent ", e->out);
	paint_text(e->out, PLAIN, verb ? verb : signal ? signal : done, e->colour);
}

static void put_result(struct effctl *e, const struct json *result, const char *done)
{
	const char *outcome = json_get_text(result, "outcome", "failed");
	const char *state = json_get_text(result, "state", "gone");
	const struct json *cause = json_get(result, "cause");
	bool did = !strcmp(outcome, "done");
	bool was_so = !strcmp(outcome, "unchanged");
	bool refused = !strcmp(outcome, "refused");
	const char *verb = json_get_text(result, "verb", NULL);
	bool by_another = (verb && !done) ||
		!strcmp(json_get_text(cause, "kind", ""), "dependency");
	int64_t pid = json_get_int(result, "pid", 0);
	struct text why = {0};

	put_text(e->out, json_get_text(result, "name", json_get_text(result, "unit", "?")));
	(void)fputs(": ", e->out);
	/* What failed and has failed is so once. */
	if (!did && strcmp(outcome, state) != 0) {
		paint_text(e->out, was_so ? PLAIN : BAD, outcome, e->colour);
		(void)fputs(", ", e->out);
	}
	if (did && done)
		put_done(e, result, done);
	else
		paint_text(e->out, state_paint(state), state, e->colour);
	if (pid > 0)
		(void)fprintf(e->out, " (pid %lld)", (long long)pid);
	/* It is done all the same; but what was killed may have had something left to do. */
	if (did && !by_another && !strcmp(json_get_text(cause, "signal", ""), "SIGKILL"))
		(void)fputs(" (SIGKILL)", e->out);
	/* Of what was not even begun the kind would be one of ends. */
	if (refused)
		text_add(&why, json_get_text(cause, "text", ""));
	else if (!(did || was_so) || by_another)
		add_cause(&why, cause);
	if (why.len) {
		(void)fputs(": ", e->out);
		put_text(e->out, why.bytes);
	}
	(void)fputc('\n', e->out);
	text_done(&why);
	put_output(e, result);
}

void results_put_one(struct effctl *e, const struct json *result)
{
	put_result(e, result, NULL);
}

enum code results_put(struct effctl *e, const struct json *parameters, const char *done)
{
	enum code code = CODE_DONE;

	if (e->given[OPTION_JSON])
		code = put_json(e, parameters);
	for (const struct json *v = json_first(json_get(parameters, "units")); v; v = json_next(v)) {
		enum code one = results_code(v);

		/* What failed says more than what is late. */
		if (code == CODE_DONE || one == CODE_FAILED)
			code = one;
		if (!e->given[OPTION_JSON])
			put_result(e, v, done);
	}
	if (!e->given[OPTION_JSON] && !json_first(json_get(parameters, "units")))
		put_units_have_none(e, e->out);
	return code;
}

static void put_awaited(struct effctl *e, const struct json *status)
{
	struct text why = {0};

	add_cause(&why, json_get(status, "cause"));
	(void)fputs("effctl: ", e->err);
	put_text(e->err, json_get_text(status, "name", "?"));
	(void)fputs(" is waiting: ", e->err);
	put_text(e->err, why.bytes ? why.bytes : "");
	(void)fputc('\n', e->err);
	text_done(&why);
}

/* What is to start takes more than a moment: for whom others wait nobody sees, and it may be for good. */
static void tell_who_waits(struct effctl *e)
{
	struct reply reply;
	unsigned n = 0;

	if (!call_aside(e, METHOD_STATUS, call_units(e), &reply))
		return;
	for (const struct json *v = json_first(json_get(reply.parameters, "units")); v;
		v = json_next(v)) {
		if (strcmp(json_get_text(v, "state", ""), "waiting") != 0 ||
			strcmp(json_get_text(json_get(v, "cause"), "kind", ""), "dependency") != 0)
			continue;
		if (n++ < WAITING_SHOWN)
			put_awaited(e, v);
	}
	if (n > WAITING_SHOWN)
		(void)fprintf(e->err, "effctl: %u more are waiting\n", n - WAITING_SHOWN);
	reply_done(&reply);
}

static enum code receive_last(struct effctl *e, bool tells, struct reply *ret_reply)
{
	for (;;) {
		enum code code;

		if (tells && !link_await(&e->link, MOMENT_S)) {
			tell_who_waits(e);
			tells = false;
		}
		code = call_receive_good(e, ret_reply);
		if (code != CODE_DONE || !ret_reply->continues)
			return code;
		reply_done(ret_reply);
	}
}

enum code results_receive(struct effctl *e, struct reply *ret_reply)
{
	return receive_last(e, false, ret_reply);
}

enum code results_ask(struct effctl *e, enum method method, struct json *parameters, const char *done)
{
	bool tells = (method == METHOD_START || method == METHOD_RESTART) && !e->given[OPTION_JSON];
	struct reply reply;
	enum code code;

	if (method_row(method)->how == METHOD_ONCE)
		code = call_send(e, method, parameters, ANSWER_TIMEOUT_S);
	else
		code = call_send_more(e, method, parameters);
	if (code == CODE_DONE)
		code = receive_last(e, tells, &reply);
	if (code != CODE_DONE)
		return code;
	code = results_put(e, reply.parameters, done);
	reply_done(&reply);
	return code;
}
