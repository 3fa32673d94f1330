/* SPDX-License-Identifier: MIT */
/* What the C library looks at or moves for our objects: their calls come here, and each eight bytes are a step. A search to the
 * end of a text, once for each of its words, is quadratic too, though it is quick. */
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "scale/steps.h"

/* NOLINTBEGIN(readability-identifier-naming): the linker's names. */
#define REAL(type, name, ...) \
	type __real_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

static void count(size_t n_bytes)
{
	*steps_taken += 1 + n_bytes / 8;
}

REAL(size_t, strlen, const char *s)
{
	size_t n = __real_strlen(s);

	count(n);
	return n;
}

REAL(size_t, strnlen, const char *s, size_t most)
{
	size_t n = __real_strnlen(s, most);

	count(n);
	return n;
}

/* What was searched: up to what was found, or all. */
static void *searched(const void *from, const void *found, size_t all)
{
	count(found ? (size_t)((const char *)found - (const char *)from) : all);
	return (void *)found;
}

REAL(char *, strchr, const char *s, int c)
{
	const char *found = __real_strchr(s, c);

	return searched(s, found, found ? 0 : __real_strlen(s));
}

REAL(char *, strrchr, const char *s, int c)
{
	count(__real_strlen(s));
	return __real_strrchr(s, c);
}

REAL(size_t, strcspn, const char *s, const char *chars)
{
	size_t n = __real_strcspn(s, chars);

	count(n);
	return n;
}

REAL(size_t, strspn, const char *s, const char *chars)
{
	size_t n = __real_strspn(s, chars);

	count(n);
	return n;
}

REAL(char *, strpbrk, const char *s, const char *chars)
{
	size_t n = __real_strcspn(s, chars);

	count(n);
	return s[n] ? (char *)s + n : NULL;
}

REAL(char *, strstr, const char *s, const char *wanted)
{
	const char *found = __real_strstr(s, wanted);

	return searched(s, found, found ? 0 : __real_strlen(s));
}

REAL(void *, memmem, const void *s, size_t n, const void *wanted, size_t n_wanted)
{
	return searched(s, __real_memmem(s, n, wanted, n_wanted), n);
}

REAL(void *, memchr, const void *s, int c, size_t n)
{
	return searched(s, __real_memchr(s, c, n), n);
}

/* Compared up to the first difference, which is not told where. */
static size_t same_bytes(const char *a, const char *b, size_t most)
{
	size_t n = 0;

	while (n < most && a[n] && a[n] == b[n])
		n++;
	return n;
}

REAL(int, strcmp, const char *a, const char *b)
{
	count(same_bytes(a, b, SIZE_MAX));
	return __real_strcmp(a, b);
}

REAL(int, strncmp, const char *a, const char *b, size_t n)
{
	count(same_bytes(a, b, n));
	return __real_strncmp(a, b, n);
}

REAL(void *, memcpy, void *to, const void *from, size_t n)
{
	count(n);
	return __real_memcpy(to, from, n);
}

REAL(void *, memmove, void *to, const void *from, size_t n)
{
	count(n);
	return __real_memmove(to, from, n);
}

REAL(void *, memset, void *to, int c, size_t n)
{
	count(n);
	return __real_memset(to, c, n);
}
/* NOLINTEND(readability-identifier-naming) */
