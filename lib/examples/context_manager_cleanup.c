/* SPDX-License-Identifier: MIT */
/* eff_main() is the runtime as a bracket: it makes one, runs the effect, interrupts and awaits what is left, frees it. The
 * exit becomes the process's status. A scope is the same for a part of the program. */
#include "example.h"

static eff_exit log_open(void *arg)
{
	(void)arg;
	say("Log opened");
	return eff_ok(NULL);
}

static void log_close(void *arg)
{
	say("Log closed by the end of its %s", (const char *)arg);
}

static eff_exit my_effect(void *arg)
{
	struct eff_finalizer closes;
	struct eff_scope scope;
	eff_exit exit;
	int r;

	eff_scope_open(&scope);
	exit = log_open(NULL);
	eff_defer(&scope, &closes, log_close, (void *)"scope");
	r = eff_sleep(EFF_MS(500));
	if (r < 0)
		exit = eff_exit_of(r);
	else if (arg)
		exit = eff_failf(3, "%s", (const char *)arg);
	return eff_scope_end(&scope, exit);
}

/* Owned by the runtime, which ends it. */
static eff_exit background(void *arg)
{
	int r = eff_sleep(EFF_FOREVER);

	(void)arg;
	say("Background fiber ended by the shutdown");
	return eff_exit_of(r);
}

static eff_exit context_manager_cleanup(void *arg)
{
	struct eff_fiber *fiber;
	eff_exit exit;
	int r;

	(void)arg;
	r = eff_fork_daemon(EFF(background, NULL), NULL);
	if (r >= 0)
		r = eff_fork(EFF(my_effect, NULL), &fiber);
	if (r < 0)
		return eff_exit_of(r);
	exit = join(fiber);
	if (!eff_is_ok(exit))
		return exit;
	say("Result: ok");

	/* And when the fiber fails: the log is closed all the same, and the process says how it ended. */
	r = eff_fork(EFF(my_effect, (void *)"no space left"), &fiber);
	return r < 0 ? eff_exit_of(r) : join(fiber);
}

int main(int argc, char **argv)
{
	struct eff_rt_opts opts = example_opts(argc, argv);

	return eff_main(EFF(context_manager_cleanup, NULL), &opts);
}
