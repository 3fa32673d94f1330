/* SPDX-License-Identifier: MIT */
/* What is for log files waits here until it is their folder's turn: in two batches, one that grows, and one that is the
 * thread's. Of what becomes of it who said it is told; of one that is gone by then, the root. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "unit/internal.h"
#include "unit/logs.h"

/* So much waits at most beside a file before no more is taken: the more, the seldomer a thread is woken for it. Where so much
 * waits beside all of them together it is a share. A read is not made smaller for that. */
enum {
	WAITING_MOST = 1 << 20,
	WAITING_ALL = 8 << 20,
	SHARE = 256 << 10,
	READ_LEAST = 256 << 10
};
/* Buffers of that size are kept for who needs one next, until nothing has come for a while. */
enum { LARGE = 64 << 10 };

/* ── files ── */

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
	f = alloc_new(sizeof(*f) + len);
	if (!f)
		return NULL;
	f->world = world;
	f->n_users = 1;
	f->losses.told_at = f->losses.over_at = -1;
	eff_pulse_init(&f->changed);
	memcpy(f->path, path, len);
	eff_list_append(&world->logs, &f->link);
	return f;
}

const char *logfile_path(const struct logfile *f)
{
	return f->path;
}

static void batch_free(struct log_batch *batch)
{
	text_done(&batch->bytes);
	free(batch->parts);
	*batch = (struct log_batch){0};
}

/* What it had is done with. */
static void batch_clear(struct log_spares *spares, struct log_batch *batch)
{
	if (batch->bytes.room >= LARGE && spares->n < N_LOG_SPARES) {
		spares->list[spares->n++] = batch->bytes;
		batch->bytes = (struct text){0};
	}
	batch_free(batch);
}

/* It is about to get so much. */
static void batch_open(struct log_spares *spares, struct log_batch *batch, size_t len)
{
	if (batch->bytes.bytes || len < LARGE || spares->n == 0)
		return;
	batch->bytes = spares->list[--spares->n];
	batch->bytes.len = 0;
}

void logfile_free(struct logfile *f)
{
	batch_free(&f->waiting);
	batch_free(&f->writing);
	eff_list_remove(&f->link);
	free(f);
}

static bool part_is_like(const struct log_part *part, const struct unit *u)
{
	const struct plan_ways *ways = u->spec->ways;
	const struct plan_rotate *a = &part->rotate, *b = &ways->rotate;

	return part->unit == u && part->max_line == ways->max_line_bytes &&
		a->size_bytes == b->size_bytes && a->every_ns == b->every_ns &&
		a->keep == b->keep && a->compress == b->compress;
}

/* The part that this unit's next bytes belong to; NULL: out of memory. */
static struct log_part *part_of(struct log_batch *batch, struct unit *u)
{
	const struct plan_ways *ways = u->spec->ways;
	struct log_part *part;

	if (batch->n_parts > 0 && part_is_like(&batch->parts[batch->n_parts - 1], u))
		return &batch->parts[batch->n_parts - 1];
	if (batch->n_parts == batch->room) {
		size_t room = batch->room ? 2 * batch->room : 1;

		part = alloc_grow(batch->parts, room * sizeof(*part));
		if (!part)
			return NULL;
		batch->parts = part;
		batch->room = room;
	}
	part = &batch->parts[batch->n_parts++];
	*part = (struct log_part){
		.unit = u, .rotate = ways->rotate, .max_line = ways->max_line_bytes};
	return part;
}

/* ── what has become of it ── */

static void part_lose(struct logfile *f, const struct log_part *part, size_t bytes, const char *why)
{
	if (part->unit && bytes > 0)
		losses_add(&f->losses, part->unit, bytes,
			&(struct loss){.where = f->path, .why = why});
}

static void part_settle(struct logfile *f, const struct log_part *part)
{
	struct unit *u = part->unit;
	struct text words = {0};

	part_lose(f, part, part->lost, strerror(part->error));
	if (!u)
		return;
	if (part->lost == 0)
		losses_over(&f->losses, u, f->path);
	/* One that was just opened may have been put aside by an effd that ended amid. */
	if ((part->aside || f->is_new) && part->rotate.compress == PLAN_COMPRESS_GZIP &&
		part->rotate.keep > 0)
		archive_ask(f->world, f->path);
	if (!part->not_aside)
		return;
	text_printf(&words, "cannot put %s aside: %s", f->path, strerror(part->not_aside));
	f->world->hooks->on_event(u, "log_not_rotated", words.bytes ? words.bytes : "out of memory");
	text_done(&words);
}

