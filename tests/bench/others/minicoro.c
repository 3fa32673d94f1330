/* SPDX-License-Identifier: MIT */
/* minicoro: coroutines without a scheduler, so that there is nothing to wait with. */
#define MINICORO_IMPL
#include <minicoro.h>

#include "driver.h"

/* Its stacks as mapped memory are slow to make, and fewer can be had. */
#ifdef MCO_USE_VMEM_ALLOCATOR
enum { HIS_FORKS = FORKS / 50 };
#else
enum { HIS_FORKS = FORKS };
#endif

static void yields(mco_coro *self)
{
	for (;;)
		(void)mco_yield(self);
}

static void nothing(mco_coro *self)
{
	(void)self;
}

static mco_coro *begin(void (*fn)(mco_coro *))
{
	mco_desc desc = mco_desc_init(fn, 0);
	mco_coro *one;

	if (mco_create(&one, &desc) != MCO_SUCCESS)
		_exit(1);
	(void)mco_resume(one);
	return one;
}

static void measure_switch(void)
{
	mco_coro *one = begin(yields);
	double began = now_ns();

	for (long i = 0; i < SWITCHES / 2; i++)
		(void)mco_resume(one);
	report("switch", (now_ns() - began) / SWITCHES, "ns");
}

static void measure_fork(void)
{
	double began = now_ns();

	for (long i = 0; i < HIS_FORKS; i++)
		(void)mco_destroy(begin(nothing));
	report("fork_await", (now_ns() - began) / HIS_FORKS, "ns");
}

static void measure_live(void)
{
	struct kept before = kept_bytes();
	double began = now_ns();

	for (long i = 0; i < LIVE; i++)
		(void)begin(yields);
	report_live(began, before, LIVE);
	_exit(0);
}

int main(int argc, char **argv)
{
	static const struct measure list[] = {{"switch", measure_switch},
		{"fork_await", measure_fork}, {"live", measure_live}, {NULL, NULL}};

	return measure_run(list, argc, argv);
}
