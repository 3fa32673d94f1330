/* SPDX-License-Identifier: MIT */
/* What every driver of a fiber library shares. It is run as `DRIVER MEASURE`, a process each so that every measure starts cold,
 * and prints `name value unit`; of what its library has not, nothing. */
#ifndef BENCH_DRIVER_H
#define BENCH_DRIVER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SWITCHES = 10000000, FORKS = 1000000, MESSAGES = 3000000, LIVE = 100000 };

static inline double now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The process's own memory and its page tables. */
static inline double memory_bytes(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	double sum = 0, kib;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "RssAnon: %lf kB", &kib) == 1 ||
			sscanf(line, "VmPTE: %lf kB", &kib) == 1)
			sum += kib * 1024;
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
static inline void report_live(double began_ns, double bytes, double n)
{
	report("live_make", (now_ns() - began_ns) / n, "ns");
	report("live", (memory_bytes() - bytes) / n, "bytes");
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
