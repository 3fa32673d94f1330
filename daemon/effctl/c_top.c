/* SPDX-License-Identifier: MIT */
/* `effctl top`: who runs, and what it takes. At a terminal that can be drawn on the table is drawn anew each second; elsewhere
 * it is printed once, when a second has shown what share of a processor each has had. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "effctl/call.h"
#include "effctl/columns.h"
#include "effctl/command.h"
#include "effctl/grid.h"
#include "effctl/screen.h"
#include "effctl/words.h"

#define PERIOD_S 1.0

struct sample {
	struct reply reply;
	bool is_there;
	double at_s; /* on a clock that only goes on */
};

struct row {
	const struct json *status;
	double cpu;    /* share of one processor; below 0: not known */
	double memory; /* bytes; below 0: not known */
	size_t place;  /* in the tree */
};

struct table {
	struct row *rows;
	size_t n, n_up, n_bad;
	double cpu, memory; /* of all */
};

static double now_s(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void sample_done(struct sample *sample)
{
	if (sample->is_there)
		reply_done(&sample->reply);
	sample->is_there = false;
}

static enum code sample_take(struct effctl *e, struct sample *sample)
{
	enum code code;

	call_renew(e);
	code = call_ask(e, METHOD_STATUS, call_units(e), &sample->reply);
	sample->is_there = code == CODE_DONE;
	sample->at_s = now_s();
	return code;
}

/* The same unit in the sample before: as a rule it stands where it stood. */
static const struct json *before_of(
	const struct sample *before, const struct json *status, const struct json **next)
{
	const char *name = json_get_text(status, "name", "");
	const struct json *all = json_get(before->reply.parameters, "units"), *found = *next;

	if (!before->is_there)
		return NULL;
	for (; found && strcmp(json_get_text(found, "name", ""), name) != 0;)
		found = json_next(found);
	for (found = found ? found : json_first(all);
		found && strcmp(json_get_text(found, "name", ""), name) != 0;)
		found = json_next(found);
	*next = found ? json_next(found) : *next;
	return found;
}

/* What another process has used before it is none of this one's. */
static double share_of(const struct json *status, const struct json *before, double seconds)
{
	double now = json_get_number(status, "cpu_s", -1);
	double then = json_get_number(before, "cpu_s", -1);
	int64_t pid = json_get_int(status, "pid", 0);

	if (!before || now < 0 || then < 0 || seconds <= 0 || pid != json_get_int(before, "pid", 0))
		return -1;
	return now > then ? (now - then) / seconds : 0;
}

static int by_use(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? 1 : -1;
	if (x->memory != y->memory)
		return x->memory < y->memory ? 1 : -1;
	return x->place < y->place ? -1 : 1;
}

static int by_memory(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->memory != y->memory)
		return x->memory < y->memory ? 1 : -1;
	return x->place < y->place ? -1 : 1;
}

static void table_add(struct table *t, const struct json *status, double cpu)
{
	const char *state = json_get_text(status, "state", "");
	double memory = json_get_number(status, "memory_bytes", -1);

	t->rows[t->n] = (struct row){.status = status, .cpu = cpu, .memory = memory, .place = t->n};
	t->n++;
	t->n_up += !strcmp(state, "up");
	t->n_bad += !strcmp(state, "failed") || !strcmp(state, "backoff");
	t->cpu += cpu > 0 ? cpu : 0;
	t->memory += memory > 0 ? memory : 0;
}

/* Supervisors use nothing themselves. Returns 0 or -ENOMEM. */
static int table_make(
	struct table *t, const struct sample *before, const struct sample *now, int order)
{
	const struct json *units = json_get(now->reply.parameters, "units");
	const struct json *next = json_first(json_get(before->reply.parameters, "units"));
	double seconds = now->at_s - before->at_s;

	*t = (struct table){.rows = calloc(json_count(units) + 1, sizeof(*t->rows))};
	if (!t->rows)
		return -ENOMEM;
	for (const struct json *v = json_first(units); v; v = json_next(v))
		if (strcmp(json_get_text(v, "kind", ""), "supervisor") != 0)
			table_add(t, v, share_of(v, before_of(before, v, &next), seconds));
	if (order != 't')
		qsort(t->rows, t->n, sizeof(*t->rows), order == 'm' ? by_memory : by_use);
	return 0;
}

static void add_row(struct grid *grid, const struct row *row)
{
	const char *state = json_get_text(row->status, "state", "?");
	int64_t pid = json_get_int(row->status, "pid", 0);
	struct text text = {0};

	grid_add(grid, PLAIN, json_get_text(row->status, "name", "?"));
	grid_add(grid, state_paint(state), state);
	if (pid > 0)
		text_printf(&text, "%lld", (long long)pid);
	grid_add_built(grid, &text);
	if (row->cpu >= 0)
		text_printf(&text, "%.1f%%", row->cpu * 100);
	grid_add_built(grid, &text);
	if (row->memory >= 0)
		add_bytes(&text, row->memory);
	grid_add_built(grid, &text);
	text_printf(&text, "%lld", (long long)json_get_int(row->status, "restarts", 0));
	grid_add_built(grid, &text);
	add_seconds(&text, json_get_number(row->status, "uptime_s", -1));
	grid_add_built(grid, &text);
	add_remark(&text, row->status);
	grid_add_built(grid, &text);
}

