/* SPDX-License-Identifier: MIT */
/* What is left when a library does nothing but switch: a bare exchange of stacks, a queue of those that are ready, stacks
 * populated in bulk, a heap of timers. No owners, no cancelling, no descriptors, no guards. */
#include <stdint.h>
#include <sys/mman.h>

#include "driver.h"

#ifdef __x86_64__
enum { STACK = 4096, AT_ONCE = 4096, WAYS = 4 };

struct fiber {
	void *at;
	struct fiber *next;
	void (*fn)(void);
	double wakes_ns;
	struct fiber *joiner;
	int ended;
};

/* Who did not call from where the one that is left called from is jumped to: a return would be predicted wrongly. */
void limit_swap(void **from, void *to);
__asm__(".text\n.type limit_swap,@function\nlimit_swap:\nmov (%rsp),%rax\n"
	"push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
	"mov %rsp,(%rdi)\nmov %rsi,%rsp\n"
	"pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\n"
	"cmp %rax,(%rsp)\njne 1f\nret\n1: pop %rcx\njmp *%rcx\n");

struct queue {
	struct fiber *first, **last;
};

static struct fiber root, *current = &root, *spare;
static struct queue ready = {.last = &ready.first};
static struct fiber *sleeping[LIVE]; /* a heap: none wakes before the one that it is below */
static long n_sleeping;
static char *uncut, *cut_end;

static void put(struct queue *queue, struct fiber *fiber)
{
	fiber->next = NULL;
	*queue->last = fiber;
	queue->last = &fiber->next;
}

static struct fiber *take(struct queue *queue)
{
	struct fiber *fiber = queue->first;

	queue->first = fiber->next;
	if (!queue->first)
		queue->last = &queue->first;
	return fiber;
}

static void heap_put(struct fiber *fiber)
{
	long at = n_sleeping++, above;

	for (; at > 0 && sleeping[above = (at - 1) / WAYS]->wakes_ns > fiber->wakes_ns; at = above)
		sleeping[at] = sleeping[above];
	sleeping[at] = fiber;
}

static struct fiber *heap_take(void)
{
	struct fiber *first = sleeping[0], *last = sleeping[--n_sleeping];
	long at = 0, below;

	while ((below = WAYS * at + 1) < n_sleeping) {
		long least = below;

		for (long i = below + 1; i < below + WAYS && i < n_sleeping; i++)
			if (sleeping[i]->wakes_ns < sleeping[least]->wakes_ns)
				least = i;
		if (sleeping[least]->wakes_ns >= last->wakes_ns)
			break;
		sleeping[at] = sleeping[least];
		at = least;
	}
	sleeping[at] = last;
	return first;
}

static void idle(void)
{
	double now = now_ns();

	if (sleeping[0]->wakes_ns > now) {
		double left = sleeping[0]->wakes_ns - now;

		(void)clock_nanosleep(
			CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = (long)left}, NULL);
		now = now_ns();
	}
	while (n_sleeping > 0 && sleeping[0]->wakes_ns <= now)
		put(&ready, heap_take());
}

static void suspend(void)
{
	struct fiber *me = current;

	while (!ready.first)
		idle();
	current = take(&ready);
	if (current != me)
		limit_swap(&me->at, current->at);
}

static void yield(void)
{
	put(&ready, current);
	suspend();
}

static void body(void)
{
	for (;;) {
		current->fn();
		current->ended = 1;
		if (current->joiner)
			put(&ready, current->joiner);
		current->next = spare;
		spare = current;
		suspend();
	}
}

static struct fiber *fiber_make(void)
{
	struct fiber *fiber;
	void **at;

	if (uncut == cut_end) {
		size_t size = (size_t)STACK * AT_ONCE;

		uncut = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE, -1, 0);
		if (uncut == MAP_FAILED)
			exit(1);
		cut_end = uncut + size;
	}
	uncut += STACK;
	/* It stands on its stack. */
	fiber = (struct fiber *)(uncut - sizeof(*fiber));
	at = (void **)((uintptr_t)fiber & ~(uintptr_t)15);
	*--at = NULL;
	*--at = (void *)body;
	fiber->at = at - 6;
	return fiber;
}

static struct fiber *spawn(void (*fn)(void))
{
	struct fiber *fiber = spare;

	if (fiber)
		spare = fiber->next;
	else
		fiber = fiber_make();
	fiber->fn = fn;
	fiber->ended = 0;
	fiber->joiner = NULL;
	put(&ready, fiber);
	return fiber;
}

static void nothing(void)
{
}

static void yields(void)
{
	for (long i = 0; i < SWITCHES / 2; i++)
		yield();
}

static void measure_switch(void)
{
	double began = now_ns();

	(void)spawn(yields);
	yields();
	report("switch", (now_ns() - began) / SWITCHES, "ns");
}

static void measure_fork(void)
{
	double began = now_ns();

	for (long i = 0; i < FORKS; i++) {
		struct fiber *fiber = spawn(nothing);

		fiber->joiner = current;
		suspend();
	}
	report("fork_await", (now_ns() - began) / FORKS, "ns");
}

static struct fiber *sender, *receiver;
static long box;

static void sends(void)
{
	for (long i = 1; i <= MESSAGES; i++) {
		while (box) {
			sender = current;
			suspend();
		}
		box = i;
		if (receiver)
			put(&ready, receiver);
		receiver = NULL;
	}
}

static void measure_message(void)
{
	double began = now_ns();

	(void)spawn(sends);
	for (long i = 0; i < MESSAGES; i++) {
		while (!box) {
			receiver = current;
			suspend();
		}
		box = 0;
		if (sender)
			put(&ready, sender);
		sender = NULL;
	}
	report("message", (now_ns() - began) / MESSAGES, "ns");
}

static void measure_live(void)
{
	struct kept before = kept_bytes();
	double began = now_ns();

	for (long i = 0; i < LIVE; i++)
		(void)spawn(suspend);
	yield();
	report_live(began, before, LIVE);
}

static long n_left, n_begun;
static int same;

static void sleeps(void)
{
	long ms = same ? 1 : timer_ms(n_begun++);

	current->wakes_ns = now_ns() + (double)ms * 1e6;
	heap_put(current);
	suspend();
	if (--n_left == 0)
		put(&ready, &root);
}

static void all_sleep(void)
{
	n_left = LIVE;
	for (long k = 0; k < LIVE; k++)
		(void)spawn(sleeps);
	suspend();
}

static void measure_sleep(void)
{
	same = 1;
	for (int i = 0; i < 2; i++) {
		double began = now_ns();

		all_sleep();
		report(i ? "sleep_warm" : "sleep_cold", (now_ns() - began) / 1e6, "ms");
	}
}

static void measure_timers(void)
{
	double cpu = cpu_ns();

	all_sleep();
	report("timers", (cpu_ns() - cpu) / LIVE, "ns");
}

int main(int argc, char **argv)
{
	static const struct measure list[] = {{"switch", measure_switch},
		{"fork_await", measure_fork}, {"message", measure_message}, {"live", measure_live},
		{"sleep", measure_sleep}, {"timers", measure_timers}, {NULL, NULL}};

	return measure_run(list, argc, argv);
}
#else
int main(void)
{
	return 0;
}
#endif
