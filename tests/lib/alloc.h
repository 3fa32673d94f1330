/* SPDX-License-Identifier: MIT */
/* Let one allocation fail, or all from one on. A test that includes this is linked so that the calls of malloc(), calloc(),
 * realloc(), aligned_alloc() and mmap() in libeff.a come here; and so do check's own, where it is linked from an archive:
 * assert nothing while one is to fail. */
#ifndef TESTS_LIB_ALLOC_H
#define TESTS_LIB_ALLOC_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/types.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);

static int alloc_left; /* allocations until the one that fails; 0: none does */
static bool alloc_failed, alloc_fails_on;

/* The n-th allocation from now on fails, once; 0: none. Returns whether the one that was to fail before has. */
__attribute__((unused)) static bool alloc_fail_after(int n)
{
	bool failed = alloc_failed;

	alloc_left = n;
	alloc_failed = alloc_fails_on = false;
	return failed;
}

/* So do all after it, until the next call. */
__attribute__((unused)) static bool alloc_fail_from(int n)
{
	bool failed = alloc_fail_after(n);

	alloc_fails_on = true;
	return failed;
}

static bool alloc_fails(void)
{
	if (!alloc_left || --alloc_left)
		return false;
	alloc_left = alloc_fails_on;
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

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return alloc_fails() ? NULL : __real_aligned_alloc(alignment, size);
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return alloc_fails() ? MAP_FAILED : __real_mmap(at, size, protection, flags, fd, offset);
}

#endif
