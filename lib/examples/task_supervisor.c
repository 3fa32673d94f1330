/* SPDX-License-Identifier: MIT */
/* A task that fails now and then is run again, after a delay that doubles, and given up when it has failed too often. The
 * policy is a value, and each task has its own count; what happens is told by hooks. */
#include "example.h"

struct task {
	struct eff_child child;
	double failure_rate;
	eff_exit result;
};

static eff_exit unreliable_task(void *arg)
{
	const struct task *task = arg;
	int r = eff_sleep(EFF_MS(500));

	if (r < 0)
		return eff_exit_of(r);
	/* The runtime's own source: with the same seed the same luck every time. */
	if (eff_random_unit() < task->failure_rate)
		return eff_failf(1, "Random task failure!");
	return eff_ok((void *)"Task succeeded!");
}

/* ── what is told ── */

static void tell_start(struct eff_child *child)
{
	say("🚀 Starting %s (attempt %d)", child->name, (int)child->runs);
}

static void tell_backoff(struct eff_child *child, eff_exit exit, eff_ns delay)
{
	say("❌ %s failed: %s", child->name, eff_exit_words(exit));
	say("⏳ Restarting %s in %ds...", child->name, (int)(delay / EFF_S(1)));
}

static void tell_rest(struct eff_child *child, eff_exit exit, enum eff_rest rest)
{
	struct task *task = eff_container(child, struct task, child);

	task->result = eff_exit_keep(exit);
	if (rest == EFF_REST_DONE) {
		say("✅ %s completed: %s", child->name, (const char *)exit.value.pointer);
	} else if (rest == EFF_REST_MAX_RESTARTS) {
		say("❌ %s failed: %s", child->name, eff_exit_words(exit));
		say("💥 %s exceeded max restarts", child->name);
	}
}

static const struct eff_sup_hooks hooks = {
	.on_start = tell_start, .on_backoff = tell_backoff, .on_rest = tell_rest};

/* ── supervision ── */

static void supervise(const char *name, double failure_rate)
{
	struct task task = {.failure_rate = failure_rate};
	struct eff_services services = {
		.opts = {.auto_shutdown = EFF_AUTO_ANY, .hooks = &hooks},
		.children = &task.child,
		.n_children = 1,
	};
	eff_exit exit;

	task.child = (struct eff_child){
		.name = name,
		.run = EFF(unreliable_task, &task),
		.policy = {.restart = EFF_ON_FAILURE,
			.backoff = eff_exponential(EFF_S(2), 2),
			.reset_after = EFF_FOREVER,
			.max_restarts = 2,    /* three attempts */
			.critical = true,     /* given up, it ends its supervisor, */
			.significant = true}, /* as it does when it is done */
	};
	exit = eff_services_run(&services);
	if (eff_is_ok(exit))
		say("Final result: %s", (const char *)task.result.value.pointer);
	else
		say("Task permanently failed: %s", eff_exit_words(task.result));
	eff_exit_drop(exit);
	eff_exit_drop(task.result);
}

static eff_exit supervision_example(void *arg)
{
	(void)arg;
	supervise("HopelessWorker", 1.0);
	/* That one has used up its restarts, and nobody else's. */
	supervise("UnreliableWorker", 0.7);
	return eff_exit_of(eff_check());
}

int main(int argc, char **argv)
{
	struct eff_rt_opts opts = example_opts(argc, argv);

	opts.seed = 3;
	return eff_main(EFF(supervision_example, NULL), &opts);
}
