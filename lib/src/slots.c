/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "slots.h"

enum { A_BLOCK = 32 };

void *eff__slot(const struct eff__slots *slots, int fd)
{
	char *block = fd >= 0 && fd < slots->n ? slots->blocks[fd / A_BLOCK] : NULL;

	return block ? block + (size_t)(fd % A_BLOCK) * slots->size : NULL;
}

static int blocks_grow(struct eff__slots *slots, int fd)
{
	int n = slots->n ? slots->n : 4 * A_BLOCK;
	char **blocks;

	while (n <= fd)
		n *= 2;
	blocks = realloc(slots->blocks, (size_t)(n / A_BLOCK) * sizeof *blocks);
	if (!blocks)
		return -1;
	for (int i = slots->n / A_BLOCK; i < n / A_BLOCK; i++)
		blocks[i] = NULL;
	slots->blocks = blocks;
	slots->n = n;
	return 0;
}

void *eff__slot_make(struct eff__slots *slots, int fd)
{
	char **block;

	if (fd >= slots->n && blocks_grow(slots, fd) < 0)
		return NULL;
	block = &slots->blocks[fd / A_BLOCK];
	if (!*block)
		*block = calloc(A_BLOCK, slots->size);
	return eff__slot(slots, fd);
}

void eff__slots_done(struct eff__slots *slots)
{
	for (int i = 0; i < slots->n / A_BLOCK; i++)
		free(slots->blocks[i]);
	free(slots->blocks);
	slots->blocks = NULL;
	slots->n = 0;
}
