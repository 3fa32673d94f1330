/* SPDX-License-Identifier: MIT */
/* The rounds, and what came of them. Prints `measure.name value unit`, the best value of each measure and peer. The environment
 * narrows it down: BENCH_PEERS and BENCH_MEASURES are lists of names with commas, BENCH_ROUNDS is a number, BENCH_SERVICES how
 * many a thousand are. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

enum { MOST_RESULTS = 512, BLOCKS_TOTAL = 200000000, LINES_TOTAL = 40000000 };

static struct row {
	char measure[32];
	const struct peer *peer;
	const char *unit;
	double value;
	bool higher;
} rows[MOST_RESULTS];
static unsigned n_rows, n_printed;

void result(const char *measure, const struct peer *peer, double value, const char *unit, bool higher)
{
	struct row *row = rows;

	while (row < rows + n_rows && (row->peer != peer || strcmp(row->measure, measure) != 0))
		row++;
	if (row == rows + MOST_RESULTS)
		abort();
	if (row == rows + n_rows) {
		*row = (struct row){.peer = peer, .unit = unit, .value = value, .higher = higher};
		(void)snprintf(row->measure, sizeof(row->measure), "%s", measure);
		n_rows++;
	} else if (higher ? value > row->value : value < row->value) {
		row->value = value;
	}
}

/* What is new since the last time. */
static void results_print(void)
{
	for (; n_printed < n_rows; n_printed++)
		printf("%s.%s %.2f %s\n", rows[n_printed].measure, rows[n_printed].peer->name,
			rows[n_printed].value, rows[n_printed].unit);
	(void)fflush(stdout);
}

const char *program_path(const char *name)
{
	static char paths[8][PATH_BYTES];
	static const char *names[8];
	const char *build = getenv("BUILD");
	bool ours = !strncmp(name, "eff", 3);
	int i = 0;

	while (names[i] && strcmp(names[i], name) != 0)
		i++;
	if (!names[i]) {
		char path[PATH_BYTES];

		(void)snprintf(path, sizeof(path), "%s/%s%s", build ? build : "build",
			ours ? "" : "tests/bench/programs/", name);
		if (!realpath(path, paths[i]) || access(paths[i], X_OK) < 0) {
			(void)fprintf(stderr, "bench: no program %s\n", path);
			exit(1);
		}
		names[i] = name;
	}
	return paths[i];
}

/* Is it on the list of that variable, or is there none? */
static bool is_wanted(const char *variable, const char *name)
{
	const char *list = getenv(variable);
	size_t len = strlen(name);

	for (; list && *list; list += strcspn(list, ","), list += *list == ',')
		if (strcspn(list, ",") == len && !strncmp(list, name, len))
			return true;
	return !getenv(variable);
}

/* Does the part say anything of it? */
static bool fits(const struct part *part, const struct box *box)
{
	const struct peer *peer = box->peer;
	bool is_loop = peer->is_limit && !peer->query && !peer->logs;

	if (box->mode == WRITES)
		return peer->logs && (!peer->needs || on_path(peer->needs));
	if (!strcmp(part->name, "status"))
		return peer->query && (peer->is_limit || box->n <= peer->most);
	if (peer->is_limit && !is_loop)
		return false;
	return box->n <= peer->most;
}

/* The parts of a boot that are measured this time. Returns how many. */
static unsigned choose(const struct boot *boot, const struct box *box, measure_fn *ret[MOST_PARTS])
{
	unsigned n = 0;

	if ((box->n >= 1000 || box->mode == CRASHES) && box->peer->rounds &&
		box->round >= box->peer->rounds)
		return 0;
	for (const struct part *part = boot->parts; part->name; part++)
		if (is_wanted("BENCH_MEASURES", part->name) && fits(part, box) &&
			!(part->once && box->round > 0))
			ret[n++] = part->fn;
	return n;
}

static unsigned long number(const char *variable, unsigned long otherwise)
{
	const char *text = getenv(variable);

	return text ? strtoul(text, NULL, 10) : otherwise;
}

static void boot_once(const struct boot *boot, const struct peer *peer, unsigned round)
{
	struct box box = {.peer = peer, .n = boot->n, .mode = boot->mode, .round = round};
	measure_fn *parts[MOST_PARTS];
	unsigned n_parts;

	if (boot->mode == WRITES) {
		box.n = 1;
		box.size = boot->n;
		box.total = boot->n > 1000 ? BLOCKS_TOTAL : LINES_TOTAL;
	} else if (boot->n == 1000) {
		box.n = (unsigned)number("BENCH_SERVICES", 1000);
	}
	n_parts = choose(boot, &box, parts);
	if (n_parts == 0)
		return;
	if (!box_open(&box, !peer->is_limit || !peer->query))
		(void)fprintf(stderr, "bench: %s is not up with %u: %u are\n", peer->name,
			box.n, box.n_seen);
	else
		for (unsigned i = 0; i < n_parts; i++)
			parts[i](peer, &box);
	box_close(&box);
}

int main(void)
{
	unsigned n_rounds = (unsigned)number("BENCH_ROUNDS", 3);
	struct rlimit limit;

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	for (const struct peer *const *peer = peers; *peer; peer++)
		if (is_wanted("BENCH_PEERS", (*peer)->name) && !(*peer)->is_here())
			(void)fprintf(stderr, "bench: %s is skipped: it is not here\n",
				(*peer)->name);
	for (const struct boot *boot = boots; boot->parts[0].name; boot++) {
		for (unsigned round = 0; round < n_rounds; round++)
			for (const struct peer *const *peer = peers; *peer; peer++)
				if (is_wanted("BENCH_PEERS", (*peer)->name) && (*peer)->is_here())
					boot_once(boot, *peer, round);
		results_print();
	}
	return 0;
}
