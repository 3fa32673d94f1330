/* SPDX-License-Identifier: MIT */
/* A hundred short sleeps, one after the other and side by side; then what a fiber costs by itself. */
#include <time.h>
#include <unistd.h>

#include "example.h"

enum { TASKS = 100, FORKS = 100000, SWITCHES = 1000000, SUSPENDED = 10000 };

static eff_exit simple_task(void *arg)
{
	int r = eff_sleep(EFF_MS(1)); /* minimal work */

	return r < 0 ? eff_exit_of(r) : eff_ok_number((int64_t)NUMBER_OF(arg) * 2);
}

static double run_directly(void)
{
	eff_ns start = eff_now();

	for (int i = 0; i < TASKS; i++)
		(void)eff_call(EFF(simple_task, NUMBER(i)));
	return (double)(eff_now() - start) / 1e9;
}

static double run_in_fibers(void)
{
	struct eff_fiber *fibers[TASKS];
	eff_ns start = eff_now();
	int n = 0;

	while (n < TASKS && eff_fork(EFF(simple_task, NUMBER(n)), &fibers[n]) == 0)
		n++;
	for (int i = 0; i < n; i++)
		eff_exit_drop(join(fibers[i]));
	return (double)(eff_now() - start) / 1e9;
}

/* ── the true costs, in real time whatever the runtime's clock ── */

static double real_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static eff_exit nothing(void *arg)
{
	return eff_ok(arg);
}

static double fork_ns(void)
{
	double start = real_ns();
	struct eff_fiber *fiber;

	for (int i = 0; i < FORKS && eff_fork(EFF(nothing, NULL), &fiber) == 0; i++)
		eff_exit_drop(join(fiber));
	return (real_ns() - start) / FORKS;
}

static eff_exit yielder(void *arg)
{
	(void)arg;
	for (int i = 0; i < SWITCHES / 2; i++)
		(void)eff_yield();
	return eff_ok(NULL);
}

/* Two fibers give way to each other. */
static double switch_ns(void)
{
	struct eff_fiber *other;
	double start;
	double end;

	if (eff_fork(EFF(yielder, NULL), &other) < 0)
		return 0;
	start = real_ns();
	(void)yielder(NULL);
	end = real_ns();
	eff_exit_drop(join(other));
	return (end - start) / SWITCHES;
}

static eff_exit waiter(void *arg)
{
	return eff_exit_of(eff_event_await(arg));
}

static double resident_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%*s %ld", &pages) != 1)
		pages = 0;
	(void)fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double bytes_per_fiber(void)
{
	double before = resident_bytes();
	struct eff_event never;
	struct eff_scope scope;
	double after;

	eff_event_init(&never);
	eff_scope_open(&scope);
	for (int i = 0; i < SUSPENDED; i++)
		(void)eff_fork(EFF(waiter, &never), NULL);
	/* Each begins, and waits. */
	(void)eff_yield();
	after = resident_bytes();
	(void)eff_scope_close(&scope);
	return (after - before) / SUSPENDED;
}

static eff_exit performance_comparison(void *arg)
{
	double direct = run_directly();
	double fibers = run_in_fibers();

	(void)arg;
	EFF_TRY(compared, eff_exit_of(eff_check()));
	say("📊 Performance Comparison (%d tasks):", TASKS);
	say("   Direct execution: %.3fs", direct);
	say("   Fiber execution: %.3fs", fibers);
	say("   Overhead: %.1f%%", (fibers - direct) / direct * 100);
	say("   Fork and await of nothing: %.3f µs", fork_ns() / 1e3);
	say("   Switch: %.1f ns", switch_ns());
	say("   Suspended fiber: %.0f bytes", bytes_per_fiber());
	return eff_ok(NULL);
}

int main(int argc, char **argv)
{
	struct eff_rt_opts opts = example_opts(argc, argv);

	return eff_main(EFF(performance_comparison, NULL), &opts);
}
