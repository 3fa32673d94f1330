/* SPDX-License-Identifier: MIT */
/* Logs: lines of any number of units in the order in which they came, from the units' rings. Every line has a number that
 * counts through the whole tree; a batch is a merge of the rings by it, from the number after the last one sent. What has made way
 * in its ring before it could be sent is told of where it is missing. */
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "control/methods.h"
#include "unit/ring.h"

#define UNREAD_EASY ((size_t)256 << 10)
enum { BATCH = 64 };

struct source {
	uint64_t id;       /* of the unit: known from one selection to the next by that */
	struct unit *unit; /* as long as the tree is of the reading's generation */
	uint64_t next;     /* the first number of interest */
	uint64_t seen; /* so many bytes of its output have been sent, or are not asked for */
	uint64_t past; /* so many there were when it was asked for */
};

/* A source whose next line is known. */
struct turn {
	struct source *source;
	uint64_t next; /* the number of that */
};

struct reading {
	struct request *req;
	const struct json *names;
	uint64_t generation; /* of the tree whose units these are */
	uint64_t from; /* of the whole: lines before it have been sent, or are not asked for */
	struct source *sources; /* those selected */
	uint32_t n;
	struct turn *heap; /* by `next`; room for all */
	uint32_t n_heap;
};

/* ── a heap, the smallest number on top ── */

static void heap_put(struct reading *rd, struct turn s)
{
	uint32_t at = rd->n_heap++;

	while (at > 0 && rd->heap[(at - 1) / 2].next > s.next) {
		rd->heap[at] = rd->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	rd->heap[at] = s;
}

static struct turn heap_pop(struct reading *rd)
{
	struct turn top = rd->heap[0], last = rd->heap[--rd->n_heap];
	uint32_t at = 0;

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child + 1 < rd->n_heap && rd->heap[child + 1].next < rd->heap[child].next)
			child++;
		if (child >= rd->n_heap || rd->heap[child].next >= last.next)
			break;
		rd->heap[at] = rd->heap[child];
		at = child;
	}
	rd->heap[at] = last;
	return top;
}

/* ── which units ── */

static void reading_done(struct reading *rd)
{
	free(rd->sources);
	free(rd->heap);
	rd->sources = NULL;
	rd->heap = NULL;
}

