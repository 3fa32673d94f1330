/* SPDX-License-Identifier: MIT */
/* neco. */
#include <neco.h>

#include "driver.h"

static neco_chan *channel;
static char **words;

static void yields(int argc, void **argv)
{
	(void)argc;
	(void)argv;
	for (long i = 0; i < SWITCHES / 2; i++)
		(void)neco_yield();
}

static void nothing(int argc, void **argv)
{
	(void)argc;
	(void)argv;
}

static void sleeps(int argc, void **argv)
{
	(void)argc;
	(void)neco_sleep((int64_t)(intptr_t)argv[0] * NECO_MILLISECOND);
}

static void sends(int argc, void **argv)
{
	(void)argc;
	(void)argv;
	for (long i = 0; i < MESSAGES; i++)
		(void)neco_chan_send(channel, &i);
}

static int64_t begin(void (*fn)(int, void **), long arg)
{
	if (neco_start(fn, 1, (void *)arg) != NECO_OK)
		_exit(1);
	return neco_lastid();
}

static void measure_switch(void)
{
	double began;

	(void)begin(yields, 0);
	began = now_ns();
	yields(0, NULL);
	report("switch", (now_ns() - began) / SWITCHES, "ns");
}

static void measure_fork(void)
{
	double began = now_ns();

	for (long i = 0; i < FORKS; i++)
		(void)neco_join(begin(nothing, 0));
	report("fork_await", (now_ns() - began) / FORKS, "ns");
}

static void measure_message(void)
{
	double began;
	long got;

	(void)neco_chan_make(&channel, sizeof(got), 0);
	(void)begin(sends, 0);
	began = now_ns();
	for (long i = 0; i < MESSAGES; i++)
		(void)neco_chan_recv(channel, &got);
	report("message", (now_ns() - began) / MESSAGES, "ns");
}

static void measure_live(void)
{
	struct kept before = kept_bytes();
	double began = now_ns();

	for (long i = 0; i < LIVE; i++)
		(void)begin(sleeps, 1000000);
	report_live(began, before, LIVE);
}

static void all_sleep(int same)
{
	static int64_t ids[LIVE];

	for (long i = 0; i < LIVE; i++)
		ids[i] = begin(sleeps, same ? 1 : timer_ms(i));
	for (long i = 0; i < LIVE; i++)
		(void)neco_join(ids[i]);
}

static void measure_sleep(void)
{
	for (int round = 0; round < 2; round++) {
		double began = now_ns();

		all_sleep(1);
		report(round ? "sleep_warm" : "sleep_cold", (now_ns() - began) / 1e6, "ms");
	}
}

static void measure_timers(void)
{
	double cpu = cpu_ns();

	all_sleep(0);
	report("timers", (cpu_ns() - cpu) / LIVE, "ns");
}

static void top(int argc, void **argv)
{
	static const struct measure list[] = {{"switch", measure_switch},
		{"fork_await", measure_fork}, {"message", measure_message}, {"live", measure_live},
		{"sleep", measure_sleep}, {"timers", measure_timers}, {NULL, NULL}};

	(void)argc;
	(void)argv;
	_exit(measure_run(list, 2, words));
}

int main(int argc, char **argv)
{
	words = argv;
	return argc == 2 ? neco_start(top, 0) : 100;
}
