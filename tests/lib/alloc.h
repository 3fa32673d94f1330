/* SPDX-License-Identifier: MIT */
/* Let one allocation fail. A test that includes this is linked so that the calls of malloc(), calloc() and realloc() in
 * libeff.a come here; and so do check's own, where it is linked from an archive: assert nothing while one is to fail. */
#ifndef TESTS_LIB_ALLOC_H
#define TESTS_LIB_ALLOC_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);

static int alloc_left; /* allocations until the one that fails; 0: none does */
static bool alloc_failed;

/* The n-th allocation from now on fails, once; 0: none. Returns whether the one that was to fail before has. */
__attribute__((unused)) static bool alloc_fail_after(int n)
{
	bool failed = alloc_failed;

	alloc_left = n;
	alloc_failed = false;
	return failed;
}

static bool alloc_fails(void)
{
	if (!alloc_left || --alloc_left)
		return false;
	alloc_failed = true;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return alloc_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return alloc_fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return alloc_fails() ? NULL : __real_realloc(old, size);
}

#endif
