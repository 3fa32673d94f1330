/* SPDX-License-Identifier: MIT */
/* What is left when a library does nothing but switch: a bare exchange of stacks, a queue of those that are ready, stacks
 * populated in bulk, timers all of one length and so a queue too. No owners, no cancelling, no descriptors, no guards. */
#include <stdint.h>
#include <sys/mman.h>

#include "driver.h"

#ifdef __x86_64__
enum { STACK = 4096, AT_ONCE = 4096, SLEEP_NS = 1000000 };

struct fiber {
	void *at;
	struct fiber *next;
	void (*fn)(void);
	double wakes_ns;
	struct fiber *joiner;
	int ended;
};

void limit_swap(void **from, void *to);
__asm__(".text\n.type limit_swap,@function\nlimit_swap:\n"
	"push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
	"mov %rsp,(%rdi)\nmov %rsi,%rsp\n"
	"pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n");

struct queue {
	struct fiber *first, **last;
};

static struct fiber root, *current = &root, *spare;
static struct queue ready = {.last = &ready.first}, sleeping = {.last = &sleeping.first};
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

static void idle(void)
{
	double now = now_ns();

	if (sleeping.first->wakes_ns > now) {
		double left = sleeping.first->wakes_ns - now;

		(void)clock_nanosleep(
			CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = (long)left}, NULL);
		now = now_ns();
	}
	while (sleeping.first && sleeping.first->wakes_ns <= now)
		put(&ready, take(&sleeping));
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
	double bytes = memory_bytes(), began = now_ns();

	for (long i = 0; i < LIVE; i++)
		(void)spawn(suspend);
	yield();
	report_live(began, bytes, LIVE);
}

static long n_left;

static void sleeps(void)
{
	current->wakes_ns = now_ns() + SLEEP_NS;
	put(&sleeping, current);
	suspend();
	if (--n_left == 0)
		put(&ready, &root);
}

static void measure_sleep(void)
{
	for (int i = 0; i < 2; i++) {
		double began = now_ns();

		n_left = LIVE;
		for (long k = 0; k < LIVE; k++)
			(void)spawn(sleeps);
		suspend();
		report(i ? "sleep_warm" : "sleep_cold", (now_ns() - began) / 1e6, "ms");
	}
}

int main(int argc, char **argv)
{
	static const struct measure list[] = {{"switch", measure_switch},
		{"fork_await", measure_fork}, {"message", measure_message},
		{"live", measure_live}, {"sleep", measure_sleep}, {NULL, NULL}};

	return measure_run(list, argc, argv);
}
#else
int main(void)
{
	return 0;
}
#endif
