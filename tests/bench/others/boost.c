/* SPDX-License-Identifier: MIT */
/* boost.context's switch, called from C: no scheduler, so there is nothing to wait with. Stacks are malloc'd. */
#include "driver.h"

typedef void *fcontext_t;
struct transfer {
	fcontext_t from;
	void *data;
};
extern struct transfer jump_fcontext(fcontext_t to, void *data);
extern fcontext_t make_fcontext(void *top, size_t size, void (*fn)(struct transfer));

enum { STACK = 65536 };

static void yields(struct transfer t)
{
	for (;;)
		t = jump_fcontext(t.from, NULL);
}

static struct transfer begin(char *stack)
{
	return jump_fcontext(make_fcontext(stack + STACK, STACK, yields), NULL);
}

static void measure_switch(void)
{
	char *stack = malloc(STACK);
	struct transfer t = begin(stack);
	double began = now_ns();

	for (long i = 0; i < SWITCHES / 2; i++)
		t = jump_fcontext(t.from, NULL);
	report("switch", (now_ns() - began) / SWITCHES, "ns");
	free(stack);
}

static void measure_fork(void)
{
	double began = now_ns();

	for (long i = 0; i < FORKS; i++) {
		char *stack = malloc(STACK);

		(void)begin(stack);
		free(stack);
	}
	report("fork_await", (now_ns() - began) / FORKS, "ns");
}

static void measure_live(void)
{
	struct kept before = kept_bytes();
	double began = now_ns();

	for (long i = 0; i < LIVE; i++)
		(void)begin(malloc(STACK));
	report_live(began, before, LIVE);
}

int main(int argc, char **argv)
{
	static const struct measure list[] = {{"switch", measure_switch},
		{"fork_await", measure_fork}, {"live", measure_live}, {NULL, NULL}};

	return measure_run(list, argc, argv);
}
