/* SPDX-License-Identifier: MIT */
/* The door to the heap. The countdown is the only global here: 0 in production, where it costs one comparison. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/alloc.h"

static uint64_t countdown;

uint64_t alloc_fail_after(uint64_t n)
{
	uint64_t left = countdown;

	countdown = n;
	return left;
}

int alloc_fails(void)
{
	return countdown > 0 && --countdown == 0;
}

void *alloc_new(size_t size)
{
	if (alloc_fails())
		return NULL;
	return calloc(1, size ? size : 1);
}

char *alloc_text(const char *s)
{
	size_t size = strlen(s) + 1;
	char *copy = alloc_new(size);

	return copy ? memcpy(copy, s, size) : NULL;
}

void *alloc_grow(void *p, size_t size)
{
	if (alloc_fails())
		return NULL;
	return realloc(p, size ? size : 1);
}

void *alloc_pages(size_t size)
{
	void *p = MAP_FAILED;

	if (!alloc_fails())
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

void alloc_pages_free(void *p, size_t size)
{
	if (p)
		(void)munmap(p, size);
}

void alloc_trim(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}
