/* SPDX-License-Identifier: MIT */
/* A build of layers: what planning it (layer_plan.c) and doing it (layer.c) share. */
#ifndef EFF_LAYERS_H
#define EFF_LAYERS_H

#include <eff/event.h>
#include <eff/layer.h>

#include "internal.h"

struct eff__build;

struct eff__built {
	const struct eff_layer *layer;
	struct eff__build *build;
	struct eff_fiber *fiber; /* from its beginning on */
	struct eff_event over;   /* the word to release it */
	struct eff_list up;      /* in build->up */
	struct eff_env env;      /* hangs in the target while it is up */
	bool is_up;              /* has been acquired */
	bool sorted;             /* of the plan: all that it needs is before it */
};

/* From malloc(); from the plan until the target has closed. */
struct eff__build {
	struct eff_scope *target;
	struct eff_scope owner; /* of the layers' fibers */
	struct eff_finalizer finalizer;
	struct eff_pulse changed;
	struct eff_list up; /* the last completed first */
	size_t n_acquiring, n_up;
	bool unwinding;
	eff_exit shown; /* to those that are released; borrowed */
	eff_exit exit;  /* what failed so far */
	size_t n;
	struct eff__built layers[];
};

/* Collect and check. Returns OK and the build, or why not. */
eff_exit eff__layers_plan(struct eff_scope *target, const struct eff_layer *const *layers,
	size_t n, struct eff__build **ret_build);
/* The one that provides it; NULL: none of the build. */
struct eff__built *eff__layers_provider(struct eff__build *build, const struct eff_key *key);

#endif
