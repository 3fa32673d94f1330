/* SPDX-License-Identifier: MIT */
/* `effctl status`: a table of units, or of a single one all that is known and its last output. */
#include <string.h>

#include "effctl/call.h"
#include "effctl/command.h"
#include "effctl/grid.h"
#include "effctl/words.h"

#define LAST_LINES 10

/* What a row shows. */
enum shown { NAME, STATE, HEALTH, PID, UPTIME, RESTARTS, NEXT, SAID, CAUSE, LAST, N_SHOWN };

static void look(struct json_piece unit, struct json_piece shown[static N_SHOWN])
{
	static const char *const keys[N_SHOWN] = {[NAME] = "name",
		[STATE] = "state",
		[HEALTH] = "health",
		[PID] = "pid",
		[UPTIME] = "uptime_s",
		[RESTARTS] = "restarts",
		[NEXT] = "next_start_s",
		[SAID] = "status_text",
		[CAUSE] = "cause",
		[LAST] = "last_exit"};
	struct json_piece inside = piece_inside(unit), key, value;

	while (piece_next(&inside, &key, &value))
		for (int i = 0; i < N_SHOWN; i++)
			if (piece_is(key, keys[i])) {
				shown[i] = value;
				break;
			}
}

static void add_text(struct grid *grid, struct json_piece piece)
{
	struct text text = {0};

	piece_add(&text, piece);
	if (!text.len)
		text_add(&text, "?");
	grid_add_built(grid, &text);
}

static void add_state(struct grid *grid, struct json_piece piece, bool failing)
{
	struct text text = {0};
	enum paint paint;

	piece_add(&text, piece);
	if (!text.len)
		text_add(&text, "?");
	paint = failing || !text.bytes ? BAD : state_paint(text.bytes);
	text_add(&text, failing ? " (failing)" : "");
	grid->failed |= text.failed;
	grid_add(grid, paint, text.bytes ? text.bytes : "");
	text_done(&text);
}

static void add_count(struct grid *grid, struct json_piece piece, double least)
{
	double count = piece_number(piece);
	struct text text = {0};

	if (count >= least && count < 1e18)
		text_printf(&text, "%lld", (long long)count);
	grid_add_built(grid, &text);
}

/* Most have nothing to say. */
static void add_remarks(struct grid *grid, struct json_piece unit,
	const struct json_piece shown[static N_SHOWN])
{
	bool has = false;
	struct text text = {0};
	struct json *status;

	for (int i = NEXT; i < N_SHOWN; i++)
		has |= !piece_is_null(shown[i]);
	status = has ? piece_read(unit) : NULL;
	grid->failed |= has && !status;
	if (status)
		add_remark(&text, status);
	json_free(status);
	grid_add_built(grid, &text);
}

static void add_row(struct grid *grid, struct json_piece unit)
{
	struct json_piece shown[N_SHOWN] = {{0}};
	struct text text = {0};

	look(unit, shown);
	add_text(grid, shown[NAME]);
	add_state(grid, shown[STATE], piece_is(shown[HEALTH], "failing"));
	add_count(grid, shown[PID], 1);
	add_seconds(&text, piece_number(shown[UPTIME]));
	grid_add_built(grid, &text);
	add_count(grid, shown[RESTARTS], 0);
	add_remarks(grid, unit, shown);
}

static enum code print_table(struct effctl *e, struct json_piece units)
{
	static const char *const titles[] = {"UNIT", "STATE", "PID", "UPTIME", "RESTARTS", "CAUSE"};
	struct json_piece inside = piece_inside(units), key, unit;
	struct grid grid;
	int r;

	grid_init(&grid, 6, titles);
	while (piece_next(&inside, &key, &unit))
		add_row(&grid, unit);
	r = grid_print(&grid, e->out, e->width, e->colour);
	grid_done(&grid);
	return r < 0 ? out_of_memory(e) : CODE_DONE;
}

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

/* A unit without output, or a user who may not see it, is no failure of status. */
static void put_output(struct effctl *e, const char *unit)
{
	struct json *parameters = json_object();
	struct json *units = json_array();
	struct reply reply;
	bool more = true;

	(void)json_add(units, json_text(unit));
	(void)json_set(parameters, "units", units);
	(void)json_set(parameters, "lines", json_int(LAST_LINES));
	if (call_send_more(e, METHOD_LOGS, parameters) != CODE_DONE)
		return;
	link_limit(&e->link, ANSWER_TIMEOUT_S);
	while (more && link_receive(&e->link, &reply) > 0) {
		const char *line = json_get_text(reply.parameters, "text", NULL);

		if (line && !reply.error) {
			(void)fputs("  | ", e->out);
			put_text(e->out, line);
			(void)fputc('\n', e->out);
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

/* Up, done, or resting until its schedule or until somebody comes. */
static bool is_well(const struct json *status)
{
	const char *state = json_get_text(status, "state", "");

	if (!strcmp(state, "waiting"))
		return json_get_number(status, "next_start_s", -1) >= 0 ||
			json_get_bool(json_first(json_get(status, "sockets")), "activates", false);
	return !strcmp(state, "up") || !strcmp(state, "done");
}

/* Of those that were asked for. */
static enum code wellness(struct effctl *e, struct json_piece units)
{
	struct json_piece inside = piece_inside(units), key, unit;
	enum code code = CODE_DONE;

	while (e->n_units && code == CODE_DONE && piece_next(&inside, &key, &unit)) {
		struct json *status = piece_read(unit);

		if (!status)
			code = out_of_memory(e);
		else if (!is_well(status))
			code = CODE_NOT_UP;
		json_free(status);
	}
	return code;
}

/* The one unit of an answer; none if there are others. */
static struct json_piece only_unit(struct json_piece units)
{
	struct json_piece inside = piece_inside(units), key, first, second;

	(void)piece_next(&inside, &key, &first);
	return piece_next(&inside, &key, &second) ? (struct json_piece){0} : first;
}

enum code c_status(struct effctl *e)
{
	struct json_piece parameters, units, only;
	struct json *whole = NULL;
	enum code code = call_ask_piece(e, METHOD_STATUS, call_units(e), &parameters), well;

	if (code != CODE_DONE)
		return code;
	units = piece_get(parameters, "units");
	/* What is asked for next takes the text's place. */
	well = wellness(e, units);
	only = e->n_units == 1 ? only_unit(units) : (struct json_piece){0};
	if (!e->given[OPTION_JSON] && !only.len) {
		code = print_table(e, units);
	} else {
		whole = piece_read(e->given[OPTION_JSON] ? parameters : only);
		if (!whole)
			code = out_of_memory(e);
		else
			code = e->given[OPTION_JSON] ? put_json(e, whole) : print_one(e, whole);
	}
	json_free(whole);
	return code == CODE_DONE ? well : code;
}
