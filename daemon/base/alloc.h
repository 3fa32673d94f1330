/* SPDX-License-Identifier: MIT */
/* The heap, through one door, so that a test can make any single allocation fail and see what becomes of it. */
#ifndef EFFD_ALLOC_H
#define EFFD_ALLOC_H

#include <stddef.h>
#include <stdint.h>

void *alloc_new(size_t size);           /* zeroed; NULL: out of memory. free() gives it back */
void *alloc_grow(void *p, size_t size); /* as realloc(); on NULL the old piece is still the caller's */
char *alloc_text(const char *s);        /* a copy */

/* Zeroed pages of its own for what fills slowly: one that was never written takes no memory. NULL: out of memory. */
void *alloc_pages(size_t size);
void alloc_pages_free(void *p, size_t size); /* NULL is fine */

/* For tests: the n-th allocation from now on fails, one only (0: none fails). Arenas count every piece they give out.
 * Returns how far the last one was still away; 0: it has failed, or there was none. */
uint64_t alloc_fail_after(uint64_t n);
/* Whether the next allocation is the one to fail; counts it. For allocators built upon this one. */
int alloc_fails(void);
/* Give free pages back to the kernel: after something that took and freed much. Does not suspend. */
void alloc_trim(void);

#endif
