/* SPDX-License-Identifier: MIT */
/* GNU Pth. Its scheduler looks through all that wait, so that fewer are measured: what it says is of each. */
#include <pth.h>

#include "driver.h"

enum {
	FEWER_SWITCHES = SWITCHES / 50,
	FEWER_FORKS = FORKS / 20,
	FEWER_LIVE = LIVE / 10,
	FEWER_TIMERS = LIVE / 50
};

static void *yields(void *arg)
{
	for (long i = 0; i < FEWER_SWITCHES / 2; i++)
		(void)pth_yield(NULL);
	return arg;
}

static void *nothing(void *arg)
{
	return arg;
}

static void measure_switch(void)
{
	double began = now_ns();

	(void)pth_spawn(PTH_ATTR_DEFAULT, yields, NULL);
	(void)yields(NULL);
	report("switch", (now_ns() - began) / FEWER_SWITCHES, "ns");
}

static void measure_fork(void)
{
	double began = now_ns();

	for (long i = 0; i < FEWER_FORKS; i++)
		(void)pth_join(pth_spawn(PTH_ATTR_DEFAULT, nothing, NULL), NULL);
	report("fork_await", (now_ns() - began) / FEWER_FORKS, "ns");
}

static void measure_live(void)
{
	struct kept before = kept_bytes();
	double began = now_ns();

	for (long i = 0; i < FEWER_LIVE; i++)
		(void)pth_spawn(PTH_ATTR_DEFAULT, nothing, NULL);
	report_live(began, before, FEWER_LIVE);
	_exit(0);
}

static void *sleeps(void *arg)
{
	(void)pth_nap(pth_time(0, (long)arg * 1000));
	return NULL;
}

static void measure_timers(void)
{
	static pth_t all[FEWER_TIMERS];
	double cpu = cpu_ns();

	for (long i = 0; i < FEWER_TIMERS; i++)
		all[i] = pth_spawn(PTH_ATTR_DEFAULT, sleeps, (void *)timer_ms(i));
	for (long i = 0; i < FEWER_TIMERS; i++)
		(void)pth_join(all[i], NULL);
	report("timers", (cpu_ns() - cpu) / FEWER_TIMERS, "ns");
}

int main(int argc, char **argv)
{
	static const struct measure list[] = {{"switch", measure_switch},
		{"fork_await", measure_fork}, {"live", measure_live},
		{"timers", measure_timers}, {NULL, NULL}};

	(void)pth_init();
	return measure_run(list, argc, argv);
}
