/* SPDX-License-Identifier: MIT */
/* Output: what a unit writes. Each stream has a reader, a fiber that takes what is there, puts whole lines into the ring and
 * hands the bytes on: to a file as they are, to effd's own stdout line by line behind the unit's name. A file that takes no
 * more costs lines, counted and told once a minute, never the unit. A stdout that takes no more makes the unit wait, as it
 * would without effd. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "unit/internal.h"

#define CHUNK 16384
#define TELL_EVERY EFF_S(60)

struct pump {
	struct eff_fiber *fiber;
	struct unit *unit;
	struct os_child *process;
	enum os_stream stream;
	struct text line; /* the beginning of a line whose end has not come */
	struct text out;  /* for effd's stdout, not yet taken */
	struct os_file *file;
	char *path;     /* of the file; NULL: none is open */
	eff_ns told_at; /* of the last word about lost output */
	uint64_t lost;  /* since then */
};

static void ring_line(
	struct unit *u, const char *text, size_t len, enum os_stream stream, bool partial)
{
	struct ring_line line = {.number = u->world->next_line++,
		.wall_at = eff_wall(),
		.text = text,
		.len = (uint32_t)len,
		.stream = (uint8_t)stream,
		.partial = partial};

	probe_see_line(u, text, len);
	if (!u->ring)
		u->ring = ring_new(u->spec->ring_bytes);
	if (u->ring)
		ring_add(u->ring, &line);
	eff_pulse_send(&u->world->output);
}

static const struct plan_log_target *pump_target(const struct pump *p)
{
	const struct plan_unit *spec = p->unit->spec;

	return p->stream == OS_STDOUT || spec->err.kind == PLAN_LOG_STDOUT ? &spec->out
									   : &spec->err;
}

static void pump_emit(struct pump *p, const char *text, size_t len, bool partial)
{
	ring_line(p->unit, text, len, p->stream, partial);
	if (pump_target(p)->kind != PLAN_LOG_INHERIT)
		return;
	text_printf(&p->out, "%s | ", p->unit->name);
	text_add_bytes(&p->out, text, len);
	text_add(&p->out, "\n");
}

/* Cut `bytes` into lines; a line longer than max_line goes out in pieces. */
static void pump_split(struct pump *p, const char *bytes, size_t len)
{
	size_t most = p->unit->spec->max_line_bytes;

	while (len > 0) {
		const char *newline = memchr(bytes, '\n', len);
		size_t n = newline ? (size_t)(newline - bytes) : len;
		bool cut = p->line.len + n > most;

		if (cut)
			n = most - p->line.len;
		text_add_bytes(&p->line, bytes, n);
		if (newline || cut) {
			pump_emit(p, p->line.len ? p->line.bytes : "", p->line.len, cut);
			p->line.len = 0;
		}
		n += newline && !cut;
		bytes += n;
		len -= n;
	}
}

