/* SPDX-License-Identifier: MIT */
/* Output: where what a unit writes goes. Whole lines go into the ring, the bytes as they are, or line by line with the time or as
 * JSON, to a file, or line by line to effd's own stdout behind the unit's name. What a full disk does not take is lost, counted
 * and told once a minute: the unit does not wait for it. A stdout that takes no more makes the unit wait, as it would without
 * effd, and so does a disk that does not answer. Of more than the ring can hold only the end is cut into lines, where nobody but
 * the ring wants them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "unit/internal.h"

#define TELL_EVERY EFF_S(60)

/* What no syslogd cuts: theirs is 8 KiB, with what comes before the text. */
enum { SYSLOG_MOST = 7680 };

const struct plan_log_target *sink_target(const struct sink *k)
{
	const struct plan_unit *spec = k->unit->spec;

	return k->stream == OS_STDOUT || spec->err.kind == PLAN_LOG_STDOUT ? &spec->out
									   : &spec->err;
}

static bool is_record(enum plan_log_kind kind)
{
	return kind == PLAN_LOG_SYSLOG || kind == PLAN_LOG_JOURNAL;
}

/* Does where it goes get lines, and not the bytes as they are? */
static bool wants_lines(const struct sink *k)
{
	const struct plan_unit *spec = k->unit->spec;
	enum plan_log_kind kind = sink_target(k)->kind;

	if (kind == PLAN_LOG_FILE)
		return spec->ways->timestamps || spec->ways->format == PLAN_JSON;
	return kind == PLAN_LOG_INHERIT || is_record(kind);
}

/* Does anybody see each of its lines: where they go, a probe that waits for one, a client that follows? */
static bool wants_every_line(const struct sink *k)
{
	const struct unit *u = k->unit;

	return k->by_line || probe_awaits_line(u) || !eff_list_empty(&u->world->output.waiters);
}

/* What a fiber loses is told once a minute too, and its sink and its file may be gone after each line. */
static struct losses *losses_of(struct unit *u, struct losses *losses)
{
	return u->spec->kind == PLAN_FIBER ? &u->losses : losses;
}

void losses_add(struct losses *losses, struct unit *u, size_t bytes, const struct loss *loss)
{
	struct text words = {0};

	losses = losses_of(u, losses);
	u->log_lost_bytes += bytes;
	losses->bytes += bytes;
	if (losses->told_at >= 0 && eff_now() - losses->told_at < TELL_EVERY)
		return;
	text_printf(&words, "%llu bytes lost: cannot write %s: %s",
		(unsigned long long)losses->bytes, loss->where, loss->why);
	losses->told_at = eff_now();
	losses->bytes = 0;
	u->world->hooks->on_event(u, "log_lost", words.bytes ? words.bytes : "output lost");
	text_done(&words);
}

void losses_over(struct losses *losses, struct unit *u, const char *where)
{
	struct text words = {0};

	losses = losses_of(u, losses);
	if (losses->bytes == 0 || (losses->over_at >= 0 && eff_now() - losses->over_at < TELL_EVERY))
		return;
	text_printf(&words, "%llu more bytes lost before %s could be written again; %llu in all",
		(unsigned long long)losses->bytes, where, (unsigned long long)u->log_lost_bytes);
	losses->over_at = eff_now();
	losses->bytes = 0;
	u->world->hooks->on_event(u, "log_lost", words.bytes ? words.bytes : "output lost");
	text_done(&words);
}

/* If there was no memory for what was added to a text, that is lost, and the text as it was. */
static void sink_spill(struct sink *k, struct text *text, size_t before, size_t bytes)
{
	if (!text->failed)
		return;
	text->failed = false;
	text->len = before;
	if (bytes)
		sink_lose(k, bytes, ENOMEM);
}

/* What is longer than the ring comes in pieces, too. */
static void ring_line(const struct sink *k, const char *text, size_t len, bool partial)
{
	struct unit *u = k->unit;
	struct ring_line line = {
		.wall_at = k->taken_at, .run = (uint16_t)u->starts, .stream = (uint8_t)k->stream};
	size_t most;

	probe_see_line(u, text, len);
	if (!u->ring)
		u->ring = ring_new(u->spec->ways->ring_bytes);
	most = ring_part(u->ring, len);
	do {
		size_t part = len < most ? len : most;

		len -= part;
		line.number = u->world->next_line++;
		line.text = text;
		line.len = (uint32_t)part;
		line.partial = partial || len > 0;
		if (u->ring)
			ring_add(u->ring, &line);
		text += part;
	} while (len > 0);
	eff_pulse_send(&u->world->output);
}

