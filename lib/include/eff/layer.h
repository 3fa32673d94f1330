/* SPDX-License-Identifier: MIT */
/* Layers: services that are made, and made of each other, as values.
 *
 * A layer says by keys what it needs and what it provides, how to acquire that and how to release it. Which layer makes
 * what another needs follows from the set that is built; so a test builds the same set with another clock or database in
 * it. Each layer lives in a fiber of its own: what its acquire() forks or defers belongs to the layer and ends with it.
 *
 * Services that are built into a scope are there when the fibers of that scope unwind, and go after them. (Layers after
 * ZIO and Effect.) */
#ifndef EFF_LAYER_H
#define EFF_LAYER_H

#include <stddef.h>

#include <eff/api.h>
#include <eff/context.h>
#include <eff/fiber.h>
#include <eff/scope.h>

/* All that it points to must live until the scope that it is built into has closed. What is NULL is left out. */
struct eff_layer {
	const char *name;
	const struct eff_key *provides;
	const struct eff_key *const *needs; /* found by eff_get() in acquire(); up to a NULL */
	const struct eff_layer *const *includes; /* are built with it, side by side; up to a NULL */
	/* Returns OK with the service as its value; anything else leaves nothing behind. May suspend; a build that has failed
	 * or is interrupted cuts its waits short. NULL: the service is `arg`. */
	eff_fn *acquire;
	/* Masked, shown the exit of the scope or of the failed build. */
	eff_final_fn *release;
	void *arg;
	size_t stack_bytes; /* 0: the runtime's default */
};

#define EFF_NEEDS(...) ((const struct eff_key *const[]){__VA_ARGS__, NULL})
#define EFF_INCLUDES(...) ((const struct eff_layer *const[]){__VA_ARGS__, NULL})

/* Acquire `n` layers and those that they include, each once, side by side as far as their needs allow, and hang their
 * services into `scope`, which is one around the caller. When it closes, after its fibers have ended, they are released, one
 * by one, the last completed first. Suspends. Returns OK when all are there. Else nothing is, what had been acquired is
 * released in that order, and the exit is the first failure of an acquire(), or INTERRUPT or FAIL ETIMEDOUT when the caller
 * was cut short, with further failures behind it. Before anything is acquired it is FAIL ENOMEM; FAIL ENOENT, naming all that
 * is needed and neither provided by one of them nor found in `scope`; FAIL EEXIST, naming those that provide the same; or
 * FAIL ELOOP, naming those that need each other. */
EFF_API EFF_SUSPENDS eff_exit eff_layers_build(
	struct eff_scope *scope, const struct eff_layer *const *layers, size_t n);

struct eff_testclock;
/* The virtual clock that the runtime was made with, as a service, for who advances it. Waiting needs no service: all fibers
 * of a runtime wait by its clock. In a runtime of another clock the layer fails with EINVAL. */
EFF_API extern const struct eff_key eff_testclock_key;
EFF_API struct eff_layer eff_testclock_layer(struct eff_testclock *clock);

#endif
