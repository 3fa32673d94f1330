/* SPDX-License-Identifier: MIT */
/* Fiber locals: a value that each fiber has for itself.
 *
 * A fork copies the forker's values, all at once, as they are then; what either sets later the other does not see, and
 * nothing is merged back. Fibers that set none cost nothing. (FiberRef of ZIO and Effect, without the merge.) */
#ifndef EFF_LOCAL_H
#define EFF_LOCAL_H

#include <eff/api.h>

/* A key; its address counts. One constant for each local, as `const struct eff_local depth = {.initial = NULL};`. */
struct eff_local {
	void *initial; /* its value where none was set */
};

/* The value that the fiber which runs has set or inherited, else the initial one. Outside of a fiber the initial one. Does
 * not suspend. */
EFF_API void *eff_local_get(const struct eff_local *local);
/* Set it for this fiber and for those that it forks from now on. What it points to stays the caller's and must outlive all
 * of them. Does not suspend. Returns 0, or -ENOMEM and the value is as before; a fiber that has set it before, and has
 * forked none since, never lacks memory for it. */
EFF_API int eff_local_set(const struct eff_local *local, void *value);

#endif