static void sink_emit(struct sink *k, const char *text, size_t len, bool partial)
{
	bool is_file = sink_target(k)->kind == PLAN_LOG_FILE;
	size_t before = k->out.len;
	struct line line = {.text = text,
		.len = len,
		.partial = partial,
		.goes_on = is_file && k->mid_line,
		.is_file = is_file,
		.is_json = k->unit->spec->ways->format == PLAN_JSON};

	ring_line(k, text, len, partial);
	/* Without what comes before it, it is no line. */
	k->out.failed |= k->by_line && k->head.failed;
	if (k->by_line && is_record(sink_target(k)->kind))
		k->priority = record_add(&k->out, &line, k->mid_line ? k->priority : -1, k->stream);
	else if (k->by_line)
		line_add(&k->out, &k->head, &line);
	sink_spill(k, &k->out, before, len);
	k->mid_line = partial;
}

/* What has no end yet. In the ring, which keeps no more than it can, nothing is missed. */
static void sink_keep(struct sink *k, const char *bytes, size_t len)
{
	size_t before = k->line.len;

	text_add_bytes(&k->line, bytes, len);
	sink_spill(k, &k->line, before, k->by_line ? len : 0);
}

/* The last bytes of a line, which as a rule are all of it. */
static void sink_end_line(struct sink *k, const char *bytes, size_t len, bool cut)
{
	if (k->line.len == 0) {
		sink_emit(k, bytes, len, cut);
		return;
	}
	sink_keep(k, bytes, len);
	sink_emit(k, k->line.bytes, k->line.len, cut);
	k->line.len = 0;
}

/* Cut `bytes` into lines; a line longer than max_line goes out in pieces. What is kept of one may be longer already: the bound may
 * have been another then. */
static void sink_split(struct sink *k, const char *bytes, size_t len)
{
	size_t most = k->unit->spec->ways->max_line_bytes;

	if (sink_target(k)->kind == PLAN_LOG_SYSLOG && most > SYSLOG_MOST)
		most = SYSLOG_MOST;
	while (len > 0) {
		const char *newline = memchr(bytes, '\n', len);
		size_t n = newline ? (size_t)(newline - bytes) : len;
		size_t room = k->line.len < most ? most - k->line.len : 0;
		bool cut = n > room;

		if (cut)
			n = room;
		if (newline || cut)
			sink_end_line(k, bytes, n, cut);
		else
			sink_keep(k, bytes, n);
		n += newline && !cut;
		bytes += n;
		len -= n;
	}
}

void unit_log_path(const struct unit *u, const struct plan_log_target *target, struct text *to)
{
	if (target->path)
		text_add(to, target->path);
	else
		text_printf(to, "%s/%s.log", u->world->log_dir ? u->world->log_dir : ".", u->name);
}

static void sink_close_file(struct sink *k)
{
	logfile_put(k->file);
	k->file = NULL;
}

/* Take the file that the unit's row names now. */
static int sink_take_file(struct sink *k, const struct plan_log_target *target)
{
	struct logfile *before = k->file;
	struct text path = {0};
	int r = 0;

	unit_log_path(k->unit, target, &path);
	if (!path.failed)
		path_tidy(path.bytes); /* however it is spelt: two that put aside one file get in each other's way */
	if (path.failed) {
		r = -ENOMEM;
	} else if (!before || strcmp(path.bytes, logfile_path(before)) != 0) {
		k->file = logfile_get(k->unit->world, path.bytes);
		logfile_put(before);
		r = k->file ? 0 : -ENOMEM;
	}
	text_done(&path);
	return r;
}

int sink_file_take(struct sink *k, const char *bytes, size_t len)
{
	int r = sink_take_file(k, sink_target(k));

	if (r == 0)
		r = logfile_add(k->file, k->unit, bytes, len);
	if (r == 0)
		k->file_mid_line = bytes[len - 1] != '\n';
	return r;
}

/* What it does not take at once waits. */
static void sink_to_file(struct sink *k, const char *bytes, size_t len)
{
	size_t from = sink_skip(k, bytes, len);
	int r = 0;

	bytes += from;
	len -= from;
	if (len > 0)
		r = k->out.len > 0 ? -EAGAIN : sink_file_take(k, bytes, len);
	if (r == -EAGAIN)
		text_add_bytes(&k->out, bytes, len);
	if (r == -EAGAIN && k->out.failed)
		r = -ENOMEM;
	if (r < 0 && r != -EAGAIN)
		sink_lose(k, len, -r);
	k->out.failed = false;
}

