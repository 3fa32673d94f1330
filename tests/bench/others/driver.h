/* SPDX-License-Identifier: MIT */
/* What every driver of a fiber library shares. It is run as `DRIVER MEASURE`, a process each so that every measure starts cold,
 * and prints `name value unit`; of what its library has not, nothing. */
#ifndef BENCH_DRIVER_H
#define BENCH_DRIVER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { SWITCHES = 10000000, FORKS = 1000000, MESSAGES = 3000000, LIVE = 100000 };

static inline double now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline double cpu_ns(void)
{
	struct rusage used;

	(void)getrusage(RUSAGE_SELF, &used);
	return ((double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec) * 1e9 +
		((double)used.ru_utime.tv_usec + (double)used.ru_stime.tv_usec) * 1e3;
}

/* Timers of many lengths up to a second, in no order. */
static inline long timer_ms(long i)
{
	return 1 + i * 7919 % 1000;
}

/* Of the process: its own memory, and the page tables. */
struct kept {
	double own, tables;
};
static inline struct kept kept_bytes(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	struct kept sum = {0, 0};
	char line[256];
	double kib;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "RssAnon: %lf kB", &kib) == 1 ||
			sscanf(line, "RssShmem: %lf kB", &kib) == 1)
			sum.own += kib * 1024;
		else if (sscanf(line, "VmPTE: %lf kB", &kib) == 1)
			sum.tables += kib * 1024;
	}
	if (file)
		(void)fclose(file);
	return sum;
}

static inline void report(const char *name, double value, const char *unit)
{
	printf("%s %.1f %s\n", name, value, unit);
	(void)fflush(stdout);
}

/* Of many that live: what one took. */
static inline void report_live(double began_ns, struct kept before, double n)
{
	double took = now_ns() - began_ns;
	struct kept now = kept_bytes();

	report("live", (now.own - before.own) / n, "bytes");
	report("live_tables", (now.tables - before.tables) / n, "bytes");
	report("live_make", took / n, "ns");
}

struct measure {
	const char *name;
	void (*run)(void);
};

/* The list ends with a name that is NULL. */
static inline int measure_run(const struct measure *list, int argc, char **argv)
{
	for (; argc > 1 && list->name; list++)
		if (!strcmp(list->name, argv[1]))
			list->run();
	return 0;
}

#endif
