/* SPDX-License-Identifier: MIT */
/* What a child reads, in one block of memory. One that shares the caller's memory reads the caller's strings where they
 * are; one with a memory of its own gets copies of them all. */
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"
#include "spawn.h"

enum { MAX_CLOSES = 1 << 20 };

/* One block written twice: first without memory, for its size. */
struct block {
	char *at;
	size_t used;
};

static void *block_take(struct block *block, size_t size)
{
	void *p = block->at ? block->at + block->used : NULL;

	block->used += (size + 15) & ~(size_t)15;
	return p;
}

static void *block_copy(struct block *block, const void *from, size_t size)
{
	void *p = block_take(block, size);

	return p && size ? memcpy(p, from, size) : p;
}

static char *block_string(struct block *block, const char *s)
{
	return s ? block_copy(block, s, strlen(s) + 1) : NULL;
}

static const char *const *block_strings(struct block *block, const char *const *strings)
{
	const char **copy;
	size_t n = 0;

	if (!strings)
		return NULL;
	while (strings[n])
		n++;
	copy = block_copy(block, strings, (n + 1) * sizeof *strings);
	for (size_t i = 0; i < n; i++) {
		const char *s = block_string(block, strings[i]);

		if (copy)
			copy[i] = s;
	}
	return copy;
}

/* What a step points to. */
static void block_step(struct block *block, struct eff_step *s)
{
	switch (s->kind) {
	case EFF_STEP_SETGROUPS:
		s->ids.list = block_copy(block, s->ids.list, s->ids.n * sizeof *s->ids.list);
		break;
	case EFF_STEP_AFFINITY:
		s->mask.list = block_copy(block, s->mask.list, s->mask.n * sizeof *s->mask.list);
		break;
	case EFF_STEP_WRITE:
		s->file.path = block_string(block, s->file.path);
		s->file.text = block_string(block, s->file.text);
		break;
	case EFF_STEP_FILTER:
		s->filter.list = block_copy(
			block, s->filter.list, s->filter.n * sizeof *s->filter.list);
		break;
	case EFF_STEP_CHROOT:
	case EFF_STEP_CHDIR:
		s->path = block_string(block, s->path);
		break;
	default:
		break;
	}
}

static const struct eff_step *block_steps(
	struct block *block, const struct eff_step *steps, unsigned n)
{
	struct eff_step *copy = block_copy(block, steps, n * sizeof *steps);

	for (unsigned i = 0; i < n; i++) {
		struct eff_step step = steps[i];

		block_step(block, &step);
		if (copy)
			copy[i] = step;
	}
	return copy;
}

static struct eff__child *child_write(struct block *block, const struct eff_spawn *spawn, bool copies)
{
	struct eff__child *child = block_take(block, sizeof *child);
	int *moved = block_copy(block, spawn->fds, spawn->n_fds * sizeof *moved);
	char *candidate = NULL;
	struct eff_spawn own = *spawn;

	if (spawn->search)
		candidate = block_take(block, strlen(spawn->search) + strlen(spawn->path) + 2);
	if (copies) {
		own.path = block_string(block, spawn->path);
		own.search = block_string(block, spawn->search);
		own.argv = block_strings(block, spawn->argv);
		own.envp = block_strings(block, spawn->envp);
		own.fds = block_copy(block, spawn->fds, spawn->n_fds * sizeof *spawn->fds);
		if (spawn->ignored)
			own.ignored = block_copy(block, spawn->ignored, sizeof *spawn->ignored);
		own.steps = block_steps(block, spawn->steps, spawn->n_steps);
	}
	if (child)
		*child = (struct eff__child){
			.spawn = own, .moved = moved, .candidate = candidate, .carrier_fd = -1};
	return child;
}

static unsigned fds_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > MAX_CLOSES)
		return MAX_CLOSES;
	return (unsigned)limit.rlim_cur;
}

/* Where it is there it can also part tables, since the same day. */
static bool has_close_range(void)
{
#ifdef SYS_close_range
	static _Atomic int answer = 1;

	if (answer > 0)
		answer = (int)syscall(SYS_close_range, ~0U, ~0U, 0);
	return answer == 0 && !(eff__proc_without & EFF__WITHOUT_CLOSE_RANGE);
#else
	return false;
#endif
}

struct eff__child *eff__child_new(const struct eff_spawn *spawn, bool copies, int status_fd)
{
	struct block block = {0};
	struct eff__child *child;

	child_write(&block, spawn, copies);
	block.at = malloc(block.used);
	if (!block.at)
		return NULL;
	block.used = 0;
	child = child_write(&block, spawn, copies);
	child->status_fd = status_fd;
	child->parent = getpid();
	child->no_close_range = !has_close_range();
	child->fds_limit = child->no_close_range ? fds_limit() : 0;
	return child;
}
