/* SPDX-License-Identifier: MIT */
/* A socket that effd holds, between the files that open it and give it away. */
#ifndef EFFD_UNIT_HELD_H
#define EFFD_UNIT_HELD_H

#include "unit/unit.h"

struct watcher;

struct held {
	struct held *next;
	struct plan *plan; /* whose `spec` is; a reference */
	const struct plan_socket *spec;
	struct os_socket *socket; /* NULL: it is not open */
	struct eff_watch watch;
	struct watcher *watchers; /* who is to know of the first that comes */
	unsigned n_users;         /* it is not closed under them */
	unsigned n_runs;          /* that were given it, and are not gone */
	bool opening, gone;       /* gone: no unit names it any more */
};

/* Of this name; NULL: none. */
struct held *held_find(struct held *list, const char *name);
/* Have it open; the caller uses it. Suspends. 0; -ECHILD with *fault; -ECANCELED, -ETIMEDOUT. */
EFF_SUSPENDS int held_open(struct unit_world *world, struct held *h, struct os_fault *fault);
/* Has a run that is to end one that excludes it? Then it cannot be opened before that is gone. */
bool held_is_taken(const struct unit_world *world, const struct held *h);
/* One uses it no more. */
void held_leave(struct unit_world *world, struct held *h);
/* A run that was given it is gone. */
void held_let_go(struct unit_world *world, struct held *h);

#endif