/* The lines that are for a file are given to it at once. */
static void sink_lines_to_file(struct sink *k)
{
	int r = 0;

	if (sink_target(k)->kind == PLAN_LOG_FILE && k->out.len > 0)
		r = sink_try(k);
	if (r == 0 || r == -EAGAIN)
		return;
	sink_lose(k, k->out.len, -r);
	k->out.len = 0;
}

char *sink_room(struct sink *k, size_t *most)
{
	bool is_raw = sink_target(k)->kind == PLAN_LOG_FILE && !k->by_line && !wants_lines(k);

	if (!is_raw || k->out.len > 0 || k->skips || sink_take_file(k, sink_target(k)) < 0)
		return NULL;
	return logfile_room(k->file, most);
}

bool sink_is_full(const struct sink *k)
{
	return k->out.len > 0 || (k->file && logfile_is_full(k->file));
}

void sink_done(struct sink *k)
{
	sink_close_file(k);
	text_done(&k->line);
	text_done(&k->head);
	text_done(&k->out);
}

/* How much of the end of `bytes` the ring may keep, from the beginning of a line on. */
static size_t ring_worth(size_t limit, const char *bytes, size_t len)
{
	const char *from = len > limit ? bytes + (len - limit) : NULL;
	const char *newline = from ? memchr(from, '\n', limit) : NULL;

	return newline ? len - (size_t)(newline + 1 - bytes) : len;
}

void sink_init(struct sink *k, struct unit *u, enum os_stream stream)
{
	*k = (struct sink){.unit = u, .stream = stream, .losses = {.told_at = -1, .over_at = -1}};
}

/* Lines from here on have one time, and one head. */
static void sink_begin(struct sink *k)
{
	bool is_file = sink_target(k)->kind == PLAN_LOG_FILE;

	k->taken_at = eff_wall();
	if (!is_file)
		sink_close_file(k);
	if (k->by_line)
		line_head(&k->head, k->unit, k->stream, is_file);
}

static void sink_take_part(struct sink *k, const char *bytes, size_t len)
{
	size_t skipped = 0;

	sink_begin(k);
	if (!wants_every_line(k))
		skipped = len - ring_worth(k->unit->spec->ways->ring_bytes, bytes, len);
	if (skipped) {
		k->line.len = 0;
		k->mid_line = false;
	}
	sink_split(k, bytes + skipped, len - skipped);
	/* Last, for they may be in its buffer, which is its own from then on. */
	if (!k->by_line && sink_target(k)->kind == PLAN_LOG_FILE)
		sink_to_file(k, bytes, len);
	sink_lines_to_file(k);
}

void sink_take(struct sink *k, const char *bytes, size_t len)
{
	bool by_line = wants_lines(k);
	size_t rest = 0;

	/* A line that was begun before a reload changed it is one line, not two halves. */
	if (by_line != k->by_line && (k->line.len > 0 || k->mid_line)) {
		const char *newline = memchr(bytes, '\n', len);

		rest = newline ? (size_t)(newline + 1 - bytes) : len;
		sink_take_part(k, bytes, rest);
		if (!newline)
			return;
	}
	k->by_line = by_line;
	if (rest < len)
		sink_take_part(k, bytes + rest, len - rest);
}

void sink_end(struct sink *k)
{
	if (k->line.len > 0) {
		sink_begin(k);
		sink_emit(k, k->line.bytes, k->line.len, false);
		sink_lines_to_file(k);
	}
	k->line.len = 0;
}

void sink_rest(struct sink *k)
{
	if (k->line.len == 0)
		text_done(&k->line);
	if (k->out.len == 0)
		text_done(&k->out);
	text_done(&k->head);
	if (k->file)
		logfile_rest(k->file);
}

/* A fiber's line goes where it goes at once: nothing is kept open for the few that there are, nor is the loop held. */
void output_line(struct unit *u, const char *line, size_t len)
{
	struct sink k;
	int r;

	sink_init(&k, u, OS_STDOUT);
	k.by_line = wants_lines(&k);
	sink_begin(&k);
	sink_emit(&k, line, len, false);
	if (!k.by_line && u->spec->out.kind == PLAN_LOG_FILE) {
		text_add_bytes(&k.out, line, len);
		text_add(&k.out, "\n");
		sink_spill(&k, &k.out, 0, len);
	}
	sink_lines_to_file(&k);
	r = k.out.len > 0 ? sink_try(&k) : 0;
	if (r < 0)
		sink_lose(&k, len, -r);
	sink_done(&k);
}
