/* SPDX-License-Identifier: MIT */
/* What fibers cost: a switch, a message, a fork and its await, a suspended fiber's memory, a sleep, a timer. Run as the drivers in
 * others/ are, MEASURE, in a process each so that every one starts cold; without an argument all take turns a few times, and
 * the best counts. Prints `name value unit`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <eff/channel.h>
#include <eff/clock.h>
#include <eff/event.h>
#include <eff/fiber.h>
#include <eff/runtime.h>
#include <eff/scope.h>

enum { SWITCHES = 10000000, MESSAGES = 10000000, FORKS = 3000000, FIBERS = 100000, ROUNDS = 5 };

struct result {
	double value, second, third;
};

static double now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static eff_exit yielder(void *arg)
{
	for (long n = *(long *)arg; n; n--)
		(void)eff_yield();
	return eff_ok(NULL);
}

static eff_exit nothing(void *arg)
{
	return eff_ok(arg);
}

static eff_exit sleeper(void *arg)
{
	(void)eff_sleep(EFF_MS(1));
	return eff_ok(arg);
}

static eff_exit waiter(void *arg)
{
	(void)eff_event_await(arg);
	return eff_ok(NULL);
}

static eff_exit measure_switch(void *arg)
{
	long half = SWITCHES / 2;
	struct result *result = arg;
	struct eff_fiber *other;
	double began;

	if (eff_fork(EFF(yielder, &half), &other) < 0)
		return eff_fail(1);
	began = now_ns();
	for (long n = half; n; n--)
		(void)eff_yield();
	result->value = (now_ns() - began) / SWITCHES;
	(void)eff_await(other, NULL);
	eff_fiber_unref(other);
	return eff_ok(NULL);
}

static eff_exit sender(void *arg)
{
	struct eff_queue *queue = arg;

	for (uintptr_t n = 1; n <= MESSAGES; n++)
		(void)eff_queue_send(queue, &n);
	return eff_ok(NULL);
}

/* A message from one fiber to another, by a queue of that capacity. */
static double messages(size_t capacity)
{
	struct eff_queue queue;
	uintptr_t ring[1];
	uintptr_t message;
	double began;

	eff_queue_init(&queue, ring, sizeof(ring[0]), capacity, EFF_FULL_WAITS);
	if (eff_fork(EFF(sender, &queue), NULL) < 0)
		return -1;
	began = now_ns();
	for (uintptr_t n = 1; n <= MESSAGES; n++)
		if (eff_queue_receive(&queue, &message) < 0 || message != n)
			return -1;
	return (now_ns() - began) / MESSAGES;
}

static eff_exit measure_message(void *arg)
{
	struct result *result = arg;

	result->value = messages(0);
	result->second = messages(1);
	return result->value > 0 && result->second > 0 ? eff_ok(NULL) : eff_fail(1);
}

static eff_exit measure_fork(void *arg)
{
	struct result *result = arg;
	double began = now_ns();

	for (long n = FORKS; n; n--) {
		struct eff_fiber *child;

		if (eff_fork(EFF(nothing, NULL), &child) < 0)
			return eff_fail(1);
		(void)eff_await(child, NULL);
		eff_fiber_unref(child);
	}
	result->value = (now_ns() - began) / FORKS;
	return eff_ok(NULL);
}

/* Bytes of the process: its own memory, and the page tables. */
static void kept(double *ret_own, double *ret_tables)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	double kib;

	*ret_own = *ret_tables = 0;
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "RssAnon: %lf kB", &kib) == 1 ||
			sscanf(line, "RssShmem: %lf kB", &kib) == 1)
			*ret_own += kib * 1024;
		else if (sscanf(line, "VmPTE: %lf kB", &kib) == 1)
			*ret_tables += kib * 1024;
	}
	if (file)
		(void)fclose(file);
}

static eff_exit measure_live(void *arg)
{
	struct result *result = arg;
	struct eff_event never;
	double own, tables, own_now, tables_now, began;

	eff_event_init(&never);
	kept(&own, &tables);
	began = now_ns();
	for (long n = FIBERS; n; n--)
		if (eff_fork(EFF(waiter, &never), NULL) < 0)
			return eff_fail(1);
	(void)eff_yield();
	result->second = (now_ns() - began) / FIBERS;
	kept(&own_now, &tables_now);
	result->value = (own_now - own) / FIBERS;
	result->third = (tables_now - tables) / FIBERS;
	eff_event_set(&never);
	return eff_ok(NULL);
}

