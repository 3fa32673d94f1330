/* SPDX-License-Identifier: MIT */
/* libdill. A guard page each is a mapping each: with them the kernel has no room for as many as are wanted. */
#include <libdill.h>

#include "driver.h"

static coroutine void yields(long n)
{
	while (n--)
		(void)yield();
}

static coroutine void nothing(void)
{
}

static coroutine void sleeps(int64_t ms)
{
	(void)msleep(now() + ms);
}

static coroutine void sends(int channel)
{
	for (long i = 0; i < MESSAGES; i++)
		(void)chsend(channel, &i, sizeof(i), -1);
}

static void measure_switch(void)
{
	int all = bundle();
	double began;

	(void)bundle_go(all, yields(SWITCHES / 2));
	began = now_ns();
	for (long i = 0; i < SWITCHES / 2; i++)
		(void)yield();
	report("switch", (now_ns() - began) / SWITCHES, "ns");
}

static void measure_fork(void)
{
	double began = now_ns();

	for (long i = 0; i < FORKS; i++) {
		int one = go(nothing());

		(void)hclose(one);
	}
	report("fork_await", (now_ns() - began) / FORKS, "ns");
}

static void measure_message(void)
{
	int channel[2], all = bundle();
	double began;
	long got;

	(void)chmake(channel);
	(void)bundle_go(all, sends(channel[0]));
	began = now_ns();
	for (long i = 0; i < MESSAGES; i++)
		(void)chrecv(channel[1], &got, sizeof(got), -1);
	report("message", (now_ns() - began) / MESSAGES, "ns");
}

static void measure_live(void)
{
	struct kept before = kept_bytes();
	double began = now_ns();
	int all = bundle();

	for (long i = 0; i < LIVE; i++)
		if (bundle_go(all, sleeps(1000000)) < 0)
			_exit(1);
	report_live(began, before, LIVE);
	_exit(0);
}

static void measure_sleep(void)
{
	for (int round = 0; round < 2; round++) {
		double began = now_ns();
		int all = bundle();

		for (long i = 0; i < LIVE; i++)
			if (bundle_go(all, sleeps(1)) < 0)
				_exit(1);
		(void)bundle_wait(all, -1);
		report(round ? "sleep_warm" : "sleep_cold", (now_ns() - began) / 1e6, "ms");
		(void)hclose(all);
	}
}

static void measure_timers(void)
{
	double cpu = cpu_ns();
	int all = bundle();

	for (long i = 0; i < LIVE; i++)
		if (bundle_go(all, sleeps(timer_ms(i))) < 0)
			_exit(1);
	(void)bundle_wait(all, -1);
	report("timers", (cpu_ns() - cpu) / LIVE, "ns");
}

int main(int argc, char **argv)
{
	static const struct measure list[] = {{"switch", measure_switch},
		{"fork_await", measure_fork}, {"message", measure_message}, {"live", measure_live},
		{"sleep", measure_sleep}, {"timers", measure_timers}, {NULL, NULL}};

	return measure_run(list, argc, argv);
}
