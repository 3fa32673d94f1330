/* SPDX-License-Identifier: MIT */
/* Services that are kept running: the worker needs the database, dies twice, and is once found ill by its health check. Each
 * time it is run again. When the set is interrupted it stops in the reverse of its order. */
#include "example.h"

static eff_exit database(void *arg)
{
	int r;

	(void)arg;
	eff_child_up(eff_child_self());
	r = eff_sleep(EFF_FOREVER);
	say("database stopped");
	return eff_exit_of(r);
}

static eff_exit worker(void *arg)
{
	struct eff_child *self = eff_child_self();
	int r;

	(void)arg;
	eff_child_up(self);
	r = eff_sleep(self->runs <= 2 ? EFF_MS(500) : EFF_FOREVER);
	if (r == 0)
		return eff_die("crashed");
	say("worker stopped");
	return eff_exit_of(r);
}

/* A real one would ask the worker something. */
static eff_exit check_worker(void *arg)
{
	int *n_checks = arg;

	if (++*n_checks == 2)
		return eff_failf(1, "no answer");
	say("🔍 worker is well");
	return eff_ok(NULL);
}

static void tell_start(struct eff_child *child)
{
	say("🚀 %s starting (run %d)", child->name, (int)child->runs);
}

static void tell_backoff(struct eff_child *child, eff_exit exit, eff_ns delay)
{
	char text[80];

	say("❌ %s: %s", child->name, eff_exit_text(exit, text, sizeof(text)));
	say("⏳ %s restarts in %.1fs", child->name, (double)delay / 1e9);
}

/* ── the set ── */

static const struct eff_sup_hooks hooks = {.on_start = tell_start, .on_backoff = tell_backoff};
static int n_checks;
static const struct eff_health health = {
	.check = {check_worker, &n_checks, "check_worker", 0},
	.every = EFF_S(1),
	.timeout = EFF_MS(500),
};

enum { DATABASE, WORKER, SERVICES };
static struct eff_child children[SERVICES];
static struct eff_child *const worker_needs[] = {&children[DATABASE], NULL};
static struct eff_services services = {
	.opts.hooks = &hooks, .children = children, .n_children = SERVICES};

static void describe_services(void)
{
	children[DATABASE] = (struct eff_child){
		.name = "database",
		.run = EFF(database, NULL),
		.policy = eff_policy_of(EFF_ALWAYS),
	};
	children[WORKER] = (struct eff_child){
		.name = "worker",
		.run = EFF(worker, NULL),
		.policy = eff_policy_of(EFF_ALWAYS),
		.needs = worker_needs,
		.health = &health,
	};
	children[WORKER].policy.backoff = eff_spaced(EFF_MS(500));
}

static eff_exit service_supervisor(void *arg)
{
	struct eff_fiber *supervisor;
	char text[80];
	eff_exit exit;
	int r;

	(void)arg;
	describe_services();
	/* A set of services is an effect like any other. */
	r = eff_fork(EFF(eff_services_run, &services), &supervisor);
	if (r < 0)
		return eff_exit_of(r);
	r = eff_sleep(EFF_S(6));
	say("Stopping all services...");
	eff_interrupt_async(supervisor);
	exit = join(supervisor);
	say("The set ended: %s", eff_exit_text(exit, text, sizeof(text)));
	say("The worker was restarted %d times", (int)children[WORKER].restarts);
	eff_exit_drop(exit);
	return eff_exit_of(r);
}

int main(int argc, char **argv)
{
	struct eff_rt_opts opts = example_opts(argc, argv);

	return eff_main(EFF(service_supervisor, NULL), &opts);
}
