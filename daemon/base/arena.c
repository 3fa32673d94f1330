/* SPDX-License-Identifier: MIT */
/* Memory given out in pieces and given back in one go. Pieces are cut from chunks that double up to 256 KiB; one that is
 * larger than a quarter of the next chunk gets a chunk of its own, so that no room is thrown away for it. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"

#define CHUNK_MIN ((size_t)4096)
#define CHUNK_MAX ((size_t)256 * 1024)

struct chunk {
	struct chunk *next;
	_Alignas(max_align_t) char bytes[];
};

struct arena {
	struct chunk *chunks;
	char *free_bytes; /* what is left of the chunk that pieces are cut from */
	size_t n_free;
	size_t next_size;
	size_t held;
};

struct arena *arena_new(void)
{
	struct arena *arena = alloc_new(sizeof(*arena));

	if (!arena)
		return NULL;
	arena->next_size = CHUNK_MIN;
	arena->held = sizeof(*arena);
	return arena;
}

void arena_free(struct arena *arena)
{
	struct chunk *chunk, *next;

	if (!arena)
		return;
	for (chunk = arena->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
}

static struct chunk *chunk_add(struct arena *arena, size_t size)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk) + size);

	if (!chunk)
		return NULL;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->held += sizeof(*chunk) + size;
	return chunk;
}

/* Room for `size` bytes in the chunk that pieces are cut from, which is another one then if need be; or *ret_own, a chunk of
 * its own. False: no memory. */
static bool room_make(struct arena *arena, size_t size, char **ret_own)
{
	struct chunk *chunk;

	*ret_own = NULL;
	if (size > SIZE_MAX / 2 || alloc_fails())
		return false;
	if (size <= arena->n_free)
		return true;
	if (size > arena->next_size / 4) {
		chunk = chunk_add(arena, size);
		*ret_own = chunk ? chunk->bytes : NULL;
		return chunk;
	}
	chunk = chunk_add(arena, arena->next_size);
	if (!chunk)
		return false;
	arena->free_bytes = chunk->bytes;
	arena->n_free = arena->next_size;
	if (arena->next_size < CHUNK_MAX)
		arena->next_size *= 2;
	return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	char *piece;

	if (size <= SIZE_MAX / 2)
		size = (size + align - 1) & ~(align - 1);
	if (size == 0)
		size = align;
	if (!room_make(arena, size, &piece))
		return NULL;
	if (piece)
		return piece;
	piece = arena->free_bytes;
	arena->free_bytes += size;
	arena->n_free -= size;
	return piece;
}

/* Texts need not be aligned, and most are short: they are cut from the other end. */
static char *text_alloc(struct arena *arena, size_t size)
{
	char *piece;

	if (!room_make(arena, size, &piece))
		return NULL;
	if (piece)
		return piece;
	arena->n_free -= size;
	return arena->free_bytes + arena->n_free;
}

char *arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy = text_alloc(arena, len + 1);

	if (copy)
		memcpy(copy, s, len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *s)
{
	return arena_strndup(arena, s, strlen(s));
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	char *copy;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return NULL;
	copy = text_alloc(arena, (size_t)len + 1);
	if (!copy)
		return NULL;
	va_start(args, format);
	(void)vsnprintf(copy, (size_t)len + 1, format, args);
	va_end(args);
	return copy;
}

size_t arena_bytes(const struct arena *arena)
{
	return arena->held;
}
