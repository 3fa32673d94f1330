/* SPDX-License-Identifier: MIT */
/* Log files as units see them: one for each path, whoever writes to it, so that it is put aside once and for all of them.
 * That happens between two lines, before the one that would make it too large, or the first of a new period; a line that is
 * longer than max_line may be cut where it is cut elsewhere too. Where it cannot be done the file is written on, which is
 * said, and tried again a minute later. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unit/internal.h"

#define TRY_EVERY EFF_S(60)
/* 1970 began on a Thursday; weeks begin on Mondays. */
#define BEFORE_MONDAY (3 * EFF_H(24))

struct logfile {
	struct eff_list link; /* of the world's */
	struct unit_world *world;
	unsigned n_users;
	struct os_file *file; /* NULL: it could not be opened */
	bool mid_line;        /* its last line has no end yet */
	bool is_due; /* a new period has begun: it is put aside when that line is whole */
	uint64_t line_bytes; /* of that one */
	eff_ns not_before;   /* when it could not be put aside: no other try */
	char path[];
};

struct logfile *logfile_get(struct unit_world *world, const char *path)
{
	size_t len = strlen(path) + 1;
	struct logfile *f;

	for (struct eff_list *l = world->logs.next; l != &world->logs; l = l->next) {
		f = eff_container(l, struct logfile, link);
		if (strcmp(f->path, path) == 0) {
			f->n_users++;
			return f;
		}
	}
	f = calloc(1, sizeof(*f) + len);
	if (!f)
		return NULL;
	f->world = world;
	f->n_users = 1;
	memcpy(f->path, path, len);
	eff_list_append(&world->logs, &f->link);
	return f;
}

void logfile_put(struct logfile *f)
{
	if (!f || --f->n_users > 0)
		return;
	if (f->file)
		f->world->os->ops->close_log(f->file);
	eff_list_remove(&f->link);
	free(f);
}

const char *logfile_path(const struct logfile *f)
{
	return f->path;
}

static eff_ns period_of(eff_ns wall_at, eff_ns every)
{
	return eff_ns_add(wall_at, BEFORE_MONDAY) / every;
}

static bool period_is_over(const struct plan_rotate *rotate, const struct os_log_look *look)
{
	return rotate->every_ns > 0 && look->size > 0 &&
		period_of(look->written_at, rotate->every_ns) <
		period_of(eff_wall(), rotate->every_ns);
}

/* How much of it may be appended before the file is to be put aside; 0: that comes first. */
static size_t room_of(const struct logfile *f, const struct plan_unit *spec,
	const struct os_log_look *look, size_t len)
{
	const struct plan_rotate *rotate = &spec->ways->rotate;

	if (!look->regular || eff_now() < f->not_before)
		return len;
	if (f->is_due)
		return 0;
	if (rotate->size_bytes == 0 || look->size + len <= rotate->size_bytes)
		return len;
	return look->size < rotate->size_bytes ? rotate->size_bytes - look->size : 0;
}

/* How much of `bytes` ends the line that was begun, or the first one. */
static size_t line_rest(const struct logfile *f, size_t max_line, const char *bytes, size_t len)
{
	size_t most = f->line_bytes < max_line ? max_line - f->line_bytes : 0;
	size_t n = len < most ? len : most;
	const char *newline = memchr(bytes, '\n', n);

	return newline ? (size_t)(newline + 1 - bytes) : n;
}

/* How much of `bytes` goes into the file as it is; 0: it is to be put aside before. */
static size_t share_of(const struct logfile *f, const struct plan_unit *spec,
	const struct os_log_look *look, const char *bytes, size_t len)
{
	size_t room = room_of(f, spec, look, len);
	const char *last = room < len ? memrchr(bytes, '\n', room) : NULL;

	if (room >= len)
		return len;
	if (last)
		return (size_t)(last + 1 - bytes);
	return f->mid_line || look->size == 0
		? line_rest(f, spec->ways->max_line_bytes, bytes, len)
		: 0;
}

static int append(struct logfile *f, const char *bytes, size_t len)
{
	const char *last = memrchr(bytes, '\n', len);
	int r = f->world->os->ops->append(f->file, bytes, len);

	if (r < 0)
		return r;
	f->line_bytes = last ? (size_t)(bytes + len - (last + 1)) : f->line_bytes + len;
	f->mid_line = f->line_bytes > 0;
	return 0;
}

static void archive_of(struct logfile *f, struct unit *u)
{
	if (u->spec->ways->rotate.compress == PLAN_COMPRESS_GZIP && u->spec->ways->rotate.keep > 0)
		archive_ask(f->world, u, f->path);
}

static void put_aside(struct logfile *f, struct unit *u)
{
	int r = f->world->os->ops->rotate_log(f->file, u->spec->ways->rotate.keep);
	struct text words = {0};

	if (r == 0) {
		f->mid_line = f->is_due = false;
		f->line_bytes = 0;
		archive_of(f, u);
		return;
	}
	f->not_before = eff_ns_add(eff_now(), TRY_EVERY);
	text_printf(&words, "cannot put %s aside: %s", f->path, strerror(-r));
	f->world->hooks->on_event(u, "log_not_rotated", words.bytes ? words.bytes : "out of memory");
	text_done(&words);
}

int logfile_write(
	struct logfile *f, struct unit *u, const char *bytes, size_t len, size_t *ret_written)
{
	const struct os_ops *ops = f->world->os->ops;
	struct os_log_look look;
	size_t n;
	int r = 0;

	*ret_written = 0;
	if (!f->file) {
		r = ops->open_log(f->world->os, f->path, &f->file);
		/* What an effd that ended amid has left. */
		if (r == 0)
			archive_of(f, u);
	}
	while (r == 0 && *ret_written < len) {
		r = ops->look_at_log(f->file, &look);
		if (r < 0)
			break;
		f->is_due |= period_is_over(&u->spec->ways->rotate, &look);
		n = share_of(f, u->spec, &look, bytes + *ret_written, len - *ret_written);
		if (n > 0)
			r = append(f, bytes + *ret_written, n);
		else
			put_aside(f, u);
		if (r == 0)
			*ret_written += n;
	}
	return r;
}
