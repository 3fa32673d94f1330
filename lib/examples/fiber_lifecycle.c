/* SPDX-License-Identifier: MIT */
/* Three fibers; one is interrupted on its way, which returns when that one has unwound. The others do not notice. */
#include "example.h"

enum { TASKS = 3 };

static eff_exit monitored_task(void *arg)
{
	int id = NUMBER_OF(arg);

	for (int i = 1; i <= 10; i++) {
		int r = eff_sleep(EFF_MS(200));

		if (r < 0) {
			say("Task %d was cancelled", id);
			return eff_exit_of(r);
		}
		say("Task %d: step %d/10", id, i);
	}
	return eff_exit_note(eff_ok(NULL), "Task %d completed", id);
}

static eff_exit interrupt_one(struct eff_fiber *fiber)
{
	char text[80];
	eff_exit exit;
	int r;

	say("Interrupting fiber 1...");
	r = eff_interrupt(fiber, &exit);
	if (r < 0)
		return eff_exit_of(r);
	say("Fiber 1 ended: %s", eff_exit_text(exit, text, sizeof(text)));
	eff_exit_drop(exit);
	return eff_ok(NULL);
}

static eff_exit watch(struct eff_fiber **fibers)
{
	/* Let them run briefly. */
	EFF_TRY(slept, eff_exit_of(eff_sleep(EFF_S(1))));
	EFF_TRY(interrupted, interrupt_one(fibers[1]));

	for (int i = 0; i < TASKS; i++) {
		eff_exit exit;
		int r;

		if (i == 1)
			continue;
		r = eff_await(fibers[i], &exit);
		if (r < 0)
			return eff_exit_of(r);
		say("Fiber %d %s: %s", i, eff_is_ok(exit) ? "result" : "failed",
			eff_exit_words(exit));
		eff_exit_drop(exit);
	}
	return eff_ok(NULL);
}

static eff_exit fiber_lifecycle(void *arg)
{
	struct eff_fiber *fibers[TASKS] = {NULL};
	eff_exit exit;
	int r = 0;

	(void)arg;
	for (int i = 0; i < TASKS && r >= 0; i++) {
		r = eff_fork(EFF(monitored_task, NUMBER(i)), &fibers[i]);
		if (r >= 0)
			say("Started fiber %d: %s", i, eff_fiber_name(fibers[i]));
	}
	exit = r < 0 ? eff_exit_of(r) : watch(fibers);
	for (int i = 0; i < TASKS; i++)
		eff_fiber_unref(fibers[i]);
	return exit;
}

int main(int argc, char **argv)
{
	struct eff_rt_opts opts = example_opts(argc, argv);

	return eff_main(EFF(fiber_lifecycle, NULL), &opts);
}
