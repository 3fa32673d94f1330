/* SPDX-License-Identifier: MIT */
/* Stacks: slots of a power of two in slabs of address space, each with a guard page at its low end.
 *
 * What is dear about a stack is the first touch of its pages, so a stack that was used is never given back to the kernel:
 * free ones are a list, the last used on top, linked through their own top words. Guard pages are installed by madvise,
 * which splits no mapping (by mprotect a process ends at some 32,000 of them); mprotect is the fallback. Slots are cut
 * from a slab in batches that grow with the number in use, so that a small program touches few pages. A fork reserves a
 * stack and the first run takes it: forking is what fails when memory ends, and a fiber that waits for its first run
 * holds no stack yet. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "internal.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef PIDFD_SELF
#define PIDFD_SELF (-10000)
#endif

enum {
	SMALLEST = 13, /* 8 KiB: a page and its guard */
	LARGEST = 30,
	N_CLASSES = LARGEST - SMALLEST + 1,
	BATCH_LEAST = 4,
	BATCH_MOST = 64,
	/* Redzones make frames several times as large. */
	SIZE_FACTOR = EFF__ASAN || EFF__TSAN ? 4 : 1,
};

#if EFF__VALGRIND
bool eff__stacks_checked;
#endif

static const size_t slab_bytes = (size_t)64 << 20;

struct slab {
	struct slab *next;
	char *base;
	size_t size;
};

struct eff__stacks {
	struct eff__stack_class classes[N_CLASSES];
	struct slab *slabs;
	size_t mapped;
	size_t page;
	bool by_mprotect;
	struct iovec pages[BATCH_MOST]; /* what is said to the kernel of a batch */
};

/* A slot is at least a page and its guard. */
struct eff__stack_class *eff__stack_class(struct eff__stacks *stacks, size_t size)
{
	unsigned bits;

	if (size > (size_t)1 << LARGEST)
		return NULL;
	size *= SIZE_FACTOR;
	if (size < 2 * stacks->page)
		size = 2 * stacks->page;
	bits = (unsigned)(64 - __builtin_clzl(size - 1));
	return bits > LARGEST ? NULL : &stacks->classes[bits - SMALLEST];
}

struct eff__stacks *eff__stacks_new(void)
{
	struct eff__stacks *stacks = calloc(1, sizeof(*stacks));

	if (!stacks)
		return NULL;
	stacks->page = (size_t)sysconf(_SC_PAGESIZE);
	for (unsigned i = 0; i < N_CLASSES; i++)
		stacks->classes[i].size = ((size_t)1 << (i + SMALLEST)) - stacks->page;
#if EFF__VALGRIND
	eff__stacks_checked = EFF__ON_VALGRIND;
#endif
#ifdef EFF_GUARD_MPROTECT
	eff__stacks_guard_by_mprotect(stacks);
#endif
	return stacks;
}

void eff__stacks_guard_by_mprotect(struct eff__stacks *stacks)
{
	stacks->by_mprotect = true;
}

void eff__stacks_free(struct eff__stacks *stacks)
{
	struct slab *slab;

	if (!stacks)
		return;
	while ((slab = stacks->slabs)) {
		stacks->slabs = slab->next;
		(void)munmap(slab->base, slab->size);
		free(slab);
	}
	free(stacks);
}

size_t eff__stacks_mapped(const struct eff__stacks *stacks)
{
	return stacks->mapped;
}

/* Where address space is short a smaller slab will do. */
static char *map(size_t least, size_t *ret_size)
{
	size_t size = least > slab_bytes ? least : slab_bytes;
	char *base;

	for (;;) {
		base = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
		if (base != MAP_FAILED || size / 4 < least)
			break;
		size /= 4;
	}
	*ret_size = size;
	return base == MAP_FAILED ? NULL : base;
}

static int add_slab(struct eff__stacks *stacks, struct eff__stack_class *class, size_t slot)
{
	struct slab *slab = malloc(sizeof(*slab));

	if (!slab)
		return -ENOMEM;
	slab->base = map(slot, &slab->size);
	if (!slab->base) {
		free(slab);
		return -ENOMEM;
	}
	/* A forked child runs on the main stack and needs none of these; huge pages would make every fiber cost one. */
	(void)madvise(slab->base, slab->size, MADV_DONTFORK);
	(void)madvise(slab->base, slab->size, MADV_NOHUGEPAGE);
	slab->next = stacks->slabs;
	stacks->slabs = slab;
	stacks->mapped += slab->size;
	class->uncut = slab->base;
	class->end = slab->base + slab->size;
	return 0;
}

/* The kernel does one thing to the `n` pages of stacks->pages, in one call: a call for each takes several times as long.
 * Kernels before 6.15 refuse, and so do checkers. */