static int by_unit(const void *a, const void *b)
{
	const struct source *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* What has been sent of those that were selected before (n_old of them, by id). Of one that is new nothing is missing so far as one
 * can tell. */
static struct source source_of(struct unit *u, const struct source *old, uint32_t n_old)
{
	struct source fresh = {.id = u->id, .unit = u, .seen = u->ring ? UINT64_MAX : 0};
	const struct source *known = n_old ? bsearch(&fresh, old, n_old, sizeof(*old), by_unit)
					   : NULL;

	return known ? *known : fresh;
}

/* All units that match, after a reload too. What has been sent is not sent again: `from` remembers. */
static int reading_select(struct reading *rd)
{
	struct tree *t = rd->req->tree;
	struct source *old = rd->sources;
	uint32_t n_old = rd->n;
	struct selection s;
	int r = select_left(t, rd->names, &s);

	rd->sources = NULL;
	reading_done(rd);
	rd->generation = t->generation;
	rd->n = 0;
	if (r < 0) {
		free(old);
		return r;
	}
	if (n_old)
		qsort(old, n_old, sizeof(*old), by_unit);
	rd->sources = alloc_new((s.n + 1) * sizeof(*rd->sources));
	rd->heap = alloc_new((s.n + 1) * sizeof(*rd->heap));
	for (uint32_t i = 0; rd->sources && rd->heap && i < s.n; i++)
		rd->sources[rd->n++] = source_of(t->units[s.index[i]], old, n_old);
	selection_done(&s);
	free(old);
	return rd->sources && rd->heap ? 0 : -ENOMEM;
}

/* After a wait: the tree may be another. */
static int reading_renew(struct reading *rd)
{
	return rd->generation == rd->req->tree->generation ? 0 : reading_select(rd);
}

/* Only the last `lines` of each; negative: all that is kept. */
static void reading_tail(struct reading *rd, int64_t lines)
{
	uint32_t most = lines < 0 || lines > UINT32_MAX ? UINT32_MAX : (uint32_t)lines;

	for (uint32_t i = 0; i < rd->n; i++) {
		struct source *s = &rd->sources[i];
		struct ring_line line;

		if (most == 0)
			s->next = rd->req->tree->world.next_line;
		else if (s->unit->ring)
			s->next = ring_tail(s->unit->ring, most);
		s->past = s->seen = ring_bytes(s->unit->ring);
		if (ring_next(s->unit->ring, s->next, &line))
			s->seen = line.before;
	}
}

/* ── lines ── */

static void reading_merge(struct reading *rd)
{
	struct ring_line line;

	rd->n_heap = 0;
	for (uint32_t i = 0; i < rd->n; i++) {
		struct source *s = &rd->sources[i];
		uint64_t from = s->next > rd->from ? s->next : rd->from;

		if (s->unit->ring && ring_next(s->unit->ring, from, &line))
			heap_put(rd, (struct turn){s, line.number});
	}
}

static struct json *json_log_line(const struct unit *u, const struct ring_line *line)
{
	struct json *entry = json_object();

	(void)json_set(entry, "at", json_wall(line->wall_at));
	(void)json_set(entry, "unit", json_text(u->name));
	(void)json_set(entry, "stream", json_text(line->stream == OS_STDERR ? "stderr" : "stdout"));
	(void)json_set(entry, "text", json_line(line->text, line->len));
	if (line->partial)
		(void)json_set(entry, "partial", json_bool(true));
	return entry;
}

/* What is missing before this line. */
static struct json *json_log_gap(const struct unit *u, const struct ring_line *line, uint64_t bytes)
{
	struct json *entry = json_object();

	(void)json_set(entry, "at", json_wall(line->wall_at));
	(void)json_set(entry, "unit", json_text(u->name));
	(void)json_set(entry, "stream", json_null());
	(void)json_set(entry, "text", json_null());
	(void)json_set(entry, "lost_bytes", json_int((int64_t)bytes));
	return entry;
}

/* And what is missing before it. 0 or -errno. */
static int line_send(struct reading *rd, struct source *s, const struct ring_line *line)
{
	uint64_t seen = s->seen;
	int r = 0;

	s->seen = line->before + line->len + !line->partial;
	rd->from = line->number + 1;
	if (line->before > seen)
		r = request_continue(rd->req, json_log_gap(s->unit, line, line->before - seen));
	return r < 0 ? r : request_continue(rd->req, json_log_line(s->unit, line));
}

/* Send at most a batch of lines with numbers below `until`. Returns how many, or -errno. */
static int lines_send(struct reading *rd, uint64_t until)
{
	int n = 0, r = reading_renew(rd);

	if (r < 0)
		return r;
	reading_merge(rd);
	while (r == 0 && n < BATCH && rd->n_heap > 0) {
		struct turn turn = heap_pop(rd);
		const struct ring *ring = turn.source->unit->ring;
		struct ring_line line;

		if (turn.next >= until || !ring_next(ring, turn.next, &line))
			break;
		r = line_send(rd, turn.source, &line);
		n++;
		if (ring_next(ring, rd->from, &line))
			heap_put(rd, (struct turn){turn.source, line.number});
	}
	return r < 0 ? r : n;
}

/* What is kept: as fast as the client reads it. */
static int lines_past(struct reading *rd)
{
	uint64_t until = rd->req->tree->world.next_line;
	int n, r = 0;

	do {
		n = lines_send(rd, until);
		r = n < 0 ? n : conn_drain(rd->req->conn, UNREAD_EASY);
		if (r >= 0)
			r = eff_yield();
	} while (n > 0 && r >= 0);
	return r;
}

/* What there was when it was asked for, and has made way with nothing behind it that is to be sent. */
static int past_end(struct reading *rd)
{
	int r = reading_renew(rd);

	for (uint32_t i = 0; r >= 0 && i < rd->n; i++) {
		const struct source *s = &rd->sources[i];
		struct ring_line line;

		if (!ring_next(s->unit->ring, 0, &line))
			continue;
		if (line.before > s->past)
			line.before = s->past;
		if (line.before > s->seen)
			r = request_continue(
				rd->req, json_log_gap(s->unit, &line, line.before - s->seen));
	}
	return r;
}

static int lines_follow(struct reading *rd)
{
	int r = 0;

	while (r >= 0) {
		r = lines_send(rd, UINT64_MAX);
		if (r > 0)
			r = eff_yield();
		else if (r == 0)
			r = eff_pulse_await(&rd->req->tree->world.output);
	}
	return r;
}

void m_logs(struct request *req)
{
	struct reading rd = {.req = req, .names = json_get(req->parameters, "units")};
	int r;

	if (select_check(req, rd.names) < 0)
		return;
	r = reading_select(&rd);
	if (r == 0) {
		reading_tail(&rd, json_get_int(req->parameters, "lines", -1));
		r = lines_past(&rd);
	}
	if (r >= 0)
		r = json_get_bool(req->parameters, "follow", false) ? lines_follow(&rd)
								    : past_end(&rd);
	reading_done(&rd);
	if (r == -ENOMEM)
		request_fail(req, ERROR_FAILED, "out of memory");
	else if (r >= 0)
		request_reply(req, NULL);
}
