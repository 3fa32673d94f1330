/* SPDX-License-Identifier: MIT */
/* A monitor in the background while the application does its work; then it is interrupted. */
#include "example.h"

static eff_exit background_monitor(void *arg)
{
	int counter = 0;
	int r;

	(void)arg;
	while ((r = eff_sleep(EFF_S(2))) == 0) {
		counter++;
		say("🔍 Monitor check #%d", counter);
		/* Exit condition for the demo. */
		if (counter >= 5)
			return eff_ok(NULL);
	}
	return eff_exit_of(r);
}

static eff_exit application(void)
{
	say("🚀 Main application starting...");
	EFF_TRY(begun, eff_exit_of(eff_sleep(EFF_S(3))));
	say("⚙️ Main application working...");
	EFF_TRY(worked, eff_exit_of(eff_sleep(EFF_S(4))));
	say("✅ Main application completed");
	return eff_ok(NULL);
}

static eff_exit long_running_service(void *arg)
{
	struct eff_fiber *monitor;
	eff_exit exit;
	int r;

	(void)arg;
	r = eff_fork(EFF(background_monitor, NULL), &monitor);
	if (r < 0)
		return eff_exit_of(r);
	exit = application();
	/* Clean shutdown. Without this line it would come to the same: the monitor is our child and ends before we do. */
	(void)eff_interrupt(monitor, NULL);
	eff_fiber_unref(monitor);
	return exit;
}

int main(int argc, char **argv)
{
	struct eff_rt_opts opts = example_opts(argc, argv);

	return eff_main(EFF(long_running_service, NULL), &opts);
}
