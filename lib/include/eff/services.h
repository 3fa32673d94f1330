/* SPDX-License-Identifier: MIT */
/* Supervision in a few lines: of one effect, and of a set of named services. */
#ifndef EFF_SERVICES_H
#define EFF_SERVICES_H

#include <stddef.h>

#include <eff/fiber.h>
#include <eff/supervise.h>

/* How an effect is run again. */
struct eff_supervision {
	enum eff_restart restart;
	struct eff_sched schedule; /* the delays */
	uint32_t max_restarts;     /* UINT32_MAX: no limit */
	eff_ns window; /* they are counted within this time; 0 or less: in a row, until it was stable */
	eff_ns stable_for; /* a run of this length forgets those before it; 0: none does */
};

/* Run it in a fiber of its own until it need not run again. An INTERRUPT is never a reason to. Suspends. Returns its last exit:
 * when it was given up, that of the last attempt, with a note; cut short in a delay INTERRUPT or FAIL ETIMEDOUT, with the last
 * exit behind it. */
EFF_API EFF_SUSPENDS eff_exit eff_supervise(eff e, const struct eff_supervision *how);

/* A supervisor with its children as one plain value. */
struct eff_services {
	struct eff_sup_opts opts;
	struct eff_child *children; /* under no other supervisor meanwhile */
	size_t n_children;
};

/* Start them all in their order and keep them running until the supervisor ends or is cancelled; then stop them in order. An
 * effect, arg: the struct eff_services. The child that this fiber keeps, if there is one, is up while the set is: so sets
 * nest. Suspends. Returns what eff_sup_exit() says: INTERRUPT when it was stopped, OK when it is done, FAIL with the cause
 * behind it when a critical one was given up or too many restarts came too fast; FAIL with ENOMEM or ELOOP. */
EFF_API EFF_SUSPENDS eff_exit eff_services_run(void *arg);

#endif