void logfile_take_back(struct logfile *f)
{
	f->at_work = false;
	for (size_t i = 0; i < f->writing.n_parts; i++)
		part_settle(f, &f->writing.parts[i]);
	f->is_new = false;
	f->settled += f->writing.bytes.len;
	batch_clear(&f->world->log_spares, &f->writing);
	eff_pulse_send(&f->changed);
}

void logfile_begin(struct logfile *f)
{
	struct log_batch empty = f->writing;

	f->world->log_waiting -= f->waiting.bytes.len;
	f->writing = f->waiting;
	f->waiting = empty;
	f->closes = f->n_users == 0;
	f->queued = false;
	f->at_work = true;
	eff_pulse_send(&f->changed);
}

/* It is nobody's turn: what comes next? */
void logfile_go_on(struct logfile *f)
{
	if (f->waiting.n_parts > 0 || (f->n_users == 0 && f->file))
		folder_queue(f);
	else if (f->n_users == 0)
		logfile_free(f);
}

/* Without a fiber. */
void logfile_work_here(struct logfile *f)
{
	logfile_begin(f);
	logfile_work(f, f->world->os, eff_now(), eff_wall());
	logfile_take_back(f);
	logfile_go_on(f);
}

static void batch_lose(struct logfile *f, struct log_batch *batch)
{
	for (size_t i = 0; i < batch->n_parts; i++) {
		struct log_part *part = &batch->parts[i];

		part_lose(f, part, part->len, "the disk does not answer");
		part->unit = NULL;
	}
}

void logfile_leave(struct logfile *f)
{
	batch_lose(f, &f->writing);
	batch_lose(f, &f->waiting);
	f->world->log_waiting -= f->waiting.bytes.len;
	eff_list_remove(&f->link);
	eff_list_init(&f->link);
	f->world = NULL;
	f->settled = f->added;
	eff_pulse_send(&f->changed);
}

/* ── doors ── */

void logfile_put(struct logfile *f)
{
	if (!f || --f->n_users > 0 || f->queued || f->at_work)
		return;
	if (f->world)
		logfile_go_on(f);
	else
		logfile_free(f);
}

static size_t waiting_most(const struct logfile *f)
{
	return f->world && f->world->log_waiting >= WAITING_ALL ? SHARE : WAITING_MOST;
}

bool logfile_is_full(const struct logfile *f)
{
	return f->waiting.bytes.len >= waiting_most(f);
}

bool logfile_is_settled(const struct logfile *f)
{
	return f->settled >= f->added;
}

char *logfile_room(struct logfile *f, size_t *most)
{
	size_t left;
	char *room;

	if (!f->world || logfile_is_full(f))
		return NULL;
	left = waiting_most(f) - f->waiting.bytes.len;
	if (left < READ_LEAST)
		left = READ_LEAST;
	if (*most > left)
		*most = left;
	batch_open(&f->world->log_spares, &f->waiting, *most);
	room = text_room(&f->waiting.bytes, *most);
	f->waiting.bytes.failed = false;
	return room;
}

int logfile_add(struct logfile *f, struct unit *u, const char *bytes, size_t len)
{
	struct text *waiting = &f->waiting.bytes;
	struct log_part *part;

	if (!f->world)
		return -ESHUTDOWN;
	if (logfile_is_full(f))
		return -EAGAIN;
	part = part_of(&f->waiting, u);
	if (!part)
		return -ENOMEM;
	batch_open(&f->world->log_spares, &f->waiting, len);
	if (waiting->bytes && bytes == waiting->bytes + waiting->len)
		text_wrote(waiting, len);
	else
		text_add_bytes(waiting, bytes, len);
	if (waiting->failed) {
		waiting->failed = false;
		f->waiting.n_parts -= part->len == 0;
		return -ENOMEM;
	}
	part->len += len;
	f->added += len;
	f->world->log_waiting += len;
	folder_queue(f);
	return 0;
}

void logfile_rest(struct logfile *f)
{
	if (f->world && f->waiting.n_parts == 0)
		batch_clear(&f->world->log_spares, &f->waiting);
}

int logfile_await_room(struct logfile *f)
{
	int r = 0;

	while (r == 0 && logfile_is_full(f))
		r = eff_pulse_await(&f->changed);
	return r;
}

int logfile_await(struct logfile *f)
{
	uint64_t all = f->added;
	int r = 0;

	while (r == 0 && f->settled < all)
		r = eff_pulse_await(&f->changed);
	return r;
}
