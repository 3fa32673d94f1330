/* SPDX-License-Identifier: MIT */
/* The control socket: requests, one fiber per connection. What a request needs of the program around it, main hands in. */
#ifndef EFFD_CONTROL_H
#define EFFD_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include <eff.h>

#include "base/cause.h"
#include "plan/diag.h"
#include "plan/plan.h"
#include "tree/tree.h"

struct control;
struct text;

/* What main does for it. Nothing but `load` and `add` suspends. */
struct control_host {
	/* Read the tree anew, as plan_load_again() with the `present` one: 0 and a plan (a reference of the caller's), or -errno with at least one error in `diags`. May
	 * Suspend. */
	int (*load)(void *context, const struct plan *present, struct plan **ret_plan,
		struct diags *diags);
	/* Make a plan of the present one and an addition, as plan_add(). May Suspend. */
	int (*add)(void *context, const struct plan *present, struct plan_addition *addition,
		struct plan **ret_plan, struct diags *diags);
	/* A reload begins, or has ended; NULL: nobody cares. */
	void (*on_reload)(void *context, bool begins);
	/* End effd. */
	void (*shut_down)(void *context, const struct asker *by);
	void *context;
};

struct control_opts {
	struct tree *tree;
	const char *path; /* of the socket, absolute; NULL: none, and nobody can ask */
	int given_fd; /* of one that listens there, and that somebody else made and keeps; 0: none */
	struct control_host host; /* copied */
	uint32_t most_clients;    /* 0: 256 */
};

/* Listen. Inside a runtime; Suspends while names are looked up. Returns 0; -EADDRINUSE when another effd has the socket;
 * -errno with `why` in words for people. */
EFF_SUSPENDS int control_open(
	const struct control_opts *opts, struct control **ret, struct text *why);
/* Answer, until it is interrupted; then the connections are closed. An effect, arg: the control. Suspends. */
EFF_SUSPENDS eff_exit control_run(void *arg);
/* After control_run() has ended: remove the socket. NULL is fine. */
void control_close(struct control *control);
uint32_t control_clients(const struct control *control);

/* Say in the log, a line each, what is wrong with a tree and what to write instead. */
void control_log_diags(const struct diags *diags);
/* What became of a reload. */
struct reload_outcome {
	int result;                /* of control_reload() */
	struct diags *diags;       /* of the plan that was read; NULL: it was not */
	struct plan *after;        /* that was read; NULL */
	struct tree_reloaded done; /* what it did, or, where it was only compared, would do */
	char id[32];
};
/* Read the tree again and apply the difference, after any reload under way; logs what came of it. `only_if` (NULL: any) is
 * the id of a plan: refused with -ESTALE when something changed since. Suspends. Returns 0, -EINVAL (a bad tree: see the
 * diagnostics), -ESTALE, -ESHUTDOWN, -ECANCELED, -ENOMEM. The outcome is the caller's, whatever is returned; what was done is in
 * it as soon as it is done. */
EFF_SUSPENDS int control_reload(struct control *control, const struct asker *by,
	const char *only_if, struct reload_outcome *ret);
void reload_outcome_done(struct reload_outcome *outcome);

#endif