static bool advise(struct eff__stacks *stacks, size_t n, int advice)
{
	ssize_t r = syscall(SYS_process_madvise, PIDFD_SELF, stacks->pages, n, advice, 0);

	return r == (ssize_t)(n * stacks->page);
}

static int guard(struct eff__stacks *stacks, char *slot)
{
	if (!stacks->by_mprotect) {
		if (!madvise(slot, stacks->page, MADV_GUARD_INSTALL))
			return 0;
		if (errno != EINVAL)
			return -ENOMEM;
		stacks->by_mprotect = true;
	}
	return mprotect(slot, stacks->page, PROT_NONE) ? -ENOMEM : 0;
}

/* Guard the next `n` slots that are not cut yet. Returns for how many it could. */
static size_t guard_all(struct eff__stacks *stacks, const struct eff__stack_class *class, size_t n)
{
	size_t slot = class->size + stacks->page;

	for (size_t i = 0; i < n; i++)
		stacks->pages[i] = (struct iovec){class->uncut + i * slot, stacks->page};
	if (!stacks->by_mprotect && advise(stacks, n, MADV_GUARD_INSTALL))
		return n;
	for (size_t i = 0; i < n; i++)
		if (guard(stacks, class->uncut + i * slot) < 0)
			return i;
	return n;
}

static void push(struct eff__stack_class *class, void *top)
{
	*(void **)top = class->free;
	class->free = top;
	class->n_spare++;
}

/* Cut a batch of slots. One is enough to succeed. */
int eff__stack_cut(struct eff__stacks *stacks, struct eff__stack_class *class)
{
	size_t slot = class->size + stacks->page;
	size_t n = class->n_cut / 4;
	int r = 0;

	if (class->uncut == class->end)
		r = add_slab(stacks, class, slot);
	if (r < 0)
		return r;
	if (n < BATCH_LEAST)
		n = slot > slab_bytes / 64 ? 1 : BATCH_LEAST;
	if (n > BATCH_MOST)
		n = BATCH_MOST;
	if (n > (size_t)(class->end - class->uncut) / slot)
		n = (size_t)(class->end - class->uncut) / slot;
	n = guard_all(stacks, class, n);
	/* Every stack's top page is touched at once, by its link here: better by all in one call than by a fault each. */
	for (size_t i = 0; i < n; i++)
		stacks->pages[i].iov_base = class->uncut + (i + 1) * slot - stacks->page;
	if (n > 1)
		(void)advise(stacks, n, MADV_POPULATE_WRITE);
	for (size_t i = 0; i < n; i++) {
		class->uncut += slot;
		push(class, class->uncut - sizeof(void *));
	}
	class->n_cut += n;
	return n ? 0 : -ENOMEM;
}

void eff__stack_show(struct eff__stack *stack)
{
	char *base = eff__stack_base(stack);
	size_t size = eff__stack_size(stack);

#if EFF__VALGRIND
	stack->valgrind_id = VALGRIND_STACK_REGISTER(base, base + size);
#endif
#if EFF__ASAN
	/* The last fiber's frames never returned. */
	ASAN_UNPOISON_MEMORY_REGION(base, size);
	__lsan_register_root_region(base, size);
#endif
	(void)base;
	(void)size;
}

void eff__stack_hide(struct eff__stack *stack)
{
#if EFF__VALGRIND
	VALGRIND_STACK_DEREGISTER(stack->valgrind_id);
#endif
#if EFF__ASAN
	__lsan_unregister_root_region(eff__stack_base(stack), eff__stack_size(stack));
	ASAN_UNPOISON_MEMORY_REGION(stack->top, sizeof(void *));
#endif
	(void)stack;
}

/* The kernel is asked for a number of pages at a time, from the far end on. */
size_t eff__stack_touched(const struct eff__stack *stack)
{
	enum { AT_ONCE = 64 };
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = eff__stack_size(stack);
	char *base = eff__stack_base(stack);
	size_t n_pages = size / page;
	unsigned char there[AT_ONCE];

	for (size_t i = 0; i < n_pages; i++) {
		size_t n = n_pages - i < AT_ONCE ? n_pages - i : AT_ONCE;

		if (i % AT_ONCE == 0 && mincore(base + i * page, n * page, there) < 0)
			return 0;
		if (there[i % AT_ONCE] & 1)
			return size - i * page;
	}
	return 0;
}

bool eff__stack_is_guard(const struct eff__stack *stack, const void *address)
{
	const char *end = eff__stack_base(stack);
	size_t size = eff__stack_size(stack);
	/* Together they are a power of two. */
	size_t guard_bytes = ((size_t)1 << (64 - __builtin_clzl(size))) - size;

	return (const char *)address < end && (const char *)address >= end - guard_bytes;
}
