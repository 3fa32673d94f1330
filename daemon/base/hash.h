/* SPDX-License-Identifier: MIT */
/* FNV-1a, 64 bits: begin with HASH_EMPTY, and give each result to the next call. Not for what somebody may want to collide. */
#ifndef EFFD_HASH_H
#define EFFD_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_EMPTY UINT64_C(14695981039346656037)

static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * UINT64_C(1099511628211);
	return hash;
}

/* With its NUL, so that where one text ends and the next begins counts. NULL is no text, not an empty one. */
static inline uint64_t hash_text(uint64_t hash, const char *text)
{
	return text ? hash_bytes(hash, text, strlen(text) + 1) : hash * 31;
}

#endif
