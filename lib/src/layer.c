/* SPDX-License-Identifier: MIT */
/* Layers: a build of them, from the first acquire to the last release.
 *
 * live() is a layer's whole story, in a fiber of its own: acquire, tell, wait for the word, release. The builder begins
 * those whose needs are there until all are, or one has failed. The fibers belong to a scope beside those of the caller:
 * it lies inside the target, so that they find its services, but is on no fiber's way, so that closing the target does not
 * end them with its own fibers; they end in release_all(), called by a finalizer of the target. */
#include <stdlib.h>

#include <eff/effect.h>
#include <eff/layer.h>

#include "layers.h"

/* ── one layer ── */

static void completed(struct eff__built *built, void *service)
{
	struct eff__build *build = built->build;

	built->is_up = true;
	build->n_acquiring--;
	build->n_up++;
	eff_list_prepend(&build->up, &built->up);
	eff_env_with(build->target, &built->env, built->layer->provides, service);
	eff_pulse_send(&build->changed);
}

static eff_exit acquire(const struct eff_layer *layer)
{
	return layer->acquire ? layer->acquire(layer->arg) : eff_ok(layer->arg);
}

static eff_exit live(void *arg)
{
	struct eff__built *built = arg;
	const struct eff_layer *layer = built->layer;
	struct eff_finalizer finalizer;
	struct eff_scope life;
	eff_exit exit;

	eff_scope_open(&life);
	exit = acquire(layer);
	if (!eff_is_ok(exit))
		return eff_scope_end(&life, exit);
	if (layer->release)
		eff_defer_exit(&life, &finalizer, layer->release, layer->arg);
	/* From here on only the build's word ends it. */
	(void)eff_mask();
	completed(built, exit.value.pointer);
	eff_exit_drop(exit);
	(void)eff_event_await(&built->over);
	return eff__scope_leave(&life, built->build->shown);
}

/* It could not be acquired, or has been released. */
static void ended(struct eff_fiber *fiber, void *context)
{
	struct eff__built *built = context;
	struct eff__build *build = built->build;
	bool because = build->unwinding && fiber->exit.tag == EFF_INTERRUPT;

	fiber->awaited = true;
	if (!eff_is_ok(fiber->exit) && !because)
		build->exit = eff__exit_then(build->exit, eff_exit_keep(fiber->exit));
	if (built->is_up)
		eff__env_without(build->target, &built->env);
	else
		build->n_acquiring--;
	eff_pulse_send(&build->changed);
}

/* ── the build ── */

static bool is_ready(const struct eff__built *built)
{
	const struct eff_key *const *need = built->layer->needs;

	for (; need && *need; need++) {
		const struct eff__built *provider = eff__layers_provider(built->build, *need);

		if (provider && !provider->is_up)
			return false;
	}
	return true;
}

static int begin(struct eff__built *built)
{
	const struct eff_layer *layer = built->layer;
	struct eff__build *build = built->build;
	eff e = {
		.fn = live,
		.arg = built,
		.name = layer->name,
		.stack_bytes = layer->stack_bytes,
	};
	int r = eff_fork_in(&build->owner, e, &built->fiber);

	if (r < 0)
		return r;
	built->fiber->on_end = ended;
	built->fiber->on_end_context = built;
	build->n_acquiring++;
	return 0;
}

static int begin_ready(struct eff__build *build)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < build->n; i++)
		if (!build->layers[i].fiber && is_ready(&build->layers[i]))
			r = begin(&build->layers[i]);
	return r;
}

/* The one that completed last first, each awaited before the next. Masked by the caller. */
static void release_all(struct eff__build *build, eff_exit shown)
{
	struct eff_list *node;

	build->shown = shown;
	while ((node = eff_list_pop(&build->up))) {
		struct eff__built *built = eff_container(node, struct eff__built, up);

		eff_event_set(&built->over);
		(void)eff_await(built->fiber, NULL);
	}
}

static void build_free(struct eff__build *build)
{
	assert(eff_list_empty(&build->owner.fibers));
	for (size_t i = 0; i < build->n; i++)
		eff_fiber_unref(build->layers[i].fiber);
	free(build);
}

static eff_exit release_build(void *arg, eff_exit exit)
{
	struct eff__build *build = arg;
	eff_exit failed;

	release_all(build, exit);
	failed = build->exit;
	build_free(build);
	return failed;
}

/* It has failed, build->exit says why. Takes the build, returns the exit. */
static eff_exit unwind(struct eff__build *build)
{
	eff_masked masked = eff_mask();
	eff_exit why = eff_exit_keep(build->exit);
	eff_exit exit;

	build->unwinding = true;
	for (size_t i = 0; i < build->n; i++)
		if (build->layers[i].fiber)
			eff_interrupt_async(build->layers[i].fiber);
	while (build->n_acquiring)
		(void)eff_pulse_await(&build->changed);
	release_all(build, why);
	eff_unmask(masked);
	eff_exit_drop(why);
	exit = build->exit;
	build_free(build);
	return exit;
}

static bool is_around(const struct eff_scope *target)
{
	const struct eff_scope *scope = eff_scope_current();

	while (scope && scope != target)
		scope = eff__scope_around(scope);
	return scope;
}

eff_exit eff_layers_build(struct eff_scope *scope, const struct eff_layer *const *layers, size_t n)
{
	struct eff__build *build;
	eff_exit exit;

	if (!is_around(scope))
		eff__misuse("eff_layers_build", "this scope is not around the caller");
	exit = eff__layers_plan(scope, layers, n, &build);
	if (!eff_is_ok(exit))
		return exit;
	while (build->n_up < build->n && eff_is_ok(build->exit)) {
		int r = begin_ready(build);

		if (r >= 0)
			r = eff_pulse_await(&build->changed);
		if (r < 0 && build->n_up < build->n)
			build->exit = eff__exit_then(eff_exit_of(r), build->exit);
	}
	if (!eff_is_ok(build->exit))
		return unwind(build);
	eff_defer_exit(scope, &build->finalizer, release_build, build);
	return eff_ok(NULL);
}

/* ── the test clock ── */

const struct eff_key eff_testclock_key = {"test clock"};

static eff_exit acquire_testclock(void *arg)
{
	if (eff__rt->clock == arg)
		return eff_ok(arg);
	return eff_failf(EINVAL, "the runtime goes by another clock");
}

struct eff_layer eff_testclock_layer(struct eff_testclock *clock)
{
	return (struct eff_layer){
		.name = "test clock",
		.provides = &eff_testclock_key,
		.acquire = acquire_testclock,
		.arg = clock,
	};
}
