/* SPDX-License-Identifier: MIT */
/* A plan inside. It is written only while it is made. */
#ifndef EFFD_PLAN_SEALED_H
#define EFFD_PLAN_SEALED_H

#include "plan/plan.h"
#include "plan/table.h"

struct arena;
struct record;

struct plan_batch {
	const char *supervisor, *file, *text;
	size_t size;
	bool is_new; /* this plan added it, and not one before */
};

struct plan {
	struct arena *arena;
	struct plan *base; /* in whose memory the rows' texts and lists are, a reference; NULL: in its own */
	const char *name;
	struct plan_daemon *daemon;
	const struct plan_unit *units;
	uint32_t n_units;
	plan_strv files, absent;
	uint32_t *by_name;  /* open addressing: a row's number, from 1; 0: nothing */
	uint32_t n_by_name; /* slots, a power of two, at most half of them taken */
	struct table stems; /* full name of a unit that says `replicas`: the struct range of them */
	const struct record *record; /* what it was read from; NULL: nothing can be added to it */
	eff_ns read_at;              /* as its source said */
	unsigned n_refs;
};

/* With one reference, and room for effd's settings. NULL: out of memory. */
struct plan *plan_new(void);
/* By full name, each row. False: out of memory. */
bool plan_index(struct plan *plan);

#endif
