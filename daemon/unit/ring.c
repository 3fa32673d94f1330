/* SPDX-License-Identifier: MIT */
/* Lines in one circular buffer: each is a record of head and text, the oldest at `first`. The buffer doubles up to its
 * limit; a record that would cross the end begins at the start again, the rest of the end being `tail_gap`. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "unit/ring.h"

struct record {
	uint64_t number;
	eff_ns wall_at;
	uint32_t len;
	uint16_t run;
	uint8_t stream;
	bool partial;
};

struct ring {
	char *bytes;
	size_t size, limit;
	size_t first, next; /* offsets: the oldest record, and after the newest */
	size_t wrap; /* where the records before the end of the buffer end; size when not wrapped */
	uint32_t count;
	uint64_t gone; /* bytes of lines that have made way, with their newlines */
};

static size_t record_size(uint32_t len)
{
	return (sizeof(struct record) + len + 7) & ~(size_t)7;
}

static struct record *ring_at(const struct ring *r, size_t offset)
{
	return (struct record *)(void *)(r->bytes + offset);
}

static size_t ring_step(const struct ring *r, size_t at)
{
	at += record_size(ring_at(r, at)->len);
	return at >= r->wrap ? 0 : at;
}

struct ring *ring_new(size_t limit_bytes)
{
	struct ring *r = alloc_new(sizeof(*r));

	if (r)
		r->limit = limit_bytes & ~(size_t)7;
	return r;
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	free(r->bytes);
	free(r);
}

/* As it was printed. */
static uint64_t line_bytes(const struct record *record)
{
	return (uint64_t)record->len + !record->partial;
}

static void ring_drop_first(struct ring *r)
{
	r->gone += line_bytes(ring_at(r, r->first));
	r->first += record_size(ring_at(r, r->first)->len);
	r->count--;
	if (r->count == 0) {
		r->first = r->next = 0;
		r->wrap = r->size;
	} else if (r->first >= r->wrap) {
		r->first = 0;
		r->wrap = r->size;
	}
}

/* Move everything, in order, to a buffer of `size` bytes, dropping the oldest that do not fit. */
static bool ring_resize(struct ring *r, size_t size)
{
	char *bytes = alloc_grow(NULL, size);
	size_t next = 0, total = 0;
	size_t at = r->first;

	if (!bytes)
		return false;
	for (uint32_t i = 0; i < r->count; i++, at = ring_step(r, at))
		total += record_size(ring_at(r, at)->len);
	for (; total > size; ring_drop_first(r))
		total -= record_size(ring_at(r, r->first)->len);
	at = r->first;
	for (uint32_t i = 0; i < r->count; i++, at = ring_step(r, at)) {
		size_t len = record_size(ring_at(r, at)->len);

		memcpy(bytes + next, r->bytes + at, len);
		next += len;
	}
	free(r->bytes);
	r->bytes = bytes;
	r->size = r->wrap = size;
	r->first = 0;
	r->next = next;
	return true;
}

void ring_limit(struct ring *r, size_t limit_bytes)
{
	if (!r)
		return;
	r->limit = limit_bytes & ~(size_t)7;
	if (r->size > r->limit)
		(void)ring_resize(r, r->limit);
}

/* Is there room for `need` bytes in one piece at `next`, or after wrapping? Wraps if that is what it takes. */
static bool ring_has_room(struct ring *r, size_t need)
{
	bool wrapped = r->count > 0 && r->next <= r->first;

	if (wrapped)
		return r->first - r->next >= need;
	if (r->size - r->next >= need)
		return true;
	if (r->count == 0 || r->first < need)
		return false;
	r->wrap = r->next;
	r->next = 0;
	return true;
}

size_t ring_part(const struct ring *r, size_t len)
{
	size_t part = r ? r->limit / 4 : 0;

	if (part <= record_size(0) || len + record_size(0) <= r->limit)
		return len;
	return part - record_size(0);
}

void ring_add(struct ring *r, const struct ring_line *line)
{
	size_t need = record_size(line->len);

	if (need > r->limit)
		return;
	/* Where there is no memory for it, all before it has gone, too. */
	while (!ring_has_room(r, need)) {
		size_t more = r->size ? r->size * 2 : 1024;

		while (more < need)
			more *= 2;
		if (more > r->limit)
			more = r->limit;
		if (r->size < more && ring_resize(r, more))
			continue;
		if (r->count == 0) {
			r->gone += (uint64_t)line->len + !line->partial;
			return;
		}
		ring_drop_first(r);
	}
	*ring_at(r, r->next) = (struct record){.number = line->number,
		.wall_at = line->wall_at,
		.len = line->len,
		.run = line->run,
		.stream = line->stream,
		.partial = line->partial};
	memcpy(r->bytes + r->next + sizeof(struct record), line->text, line->len);
	r->next += need;
	r->count++;
}

bool ring_next(const struct ring *r, uint64_t number, struct ring_line *ret_line)
{
	uint64_t before;
	size_t at;

	if (!r)
		return false;
	at = r->first;
	before = r->gone;
	for (uint32_t i = 0; i < r->count; i++, at = ring_step(r, at)) {
		const struct record *record = ring_at(r, at);

		if (record->number < number) {
			before += line_bytes(record);
			continue;
		}
		*ret_line = (struct ring_line){.number = record->number,
			.before = before,
			.wall_at = record->wall_at,
			.text = (const char *)(record + 1),
			.len = record->len,
			.run = record->run,
			.stream = record->stream,
			.partial = record->partial};
		return true;
	}
	return false;
}

uint64_t ring_tail(const struct ring *r, uint32_t n)
{
	size_t at;

	if (!r || r->count == 0)
		return 0;
	at = r->first;
	for (uint32_t i = r->count; i > n && i > 1; i--)
		at = ring_step(r, at);
	return n == 0 ? UINT64_MAX : ring_at(r, at)->number;
}

uint64_t ring_run_tail(const struct ring *r, uint16_t run, uint32_t n)
{
	size_t at = r ? r->first : 0, tail = at;
	uint32_t seen = 0;

	for (uint32_t i = 0; r && i < r->count; i++, at = ring_step(r, at)) {
		if (ring_at(r, at)->run != run)
			continue;
		if (seen++ == 0)
			tail = at;
		else if (seen > n)
			do
				tail = ring_step(r, tail);
			while (ring_at(r, tail)->run != run);
	}
	return seen > 0 && n > 0 ? ring_at(r, tail)->number : UINT64_MAX;
}

uint64_t ring_bytes(const struct ring *r)
{
	uint64_t bytes = r ? r->gone : 0;
	size_t at = r ? r->first : 0;

	for (uint32_t i = 0; i < ring_count(r); i++, at = ring_step(r, at))
		bytes += line_bytes(ring_at(r, at));
	return bytes;
}

uint32_t ring_count(const struct ring *r)
{
	return r ? r->count : 0;
}
