/* SPDX-License-Identifier: MIT */
/* How code that waits is tested: on a clock that stands still until the test advances it. No time passes while this runs.
 * The clock comes as a service, from a layer that is built into a scope; the tasks need not know of it. */
#include "example.h"

struct task {
	eff_ns duration;
	const char *name;
};

static eff_exit timed_task(void *arg)
{
	const struct task *task = arg;
	eff_ns start = eff_now();
	int r = eff_sleep(task->duration);

	if (r < 0)
		return eff_exit_of(r);
	return eff_exit_note(eff_ok(NULL), "%s completed in %.1fs", task->name,
		(double)(eff_now() - start) / 1e9);
}

static eff_exit test(struct eff_fiber *fiber1, struct eff_fiber *fiber2)
{
	/* Advancing returns when all that was due has run. */
	struct eff_testclock *clock = eff_get(&eff_testclock_key);
	eff_exit exit;

	EFF_TRY(to_1s, eff_exit_of(eff_testclock_advance(clock, EFF_S(1))));
	if (!eff_poll(fiber1, &exit))
		return eff_failf(1, "Task1 is late");
	say("After 1s: %s", eff_exit_words(exit));
	if (eff_poll(fiber2, NULL))
		return eff_failf(1, "Task2 is early");
	say("After 1s: Task2 is pending");

	EFF_TRY(to_2s, eff_exit_of(eff_testclock_advance(clock, EFF_S(1))));
	if (!eff_poll(fiber2, &exit))
		return eff_failf(1, "Task2 is late");
	say("After 2s: %s", eff_exit_words(exit));
	return eff_ok(NULL);
}

static eff_exit fork_and_test(void)
{
	static const struct task tasks[] = {{EFF_S(1), "Task1"}, {EFF_S(2), "Task2"}};
	struct eff_fiber *fibers[2] = {NULL};
	eff_exit exit = eff_ok(NULL);

	for (int i = 0; i < 2 && eff_is_ok(exit); i++)
		exit = eff_exit_of(eff_fork(EFF(timed_task, (void *)&tasks[i]), &fibers[i]));
	if (eff_is_ok(exit))
		exit = test(fibers[0], fibers[1]);
	for (int i = 0; i < 2; i++)
		eff_fiber_unref(fibers[i]);
	return exit;
}

static eff_exit runtime_testing(void *arg)
{
	struct eff_layer layer = eff_testclock_layer(arg);
	struct eff_scope scope;
	eff_exit exit;

	eff_scope_open(&scope);
	exit = eff_layers_build(&scope, (const struct eff_layer *[]){&layer}, 1);
	if (eff_is_ok(exit))
		exit = fork_and_test();
	return eff_scope_end(&scope, exit);
}

int main(int argc, char **argv)
{
	struct eff_testclock *test_clock = eff_testclock_new(0);
	struct eff_rt_opts opts = example_opts(argc, argv);
	int code;

	if (!test_clock)
		return 1;
	opts.clock = test_clock;
	code = eff_main(EFF(runtime_testing, test_clock), &opts);
	eff_testclock_free(test_clock);
	return code;
}
