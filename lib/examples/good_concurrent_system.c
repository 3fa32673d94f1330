/* SPDX-License-Identifier: MIT */
/* A runtime for several services that live as long as the program: forked, and at its end interrupted one by one. */
#include "example.h"

struct service {
	const char *name;
	const char *work;
	eff_ns every;
	eff_ns farewell; /* what it needs to end */
	struct eff_fiber *fiber;
};

static struct service services[] = {
	{"WebServer", "requests served", EFF_MS(1000), EFF_MS(250), NULL},
	{"DatabaseCleanup", "old rows deleted", EFF_MS(1400), EFF_MS(250), NULL},
	{"MetricsCollector", "metrics collected", EFF_MS(2250), 0, NULL},
};

enum { SERVICES = sizeof(services) / sizeof(services[0]) };

static eff_exit serve(void *arg)
{
	const struct service *service = arg;
	eff_masked masked;
	int r;

	while ((r = eff_sleep(service->every)) == 0)
		say("%s: %s", service->name, service->work);

	/* What has to wait while it unwinds does so under a mask. Whoever interrupts us waits for it. */
	masked = eff_mask();
	(void)eff_sleep(service->farewell);
	eff_unmask(masked);
	say("%s stopped", service->name);
	return eff_exit_of(r);
}

static eff_exit good_concurrent_system(void *arg)
{
	eff_exit exit = eff_ok(NULL);

	(void)arg;
	for (int i = 0; i < SERVICES && eff_is_ok(exit); i++) {
		struct service *service = &services[i];

		exit = eff_exit_of(
			eff_fork(EFF_NAMED(service->name, serve, service), &service->fiber));
	}
	/* The application's own logic would be here. */
	if (eff_is_ok(exit))
		exit = eff_exit_of(eff_sleep(EFF_MS(3500)));

	/* Handle shutdown gracefully. */
	say("Shutting down...");
	for (int i = 0; i < SERVICES; i++) {
		if (services[i].fiber)
			(void)eff_interrupt(services[i].fiber, NULL);
		eff_fiber_unref(services[i].fiber);
	}
	return exit;
}

int main(int argc, char **argv)
{
	struct eff_rt_opts opts = example_opts(argc, argv);
	struct eff_rt_stats stats;
	struct eff_rt *rt;
	eff_exit exit;

	if (eff_rt_new(&opts, &rt) < 0)
		return 1;
	exit = eff_rt_run(rt, EFF(good_concurrent_system, NULL));
	(void)eff_rt_shutdown(rt, EFF_S(10));
	eff_rt_stats(rt, &stats);
	say("Fibers left: %d", (int)stats.fibers_live);
	eff_rt_free(rt);
	eff_exit_drop(exit);
	return eff_is_ok(exit) ? 0 : 1;
}
