/* SPDX-License-Identifier: MIT */
/* `effctl logs` and `effctl events`: replies as they come, one line each, written out at once. */
#include <stdlib.h>
#include <string.h>

#include "effctl/call.h"
#include "effctl/command.h"
#include "effctl/words.h"

/* What the lines of a stream need to know of each other. */
struct stream {
	bool prefix;      /* say whose line it is */
	char *unfinished; /* whose line is not at its end, or NULL */
};

typedef void print_reply(struct effctl *e, struct stream *stream, const struct json *parameters);

static enum code run_stream(struct effctl *e, struct stream *stream, print_reply *print)
{
	for (;;) {
		struct reply reply;
		enum code code = call_receive_good(e, &reply);
		bool more;

		if (code != CODE_DONE)
			return code;
		/* The last one may be empty: it only ends the stream. */
		if (json_first(reply.parameters) && e->given[OPTION_JSON])
			code = put_json_line(e, reply.parameters);
		else if (json_first(reply.parameters))
			print(e, stream, reply.parameters);
		more = reply.continues;
		reply_done(&reply);
		if (fflush(e->out) == EOF || code != CODE_DONE)
			return CODE_FAILED;
		if (!more)
			return CODE_DONE;
	}
}

/* A line that came in pieces is shown as one, unless another unit's comes between. */
static void end_unfinished(struct effctl *e, struct stream *stream)
{
	if (stream->unfinished)
		(void)fputc('\n', e->out);
	free(stream->unfinished);
	stream->unfinished = NULL;
}

/* It is no output: nobody who reads that shall take it for some. */
static void print_lost(struct effctl *e, const char *unit, int64_t bytes)
{
	(void)fflush(e->out);
	put_text(e->err, unit);
	(void)fprintf(e->err, ": %lld bytes of output are missing here, which came too fast\n",
		(long long)bytes);
}

static void print_line(struct effctl *e, struct stream *stream, const struct json *line)
{
	const char *unit = json_get_text(line, "unit", "?");
	bool goes_on = stream->unfinished && !strcmp(stream->unfinished, unit);
	int64_t lost = json_get_int(line, "lost_bytes", 0);

	if (lost > 0) {
		end_unfinished(e, stream);
		print_lost(e, unit, lost);
		return;
	}
	if (!goes_on) {
		end_unfinished(e, stream);
		if (e->given[OPTION_TIMES])
			(void)fprintf(e->out, "%s ", json_get_text(line, "at", "-"));
		if (stream->prefix) {
			put_text(e->out, unit);
			(void)fputs(" | ", e->out);
		}
	}
	if (!json_get_bool(line, "partial", false)) {
		free(stream->unfinished);
		stream->unfinished = NULL;
		put_line_end(e->out, json_get_text(line, "text", ""));
		return;
	}
	put_line_part(e->out, json_get_text(line, "text", ""));
	if (!goes_on)
		stream->unfinished = strdup(unit);
}

/* Whose lines are to come? A name says it only if one unit stands behind it. */
static enum code ask_prefix(struct effctl *e, bool *ret_prefix)
{
	struct reply reply;
	enum code code = call_ask(e, METHOD_STATUS, call_units(e), &reply);
	size_t n = 0;

	if (code != CODE_DONE)
		return code;
	for (const struct json *v = json_first(json_get(reply.parameters, "units")); v;
		v = json_next(v))
		n += strcmp(json_get_text(v, "kind", ""), "supervisor") != 0;
	*ret_prefix = n > 1;
	/* Not among the output. */
	if (!json_first(json_get(reply.parameters, "units")))
		put_units_have_none(e, e->err);
	reply_done(&reply);
	return CODE_DONE;
}

enum code c_logs(struct effctl *e)
{
	struct stream stream = {0};
	struct json *parameters;
	enum code code = e->given[OPTION_JSON] ? CODE_DONE : ask_prefix(e, &stream.prefix);

	if (code != CODE_DONE)
		return code;
	parameters = call_units(e);
	(void)json_set(parameters, "follow", json_bool(e->given[OPTION_FOLLOW]));
	if (e->n_lines >= 0)
		(void)json_set(parameters, "lines", json_int(e->n_lines));
	code = call_send_more(e, METHOD_LOGS, parameters);
	if (code == CODE_DONE)
		code = run_stream(e, &stream, print_line);
	end_unfinished(e, &stream);
	return code;
}

static void print_event(struct effctl *e, struct stream *stream, const struct json *event)
{
	const char *kind = json_get_text(event, "event", "?");
	const char *to = json_get_text(event, "to", NULL);
	int64_t pid = json_get_int(event, "pid", 0);
	struct text cause = {0};

	(void)stream;
	put_text(e->out, json_get_text(event, "at", "-"));
	(void)fputc(' ', e->out);
	put_text(e->out, json_get_text(event, "unit", "-"));
	(void)fputc(' ', e->out);
	if (to && !strcmp(kind, "state")) {
		put_text(e->out, json_get_text(event, "from", "?"));
		(void)fputs(e->utf8 ? " \u2192 " : " -> ", e->out);
		paint_text(e->out, state_paint(to), to, e->colour);
	} else {
		put_text(e->out, kind);
	}
	if (pid > 0)
		(void)fprintf(e->out, " (pid %lld)", (long long)pid);
	text_add(&cause, json_get_text(event, "text", ""));
	add_cause(&cause, json_get(event, "cause"));
	if (cause.len) {
		(void)fputs(": ", e->out);
		put_text(e->out, cause.bytes);
	}
	(void)fputc('\n', e->out);
	text_done(&cause);
}

enum code c_events(struct effctl *e)
{
	struct stream stream = {0};
	struct json *parameters = call_units(e);
	enum code code;

	learn_locale(e);
	(void)json_set(parameters, "follow", json_bool(e->given[OPTION_FOLLOW]));
	code = call_send_more(e, METHOD_EVENTS, parameters);
	return code == CODE_DONE ? run_stream(e, &stream, print_event) : code;
}