static int table_print(struct effctl *e, const struct table *t, size_t most, unsigned width)
{
	static const char *const titles[] = {
		"UNIT", "STATE", "PID", "CPU", "MEMORY", "RESTARTS", "UPTIME", "CAUSE"};
	static const unsigned char spared[] = {5, 6, 2, 4, 0};
	struct grid grid;
	int r;

	grid_init(&grid, 8, titles);
	grid.spared = spared;
	for (size_t i = 0; i < t->n && i < most; i++)
		add_row(&grid, &t->rows[i]);
	r = grid_print(&grid, e->out, width, e->colour);
	grid_done(&grid);
	return r;
}

/* `width` 0: as wide as it gets. Takes the text. */
static void put_line(struct effctl *e, struct text *line, unsigned width)
{
	if (width && line->bytes)
		text_cut(line->bytes, width);
	(void)fprintf(e->out, "%s\n", line->bytes ? line->bytes : "?");
	text_done(line);
}

static void put_summary(struct effctl *e, const struct table *t, unsigned width)
{
	struct text line = {0};

	text_printf(&line, "%zu units: %zu up, %zu in trouble; CPU %.1f%%, memory ", t->n,
		t->n_up, t->n_bad, t->cpu * 100);
	add_bytes(&line, t->memory);
	put_line(e, &line, width);
}

static void put_keys(struct effctl *e, unsigned width)
{
	struct text line = {0};

	text_add(&line, "keys: c by CPU, m by memory, t as in the tree, q to end");
	put_line(e, &line, width);
}

/* Two samples that are a period apart; `keys` decide in which order, or that it is enough. */
struct watch {
	struct effctl *e;
	struct screen screen;
	struct sample before, now;
	int order; /* c, m or t */
};

static enum code watch_draw(struct watch *w)
{
	struct table table;
	int r = table_make(&table, &w->before, &w->now, w->order);

	if (r == 0) {
		screen_begin(&w->screen);
		put_summary(w->e, &table, w->screen.columns);
		put_keys(w->e, w->screen.columns);
		r = table_print(w->e, &table, w->screen.rows > 4 ? w->screen.rows - 4 : 1,
			w->screen.columns);
		screen_show(&w->screen);
	}
	free(table.rows);
	return r < 0 ? out_of_memory(w->e) : CODE_DONE;
}

/* Until the next sample is due. Returns whether to go on. */
static bool watch_keys(struct watch *w, enum code *ret_code)
{
	double until = w->now.at_s + PERIOD_S, left;

	while ((left = until - now_s()) > 0 && *ret_code == CODE_DONE) {
		int key = screen_key(&w->screen, left);

		if (key < 0 || key == 'q')
			return false;
		if (key == 'c' || key == 'm' || key == 't') {
			w->order = key;
			*ret_code = watch_draw(w);
		}
	}
	return *ret_code == CODE_DONE;
}

static enum code watch(struct watch *w)
{
	enum code code;

	do {
		struct sample old = w->before;

		w->before = w->now;
		sample_done(&old);
		code = sample_take(w->e, &w->now);
		if (code == CODE_DONE)
			code = watch_draw(w);
	} while (code == CODE_DONE && watch_keys(w, &code));
	return code;
}

/* What is complained about is said when the terminal is as it was. */
static enum code watch_run(struct effctl *e)
{
	struct watch w = {.e = e, .order = 'c'};
	char *said = NULL;
	size_t len = 0;
	FILE *err = e->err, *held = open_memstream(&said, &len);
	enum code code;

	if (!held)
		return out_of_memory(e);
	e->err = held;
	screen_open(&w.screen, e->out);
	code = watch(&w);
	screen_close(&w.screen);
	e->err = err;
	(void)fclose(held);
	(void)fputs(said ? said : "", err);
	free(said);
	sample_done(&w.before);
	sample_done(&w.now);
	return code;
}

static struct json *document_of(const struct table *t)
{
	struct json *document = json_object(), *units = json_array();

	for (size_t i = 0; i < t->n; i++) {
		struct json *unit = json_copy(t->rows[i].status);

		(void)json_set(unit, "cpu_percent",
			t->rows[i].cpu < 0 ? json_null() : json_number(t->rows[i].cpu * 100));
		(void)json_add(units, unit);
	}
	(void)json_set(document, "units", units);
	return document;
}

static enum code print_once(struct effctl *e, const struct sample *before, const struct sample *now)
{
	enum code code = CODE_DONE;
	struct json *document;
	struct table table;

	if (table_make(&table, before, now, 'c') < 0)
		return out_of_memory(e);
	if (e->given[OPTION_JSON]) {
		document = document_of(&table);
		code = put_json(e, document);
		json_free(document);
	} else {
		put_summary(e, &table, e->width);
		if (table_print(e, &table, table.n, e->width) < 0)
			code = out_of_memory(e);
	}
	free(table.rows);
	return code;
}

static enum code once(struct effctl *e)
{
	struct sample before = {0}, now = {0};
	enum code code = sample_take(e, &before);

	if (code == CODE_DONE) {
		(void)nanosleep(&(struct timespec){.tv_sec = (time_t)PERIOD_S}, NULL);
		code = sample_take(e, &now);
	}
	if (code == CODE_DONE)
		code = print_once(e, &before, &now);
	sample_done(&before);
	sample_done(&now);
	return code;
}

enum code c_top(struct effctl *e)
{
	return e->terminal && !e->dumb && !e->given[OPTION_JSON] ? watch_run(e) : once(e);
}
