/* SPDX-License-Identifier: MIT */
/* The difference of two plans. */
#ifndef EFFD_PLAN_CHANGES_H
#define EFFD_PLAN_CHANGES_H

#include "plan/plan.h"

struct text;

/* What a reload from one plan to another would do. Units that stay untouched are left out. Names belong to the plans. */
enum plan_action {
	PLAN_DO_NOTHING,
	PLAN_DO_LIVE,
	PLAN_DO_RESTART,
	PLAN_DO_START,
	PLAN_DO_STOP,
	PLAN_DO_EFFD
};
struct plan_change {
	const char *unit; /* "/" for effd's own settings */
	enum plan_action action;
	uint32_t before, after; /* indices in the old and the new plan; PLAN_NONE */
	uint16_t *fields;       /* that differ */
	uint32_t n_fields;
	/* The one that it was in the old plan, or is in the new one, under another name or supervisor; NULL: none. */
	const char *other;
	uint32_t other_row;
	bool renamed;
};
/* What effd goes by until it ends: those of its own settings that wait for its next start. */
struct plan_lasting {
	uint32_t n;
	struct plan_value values[]; /* sorted by field */
};
/* As the plan has them. NULL: out of memory. */
struct plan_lasting *plan_lasting_new(const struct plan *plan);
void plan_lasting_free(struct plan_lasting *lasting);
/* Returns 0 and a malloc'd array, or -ENOMEM. A unit whose kind changed, that moved or was renamed is a stop and a start. In
 * the old plan's order the stops, then in the new plan's order the rest. What waits for effd's next start is what is otherwise
 * in `lasting`; NULL: in the old plan. */
int plan_diff(const struct plan *old, const struct plan_lasting *lasting,
	const struct plan *new, struct plan_change **ret_changes, uint32_t *ret_n);
/* Find out which of the stops and starts are the same unit. 0 or -ENOMEM. */
int plan_find_moved(const struct plan *old, const struct plan *new, struct plan_change *changes,
	uint32_t n);
/* Of one that moved or was renamed: "moved from a/b to c/b: stopped and started". `change` is one of the `n`. False: it is no
 * such unit. */
bool plan_change_words(const struct plan_change *changes, uint32_t n,
	const struct plan_change *change, struct text *to);
void plan_changes_free(struct plan_change *changes, uint32_t n);
const char *plan_action_name(enum plan_action action); /* "nothing", "live", "restart" … */

#endif
