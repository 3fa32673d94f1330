/* SPDX-License-Identifier: MIT */
/* The rounds, and what came of them. Prints `name value unit`: the best value of each measure and peer, then effd's against
 * the best limit and the best peer of the same run. The environment narrows it down: BENCH_PEERS and BENCH_MEASURES are
 * lists of names with commas, BENCH_ROUNDS is a number. */
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

/* The best of the others in this measure: of the limits, or of the peers. */
static const struct row *best_other(const struct row *own, bool of_limits)
{
	const struct row *best = NULL;

	for (const struct row *row = rows; row < rows + n_rows; row++) {
		if (row->peer->is_limit != of_limits || row == own ||
			strcmp(row->measure, own->measure) != 0)
			continue;
		if (!best || (own->higher ? row->value > best->value : row->value < best->value))
			best = row;
	}
	return best;
}

/* What is new since the last time, by measure. */
void results_print(void)
{
	for (unsigned i = n_printed; i < n_rows; i++)
		printf("%s.%s %.2f %s\n", rows[i].measure, rows[i].peer->name, rows[i].value,
			rows[i].unit);
	for (unsigned i = n_printed; i < n_rows; i++) {
		if (strcmp(rows[i].peer->name, "effd") != 0)
			continue;
		for (int k = 0; k < 2; k++) {
			const struct row *other = best_other(&rows[i], k == 0);

			if (other && other->value > 0)
				printf("%s.effd_by_%s %.2f times\n", rows[i].measure,
					k == 0 ? "limit" : "peer", rows[i].value / other->value);
		}
	}
	(void)fflush(stdout);
	n_printed = n_rows;
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

/* Does the measure say anything of it? */
static bool fits(const struct measure *m, const struct peer *peer)
{
	bool is_loop = peer->is_limit && !peer->query && !peer->logs;

	if (m->mode == WRITES)
		return peer->logs;
	if (!strcmp(m->name, "status"))
		return peer->query && (peer->is_limit || m->n <= peer->most);
	if (peer->is_limit && !is_loop)
		return false;
	return m->n <= peer->most;
}

static void measure_once(const struct measure *m, const struct peer *peer)
{
	struct box box = {.peer = peer, .n = m->n, .mode = m->mode};
	bool up;

	if (m->mode == WRITES) {
		box.n = 1;
		box.size = m->n;
		box.total = m->n > 1000 ? BLOCKS_TOTAL : LINES_TOTAL;
	}
	up = box_open(&box, !peer->is_limit || !peer->query);
	if (up)
		m->fn(peer, &box);
	else
		(void)fprintf(stderr, "bench: %s: %s is not up: %u of %u\n", m->name,
			peer->name, box.n_seen, box.n);
	box_close(&box);
}

int main(void)
{
	const char *rounds = getenv("BENCH_ROUNDS");
	unsigned n_rounds = rounds ? (unsigned)strtoul(rounds, NULL, 10) : 2;
	struct rlimit limit;

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	for (const struct measure *m = measures; m->name; m++) {
		if (!is_wanted("BENCH_MEASURES", m->name))
			continue;
		for (unsigned round = 0; round < n_rounds; round++)
			for (const struct peer *const *peer = peers; *peer; peer++)
				if (is_wanted("BENCH_PEERS", (*peer)->name) && fits(m, *peer) &&
					(*peer)->is_here())
					measure_once(m, *peer);
		results_print();
	}
	return 0;
}
