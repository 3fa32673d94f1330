/* SPDX-License-Identifier: MIT */
/* What a request asks for and what must not be left half done when its client goes: a fiber of the server's carries it out, and
 * who asked waits for that, or does not. */
#ifndef EFFD_CONTROL_ERRAND_H
#define EFFD_CONTROL_ERRAND_H

#include "control/methods.h"

/* The first member of a piece of memory that both refer to; the last one frees it by `free`. */
struct errand {
	struct eff_list link; /* of those that are to begin; empty once it has begun */
	int n_refs, result;
	struct control *control;
	int (*carry_out)(struct errand *errand); /* suspends; its result */
	void (*free)(struct errand *errand);
	struct eff_event ended;
};

/* With one reference, the caller's. */
void errand_init(struct errand *errand, struct control *control,
	int (*carry_out)(struct errand *errand), void (*free)(struct errand *errand));
void errand_unref(struct errand *errand); /* NULL is fine */
/* Have it carried out, once. 0, -ENOMEM. */
int errand_begin(struct errand *errand);
/* The server has ended: those go that never began. */
void errands_drop(struct control *control);
/* Until that is done. Suspends. Its result; -ECANCELED, -ETIMEDOUT when the wait was cut short. */
EFF_SUSPENDS int errand_await(struct errand *errand, eff_ns until);

#endif
