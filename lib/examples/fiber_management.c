/* SPDX-License-Identifier: MIT */
/* Five workers side by side take as long as the slowest of them; their results are collected in the order of their forks. */
#include "example.h"

enum { WORKERS = 5 };

static eff_exit worker_task(void *arg)
{
	int id = NUMBER_OF(arg);
	int r;

	say("Worker %d starting", id);
	r = eff_sleep(EFF_MS(500 + id * 200));
	if (r < 0)
		return eff_exit_of(r);
	say("Worker %d finished", id);
	/* A text behind an exit is its holder's, however short the fiber's life. */
	return eff_exit_note(eff_ok(NULL), "Worker %d result", id);
}

static eff_exit fiber_management(void *arg)
{
	struct eff_fiber *workers[WORKERS];
	int n_workers = 0;
	int n_results = 0;

	(void)arg;
	for (int i = 0; i < WORKERS; i++)
		if (eff_fork(EFF(worker_task, NUMBER(i)), &workers[n_workers]) == 0)
			n_workers++;
	say("Started %d workers", n_workers);

	for (int i = 0; i < n_workers; i++) {
		eff_exit exit = join(workers[i]);

		say("%s Worker %d: %s", eff_is_ok(exit) ? "✅" : "❌", i, eff_exit_words(exit));
		n_results += eff_is_ok(exit);
		eff_exit_drop(exit);
	}
	say("Collected %d results", n_results);
	return eff_exit_of(eff_check());
}

int main(int argc, char **argv)
{
	struct eff_rt_opts opts = example_opts(argc, argv);

	return eff_main(EFF(fiber_management, NULL), &opts);
}
