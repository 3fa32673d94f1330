/* SPDX-License-Identifier: MIT */
/* Log files as they are written, on a thread: one for each path, whoever writes to it, so that it is put aside once and for all of them.
 * That happens between two lines, before the one that would make it too large, or the first of a new period; a line that is
 * longer than max_line may be cut where it is cut elsewhere too. What is lost of a line takes the rest of it along, so that no
 * half is left for the next one to go on with. Where it cannot be done the file is written on, which is
 * said, and tried again a minute later. */
#include <errno.h>
#include <string.h>

#include "unit/logs.h"

#define TRY_EVERY EFF_S(60)
/* 1970 began on a Thursday; weeks begin on Mondays. */
#define BEFORE_MONDAY (3 * EFF_H(24))

/* A file is written to for this unit, at this instant. */
struct turn {
	struct os *os;
	struct logfile *f;
	struct log_part *part;
	eff_ns now, wall;
};

static eff_ns period_of(eff_ns wall_at, eff_ns every)
{
	return eff_ns_add(wall_at, BEFORE_MONDAY) / every;
}

/* What a file system says may be some ms before what is now, and after it where it takes its time: so it is asked only of what
 * others have written. */
static eff_ns written_at(const struct turn *t, const struct os_log_look *look)
{
	return look->size == t->f->left_bytes ? t->f->left_at : look->written_at;
}

static bool period_is_over(const struct turn *t, const struct os_log_look *look)
{
	eff_ns every = t->part->rotate.every_ns;

	return every > 0 && look->size > 0 &&
		period_of(written_at(t, look), every) < period_of(t->wall, every);
}

/* How much of it may be appended before the file is to be put aside; 0: that comes first. */
static size_t room_of(const struct turn *t, const struct os_log_look *look, size_t len)
{
	const struct plan_rotate *rotate = &t->part->rotate;

	if (!look->regular || t->now < t->f->not_before)
		return len;
	if (t->f->is_due)
		return 0;
	if (rotate->size_bytes == 0 || look->size + len <= rotate->size_bytes)
		return len;
	return look->size < rotate->size_bytes ? rotate->size_bytes - look->size : 0;
}

/* How much of `bytes`, of which `room` are no end of a line, goes on with the line that was begun, or begins the first one: up to
 * where it is cut for the last time within the room, or else to its end or where it is cut first. */
static size_t line_share(const struct turn *t, const char *bytes, size_t len, size_t room)
{
	size_t max_line = t->part->max_line;
	size_t first = t->f->line_bytes < max_line ? max_line - t->f->line_bytes : 0;
	size_t most = first < room ? first + (room - first) / max_line * max_line : first;
	size_t n = len < most ? len : most;
	const char *newline = memchr(bytes, '\n', n);

	return newline ? (size_t)(newline + 1 - bytes) : n;
}

/* How much of `bytes` goes into the file as it is; 0: it is to be put aside before. */
static size_t share_of(
	const struct turn *t, const struct os_log_look *look, const char *bytes, size_t len)
{
	size_t room = room_of(t, look, len);
	const char *last = room < len ? memrchr(bytes, '\n', room) : NULL;

	if (room >= len)
		return len;
	if (last)
		return (size_t)(last + 1 - bytes);
	return t->f->mid_line || look->size == 0 ? line_share(t, bytes, len, room) : 0;
}

static int append(const struct turn *t, const char *bytes, size_t len)
{
	struct logfile *f = t->f;
	const char *last = memrchr(bytes, '\n', len);
	int r = t->os->ops->append(f->file, bytes, len);

	if (r < 0)
		return r;
	f->line_bytes = last ? (size_t)(bytes + len - (last + 1)) : f->line_bytes + len;
	f->mid_line = f->line_bytes > 0;
	f->line_of = t->part->unit;
	return 0;
}

/* How much of `bytes`, which were said next, is the rest of a line that has lost its beginning. */
static size_t torn_share(const struct turn *t, const char *bytes, size_t len)
{
	struct logfile *f = t->f;
	size_t n = len < f->torn_left ? len : f->torn_left;
	const char *newline;

	if (f->torn_of != t->part->unit || n == 0)
		return 0;
	newline = memchr(bytes, '\n', n);
	f->torn_left = newline ? 0 : f->torn_left - n;
	return newline ? (size_t)(newline + 1 - bytes) : n;
}

/* It was not written, from there to the end of the part. The half of a line that is in the file goes too, where nobody has
 * written behind it: that much more is lost. */
static size_t tear(const struct turn *t, const char *bytes, size_t len, int error)
{
	struct logfile *f = t->f;
	size_t half = f->mid_line && f->line_of == t->part->unit ? f->line_bytes : 0;

	f->torn_of = t->part->unit;
	f->torn_left = bytes[len - 1] == '\n' ? 0 : t->part->max_line;
	f->torn_by = error;
	if (half == 0 || !f->file || half > f->left_bytes ||
		t->os->ops->cut_log(f->file, f->left_bytes, f->left_bytes - half) < 0)
		return 0;
	f->left_bytes -= half;
	f->line_bytes = 0;
	f->mid_line = false;
	return half;
}

/* What it is from now on, unless others write to it. */
static void left(const struct turn *t, uint64_t bytes)
{
	t->f->left_bytes = bytes;
	t->f->left_at = t->wall;
}

static void put_aside(const struct turn *t)
{
	struct logfile *f = t->f;
	int r = t->os->ops->rotate_log(f->file, t->part->rotate.keep);

	if (r == 0) {
		f->mid_line = f->is_due = false;
		f->line_bytes = 0;
		t->part->aside = true;
		return;
	}
	f->not_before = eff_ns_add(t->now, TRY_EVERY);
	t->part->not_aside = -r;
}

static void write_part(const struct turn *t, const char *bytes)
{
	struct logfile *f = t->f;
	struct os_log_look look;
	size_t n, len = t->part->len, torn = torn_share(t, bytes, len), written = torn;
	int r = 0;

	if (!f->file) {
		r = t->os->ops->open_log(t->os, f->path, &f->file);
		f->is_new |= r == 0;
	}
	while (r == 0 && written < len) {
		r = t->os->ops->look_at_log(f->file, &look);
		if (r < 0)
			break;
		f->is_due |= period_is_over(t, &look);
		n = share_of(t, &look, bytes + written, len - written);
		if (n > 0)
			r = append(t, bytes + written, n);
		else
			put_aside(t);
		if (r == 0)
			written += n;
		if (r == 0 && n > 0)
			left(t, look.size + n);
	}
	t->part->lost = torn + len - written;
	t->part->error = r < 0 ? -r : f->torn_by;
	if (written < len)
		t->part->lost += tear(t, bytes + written, len - written, -r);
}

void logfile_work(struct logfile *f, struct os *os, eff_ns now, eff_ns wall)
{
	struct turn t = {.os = os, .f = f, .now = now, .wall = wall};
	const char *bytes = f->writing.bytes.bytes;

	for (size_t i = 0; i < f->writing.n_parts; i++) {
		t.part = &f->writing.parts[i];
		write_part(&t, bytes);
		bytes += t.part->len;
	}
	if (f->closes && f->file) {
		os->ops->close_log(f->file);
		f->file = NULL;
	}
}