static double sleep_all(void)
{
	double began = now_ns();

	for (long n = FIBERS; n; n--)
		if (eff_fork(EFF(sleeper, NULL), NULL) < 0)
			return -1;
	while (!eff_list_empty(&eff_scope_current()->fibers))
		(void)eff_sleep(EFF_US(100));
	return (now_ns() - began) / 1e6;
}

static eff_exit measure_sleep(void *arg)
{
	struct result *result = arg;

	result->value = sleep_all();
	result->second = sleep_all();
	return eff_ok(NULL);
}

static eff_exit timer(void *arg)
{
	(void)eff_sleep(EFF_MS((long)arg));
	return eff_ok(NULL);
}

static double cpu_ns(void)
{
	struct rusage used;

	(void)getrusage(RUSAGE_SELF, &used);
	return ((double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec) * 1e9 +
		((double)used.ru_utime.tv_usec + (double)used.ru_stime.tv_usec) * 1e3;
}

/* Of many lengths up to a second, in no order. */
static eff_exit measure_timers(void *arg)
{
	struct result *result = arg;
	double began = cpu_ns();

	for (long i = 0; i < FIBERS; i++)
		if (eff_fork(EFF(timer, (void *)(1 + i * 7919 % 1000)), NULL) < 0)
			return eff_fail(1);
	while (!eff_list_empty(&eff_scope_current()->fibers))
		(void)eff_sleep(EFF_MS(10));
	result->value = (cpu_ns() - began) / FIBERS;
	return eff_ok(NULL);
}

/* Run `fn` in a process of its own; false when it could not be measured. */
static bool measure(eff_fn *fn, struct result *ret_result)
{
	int ends[2];
	bool good;
	pid_t pid;

	if (pipe(ends) < 0)
		return false;
	pid = fork();
	if (!pid) {
		struct result result = {0};
		struct eff_rt *rt;

		if (eff_rt_new(NULL, &rt) < 0 || !eff_is_ok(eff_rt_run(rt, EFF(fn, &result))))
			_exit(1);
		_exit(write(ends[1], &result, sizeof(result)) == sizeof(result) ? 0 : 1);
	}
	(void)close(ends[1]);
	good = pid > 0 && read(ends[0], ret_result, sizeof(*ret_result)) == sizeof(*ret_result);
	(void)close(ends[0]);
	(void)waitpid(pid, NULL, 0);
	return good;
}

static const struct row {
	const char *name;
	eff_fn *fn;
	const char *first, *second, *third, *unit, *second_unit;
} rows[] = {
	{"switch", measure_switch, "switch", NULL, NULL, "ns", NULL},
	{"message", measure_message, "message", "message_of_1", NULL, "ns", "ns"},
	{"fork_await", measure_fork, "fork_await", NULL, NULL, "ns", NULL},
	{"live", measure_live, "live", "live_make", "live_tables", "bytes", "ns"},
	{"sleep", measure_sleep, "sleep_cold", "sleep_warm", NULL, "ms", "ms"},
	{"timers", measure_timers, "timers", NULL, NULL, "ns", NULL},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static void report(const struct row *row, const struct result *result)
{
	printf("%s %.1f %s\n", row->first, result->value, row->unit);
	if (row->second)
		printf("%s %.1f %s\n", row->second, result->second, row->second_unit);
	if (row->third)
		printf("%s %.1f %s\n", row->third, result->third, row->unit);
}

static int measure_one(const char *name)
{
	struct result one;

	for (int row = 0; row < ROWS; row++)
		if (!strcmp(rows[row].name, name) && measure(rows[row].fn, &one))
			report(&rows[row], &one);
	return 0;
}

int main(int argc, char **argv)
{
	struct result best[ROWS];
	struct result one;

	if (argc > 1)
		return measure_one(argv[1]);
	for (int row = 0; row < ROWS; row++)
		best[row] = (struct result){1e300, 1e300, 1e300};
	for (int i = 0; i < ROWS * ROUNDS; i++) {
		struct result *mine = &best[i % ROWS];

		if (!measure(rows[i % ROWS].fn, &one))
			continue;
		mine->value = one.value < mine->value ? one.value : mine->value;
		mine->second = one.second < mine->second ? one.second : mine->second;
		mine->third = one.third < mine->third ? one.third : mine->third;
	}
	for (int row = 0; row < ROWS; row++)
		report(&rows[row], &best[row]);
	return 0;
}