static void pump_lose(struct pump *p, size_t bytes, int error)
{
	char text[256];
	struct text words = {0};

	p->unit->log_lost_bytes += bytes;
	p->lost += bytes;
	if (p->told_at >= 0 && eff_now() - p->told_at < TELL_EVERY)
		return;
	text_printf(&words, "%llu bytes lost: cannot write %s: %s", (unsigned long long)p->lost,
		p->path ? p->path : "the log", strerror(error));
	(void)strncpy(text, words.bytes ? words.bytes : "output lost", sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	text_done(&words);
	p->told_at = eff_now();
	p->lost = 0;
	p->unit->world->hooks->on_event(p->unit, "log_lost", text);
}

static char *pump_path(const struct pump *p, const struct plan_log_target *target)
{
	struct text path = {0};

	if (target->path)
		text_add(&path, target->path);
	else
		text_printf(&path, "%s/%s.log",
			p->unit->world->log_dir ? p->unit->world->log_dir : ".", p->unit->name);
	if (path.failed) {
		text_done(&path);
		return NULL;
	}
	return path.bytes;
}

static void pump_close_file(struct pump *p)
{
	if (p->file)
		p->unit->world->os->ops->close_log(p->file);
	p->file = NULL;
	free(p->path);
	p->path = NULL;
}

/* The file that the unit's row names now is open, or it is said why not. */
static int pump_open_file(struct pump *p, const struct plan_log_target *target)
{
	struct os *os = p->unit->world->os;
	char *path = pump_path(p, target);

	if (!path)
		return -ENOMEM;
	if (p->file && strcmp(path, p->path) == 0) {
		free(path);
		return 0;
	}
	pump_close_file(p);
	p->path = path;
	return os->ops->open_log(os, path, &p->file);
}

static void pump_to_file(struct pump *p, const char *bytes, size_t len)
{
	const struct plan_log_target *target = pump_target(p);
	int r;

	if (target->kind != PLAN_LOG_FILE) {
		pump_close_file(p);
		return;
	}
	r = pump_open_file(p, target);
	if (r == 0)
		r = p->unit->world->os->ops->append(p->file, bytes, len);
	if (r < 0)
		pump_lose(p, len, -r);
}

/* Hand what is due to effd's stdout; while that takes no more, wait and try again. Suspends. */
static int pump_flush(struct pump *p)
{
	struct os *os = p->unit->world->os;
	eff_ns pause = EFF_MS(1);
	int r = 0;

	if (p->out.failed)
		pump_lose(p, p->out.len, ENOMEM);
	while (p->out.len > 0 && !p->out.failed) {
		r = os->ops->write_stdout(os, p->out.bytes, p->out.len);
		if (r != -EAGAIN)
			break;
		r = eff_sleep(pause);
		if (r < 0)
			break;
		pause = pause < EFF_MS(50) ? pause * 2 : pause;
	}
	if (r < 0)
		pump_lose(p, p->out.len, -r);
	p->out.len = 0;
	p->out.failed = false;
	return r == -ECANCELED ? r : 0;
}

static void pump_free(struct pump *p)
{
	pump_close_file(p);
	text_done(&p->line);
	text_done(&p->out);
	free(p);
}

/* Every reader reads into the same buffer: between the read and the copying of what came nobody else runs. */
static _Thread_local char chunk[CHUNK];

static eff_exit pump_run(void *arg)
{
	struct pump *p = arg;
	const struct os_ops *ops = p->unit->world->os->ops;
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = ops->read(p->process, p->stream, chunk, sizeof(chunk))) > 0) {
		pump_split(p, chunk, (size_t)n);
		pump_to_file(p, chunk, (size_t)n);
		r = pump_flush(p);
	}
	if (p->line.len > 0)
		pump_emit(p, p->line.bytes, p->line.len, false);
	(void)pump_flush(p);
	return eff_ok(NULL);
}

int pump_start(const struct pump_spec *spec, struct pump **ret_pump)
{
	struct pump *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	*p = (struct pump){
		.unit = spec->unit, .process = spec->process, .stream = spec->stream, .told_at = -1};
	r = eff_fork_in(spec->scope, EFF_NAMED(spec->unit->name, pump_run, p), &p->fiber);
	if (r < 0) {
		pump_free(p);
		return r;
	}
	*ret_pump = p;
	return 0;
}

int pump_await(struct pump *p)
{
	return p ? eff_await(p->fiber, NULL) : 0;
}

void pump_stop(struct pump *p)
{
	if (!p)
		return;
	(void)eff_interrupt(p->fiber, NULL);
	eff_fiber_unref(p->fiber);
	pump_free(p);
}

/* A fiber's line goes to its file at once: nothing is kept open for the few that there are. */
static void line_to_file(struct unit *u, const char *line, size_t len)
{
	struct pump p = {.unit = u, .stream = OS_STDOUT, .told_at = -1};
	struct text out = {0};

	text_add_bytes(&out, line, len);
	text_add(&out, "\n");
	if (!out.failed)
		pump_to_file(&p, out.bytes, out.len);
	text_done(&out);
	pump_close_file(&p);
}

void output_line(struct unit *u, const char *line, size_t len)
{
	struct os *os = u->world->os;
	struct text out = {0};

	ring_line(u, line, len, OS_STDOUT, false);
	if (u->spec->out.kind == PLAN_LOG_FILE)
		line_to_file(u, line, len);
	if (u->spec->out.kind != PLAN_LOG_INHERIT)
		return;
	text_printf(&out, "%s | ", u->name);
	text_add_bytes(&out, line, len);
	text_add(&out, "\n");
	/* A fiber's word is not worth holding the loop for. */
	if (out.failed || os->ops->write_stdout(os, out.bytes, out.len) < 0)
		u->log_lost_bytes += len;
	text_done(&out);
}
