/* SPDX-License-Identifier: MIT */
/* What runs while a unit runs: a process with its output and notifications, or an in-process fiber. In the frame of
 * unit_run(). Nothing above can tell which it is. */
#ifndef EFFD_CHILD_H
#define EFFD_CHILD_H

#include <eff.h>

#include "unit/pump.h"
#include "unit/unit.h"

/* What a process is given of sockets; all of it stays as it is until sockets_give_back() or sockets_keep(), and after that
 * one `held` alone. */
struct held;
struct given {
	struct os_socket **sockets; /* NULL-terminated; NULL: none */
	struct held **held;
	char *names;
	size_t n;
};

struct child {
	struct unit *unit;
	struct os_child *process; /* NULL: none (yet) */
	struct eff_fiber *task;   /* a fiber unit's; NULL */
	struct pump pumps[2];     /* stdout's and stderr's readers */
	struct effd_fiber *face;  /* what a task sees of effd */
	struct given given;       /* the sockets that it has, until it is gone */
	struct eff_event ready; /* READY=1, or the task's word; set at its end too, so that who waits looks */
	struct eff_event says_stopping; /* STOPPING=1 */
	struct eff_pulse alive;         /* WATCHDOG=1 */
	eff_ns watchdog_ns;             /* of this run: WATCHDOG_USEC changes it */
	bool watchdog_bites;            /* WATCHDOG=trigger */
	bool told_stranger;             /* that it named a process that is not the unit's */
	bool remains;                   /* a oneshot that has ended clean, and stays up */
	struct os_end end;              /* of a process */
	struct cause *cause;            /* how it ended; NULL: it has not, or never began */
	bool ended;
	bool overdue; /* it has said that it stops, and not done so within its grace */
};

void child_init(struct child *c, struct unit *u);
/* Execute the program, or begin the fiber. Suspends. 0; -ECHILD when it could not (the unit's fault says why); -ECANCELED,
 * -ETIMEDOUT. */
EFF_SUSPENDS int child_start(struct child *c);
/* Suspends until it has ended. 0, -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int child_await_end(struct child *c);
/* Has it a socket to notify by? */
bool child_may_notify(const struct child *c);
/* Is anything of it there, or to be done about it? */
bool child_is_there(struct child *c);
/* End it: stop signal, grace, final signal, until all is gone. Suspends; the caller masks. */
EFF_SUSPENDS void child_stop(struct child *c);
/* Read its output to the end, 1 s at most. Suspends; the caller masks. */
EFF_SUSPENDS void child_drain(struct child *c);
/* How it ended; NULL when it never began, or has not ended. Borrowed. */
struct cause *child_cause(const struct child *c);
/* Give back what it held. */
void child_done(struct child *c);

#endif
