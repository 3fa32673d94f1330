/* SPDX-License-Identifier: MIT */
/* A million fibers that wait at once, on stacks of the usual size: they cost in proportion to how many they are, and each no
 * more than the page that it touches and its control block. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <check.h>

#include <eff.h>

#include "scale/cost.h"

enum { FIRST = 142858, FIBERS = FIRST * ((1 << SIZES) - 1) };
/* A page and the control block, 4.5 KiB; and a page of page tables for each 32 stacks. */
enum { BYTES_MOST = 4608 + 128 };

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* Crowds that are there at the same time, each twice the one before. */
struct crowd {
	struct eff_event go;
	size_t n, n_woken;
};

/* What the kernel gives this process, with its page tables. */
static double memory_bytes(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	double sum = 0, kib;

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "RssAnon: %lf kB", &kib) == 1 ||
			sscanf(line, "VmPTE: %lf kB", &kib) == 1)
			sum += kib * 1024;
	(void)fclose(file);
	return sum;
}

static eff_exit waits(void *arg)
{
	struct crowd *crowd = arg;

	(void)eff_event_await(&crowd->go);
	crowd->n_woken++;
	return eff_ok(NULL);
}

static void gathers(struct crowd *crowd)
{
	eff_event_init(&crowd->go);
	for (size_t i = 0; i < crowd->n; i++)
		ck_assert_int_eq(eff_fork(EFF(waits, crowd), NULL), 0);
	(void)eff_sleep(EFF_S(1));
}

static eff_exit crowds_meet(void *arg)
{
	struct costs *costs = arg;
	struct crowd crowds[SIZES];
	struct eff_scope scope;
	double bytes = memory_bytes();

	eff_scope_open(&scope);
	for (costs->size = 0; costs->size < SIZES; costs->size++) {
		struct crowd *crowd = &crowds[costs->size];

		*crowd = (struct crowd){.n = (size_t)FIRST << costs->size};
		costs_begin(costs);
		gathers(crowd);
		costs_count(costs, "fork and wait");
	}
	bytes = (memory_bytes() - bytes) / FIBERS;
	ck_assert_msg(bytes <= BYTES_MOST, "%.0f bytes a fiber that waits", bytes);
	for (costs->size = 0; costs->size < SIZES; costs->size++) {
		struct crowd *crowd = &crowds[costs->size];

		costs_begin(costs);
		eff_event_set(&crowd->go);
		(void)eff_sleep(EFF_S(1));
		costs_count(costs, "wake and end");
		ck_assert_uint_eq(crowd->n_woken, crowd->n);
	}
	(void)eff_scope_close(&scope);
	return eff_ok(NULL);
}

START_TEST(a_million_fibers_wait_at_once)
{
	struct eff_rt_opts opts = {.clock = eff_testclock_new(0), .seed = 1};
	struct costs costs = {0};
	struct eff_rt_stats stats;

	ck_assert_int_eq(eff_rt_new(&opts, &costs.rt), 0);
	eff_testclock_autojump(opts.clock, true);
	eff_exit_drop(eff_rt_run(costs.rt, EFF(crowds_meet, &costs)));
	eff_rt_stats(costs.rt, &stats);
	ck_assert_uint_gt(stats.fibers_peak, 1000000);
	costs_check(&costs);
	eff_rt_free(costs.rt);
	eff_testclock_free(opts.clock);
}
END_TEST

/* ── where it cannot be held ── */

static double memory_available(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[256];
	double kib = 0;

	while (file && fgets(line, sizeof(line), file) &&
		sscanf(line, "MemAvailable: %lf kB", &kib) != 1)
		;
	if (file)
		(void)fclose(file);
	return kib * 1024;
}

/* Each stack is 64 KiB of address space, of which a page is guarded and one is used. NULL: it can be held here. */
static const char *what_is_missing(void)
{
	size_t size = (size_t)FIBERS << 16;
	char *base = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	bool guards;

	if (base == MAP_FAILED)
		return "64 GiB of address space";
	guards = madvise(base, (size_t)sysconf(_SC_PAGESIZE), MADV_GUARD_INSTALL) == 0;
	(void)munmap(base, size);
	/* Where a guard splits a mapping, a process ends at some 32,000 of them. */
	if (!guards)
		return "Linux 6.13, for guard pages";
	return memory_available() < 1.25 * BYTES_MOST * FIBERS ? "6 GiB of memory" : NULL;
}

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("fibers");
	TCase *t = tcase_create("fibers");
	const char *missing = what_is_missing();

	if (missing) {
		printf("skipped: a million fibers need %s\n", missing);
		exit(77);
	}
	tcase_add_test(t, a_million_fibers_wait_at_once);
	suite_add_tcase(suite, t);
	return suite;
}
