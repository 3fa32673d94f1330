/* SPDX-License-Identifier: MIT */
/* A process as an effect: what is supervised, retried or bounded in time like any other. */
#ifndef EFF_PROCESS_H
#define EFF_PROCESS_H

#include <eff/fiber.h>
#include <eff/proc.h>
#include <eff/time.h>

struct eff_process {
	/* Must stay as it is while the effect runs. Its `release` is called once for each run. */
	const struct eff_spawn *spawn;
	int stop_signal; /* 0: SIGTERM */
	eff_ns grace;    /* from that signal to SIGKILL; 0: SIGKILL at once */
};

/* Make the process and wait for its end; arg: the struct eff_process. When it has executed its program the child that this
 * fiber keeps, if there is one, is up. Interrupted (or over a limit) it stops the process, which is gone when this returns.
 * It is about that one process: what it leaves behind is not looked for. Suspends. Returns OK for an exit with 0, FAIL with
 * the code, DIE with "signal N", or when others have collected its end; FAIL with an errno and words for a process that
 * could not be made or could not execute its program; INTERRUPT (or FAIL ETIMEDOUT) when it was stopped, noted when it had
 * to be killed. */
EFF_API EFF_SUSPENDS eff_exit eff_process_run(void *arg);

#endif
