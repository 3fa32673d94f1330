/* SPDX-License-Identifier: MIT */
/* What a tree costs before anything of it runs: to load and check it, and to compare two. Of ten thousand units and of four
 * times as many, for the one is to cost four times the other; the best of a few rounds counts. And what is kept when all was
 * given back. Prints `measure.effd value unit`. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "plan/changes.h"
#include "plan/diag.h"
#include "plan/source_files.h"

enum { FEW = 10000, MANY = 4 * FEW, ROUNDS = 5 };

struct costs {
	double load_us, compare_us; /* a unit */
};

static double now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

_Noreturn static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

/* Groups of ten, each unit but their first one with a need. */
static void tree_write(const char *path, unsigned n, unsigned argument)
{
	FILE *file = fopen(path, "we");

	if (!file)
		give_up(path);
	fputs("version: 1\ndefaults: {environment: {A: b}, stop: {timeout: 3s}}\nunits:\n", file);
	for (unsigned i = 0; i < n; i++) {
		if (i % 10 == 0)
			fprintf(file, "  g%u:\n    units:\n", i / 10);
		fprintf(file, "      u%u: {command: [/bin/true, '%u'], labels: {n: '%u'}", i,
			argument, i);
		if (i % 10)
			fprintf(file, ", depends_on: [u%u]", i - 1);
		fputs("}\n", file);
	}
	if (fclose(file) != 0)
		give_up(path);
}

static struct plan *tree_load(const char *path)
{
	static const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
	struct diags *diags = diags_new();
	struct plan_source source;
	struct plan *plan = NULL;

	source_files(environment, &source);
	if (!diags || plan_load(path, &source, &plan, diags) < 0) {
		diags_print(diags, stderr);
		exit(1);
	}
	diags_free(diags);
	return plan;
}

static void keep_least(double *least, double took, unsigned n)
{
	took /= n;
	if (*least == 0 || took < *least)
		*least = took;
}

static void measure(struct costs *costs, const char *folder, unsigned n)
{
	struct plan *plans[2];
	struct plan_change *changes;
	char path[2][64];
	uint32_t n_changes;
	double at;

	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(path[i], sizeof(path[i]), "%s/%u.yaml", folder, i);
		tree_write(path[i], n, i);
		at = now_us();
		plans[i] = tree_load(path[i]);
		keep_least(&costs->load_us, now_us() - at, n);
		(void)remove(path[i]);
	}
	at = now_us();
	if (plan_diff(plans[0], NULL, plans[1], &changes, &n_changes) < 0 || n_changes != n)
		give_up("plan_diff");
	keep_least(&costs->compare_us, now_us() - at, n);
	plan_changes_free(changes, n_changes);
	plan_unref(plans[0]);
	plan_unref(plans[1]);
}

static size_t held(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static void tell(const char *measure, double value, const char *unit)
{
	printf("%s.effd %.2f %s\n", measure, value, unit);
}

int main(void)
{
	char folder[] = "/tmp/effd-plans-XXXXXX";
	struct costs few = {0}, many = {0};
	size_t before = 0;

	if (!mkdtemp(folder))
		give_up(folder);
	for (int i = 0; i < ROUNDS; i++) {
		measure(&few, folder, FEW);
		measure(&many, folder, MANY);
		if (i == 0)
			before = held();
	}
	(void)remove(folder);
	tell("plan_load", few.load_us, "us");
	tell("plan_load_growth", many.load_us / few.load_us, "times");
	tell("plan_compare", few.compare_us, "us");
	tell("plan_compare_growth", many.compare_us / few.compare_us, "times");
	tell("plan_kept", (double)held() - (double)before, "B");
	return 0;
}
