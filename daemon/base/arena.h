/* SPDX-License-Identifier: MIT */
/* An arena: memory that is given out in pieces and given back in one go. Pieces are zeroed and aligned for anything. */
#ifndef EFFD_ARENA_H
#define EFFD_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);                       /* NULL: out of memory */
void arena_free(struct arena *arena);                /* NULL is fine */
void *arena_alloc(struct arena *arena, size_t size); /* NULL: out of memory */
char *arena_strdup(struct arena *arena, const char *s);
char *arena_strndup(struct arena *arena, const char *s, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
size_t arena_bytes(const struct arena *arena); /* what it holds in all */

#endif
