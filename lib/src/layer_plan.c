/* SPDX-License-Identifier: MIT */
/* What a build of layers will do, and why it cannot: all that is wrong with a set is found before anything is acquired. */
#include <stdio.h>
#include <stdlib.h>

#include "layers.h"

/* ── collecting ── */

static bool has(const struct eff__build *build, const struct eff_layer *layer)
{
	for (size_t i = 0; i < build->n; i++)
		if (build->layers[i].layer == layer)
			return true;
	return false;
}

/* 0 or -ENOMEM. */
static int add(struct eff__build **build, const struct eff_layer *layer)
{
	struct eff__build *grown;
	size_t n = (*build)->n;

	if (has(*build, layer))
		return 0;
	grown = realloc(*build, sizeof(*grown) + (n + 1) * sizeof(grown->layers[0]));
	if (!grown)
		return -ENOMEM;
	grown->layers[n] = (struct eff__built){.layer = layer};
	grown->n = n + 1;
	*build = grown;
	return 0;
}

/* Those that are included come behind, and are looked at in turn. Each is in it once, so this ends. */
static int collect(struct eff__build **build, const struct eff_layer *const *layers, size_t n)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < n; i++)
		r = add(build, layers[i]);
	for (size_t i = 0; r >= 0 && i < (*build)->n; i++) {
		const struct eff_layer *const *included = (*build)->layers[i].layer->includes;

		for (; r >= 0 && included && *included; included++)
			r = add(build, *included);
	}
	return r;
}

/* Now that it stays where it is. */
static void tie(struct eff__build *build, struct eff_scope *target)
{
	build->target = target;
	eff__scope_init(&build->owner, target->fiber, target);
	eff_pulse_init(&build->changed);
	eff_list_init(&build->up);
	for (size_t i = 0; i < build->n; i++) {
		build->layers[i].build = build;
		eff_event_init(&build->layers[i].over);
		eff_list_init(&build->layers[i].up);
	}
}

struct eff__built *eff__layers_provider(struct eff__build *build, const struct eff_key *key)
{
	for (size_t i = 0; i < build->n; i++)
		if (build->layers[i].layer->provides == key)
			return &build->layers[i];
	return NULL;
}

/* ── checking ── */

static const char *name_of(const struct eff__built *built)
{
	return built->layer->name ? built->layer->name : "a layer without a name";
}

/* The first text is the failure's, more of the same kind are behind it. */
#define MORE(exit, code, ...) \
	(eff_is_ok(exit) ? eff_failf(code, __VA_ARGS__) : eff_exit_note(exit, __VA_ARGS__))

static eff_exit check_provided_once(struct eff__build *build)
{
	eff_exit exit = eff_ok(NULL);

	for (size_t i = 0; i < build->n; i++) {
		const struct eff_key *key = build->layers[i].layer->provides;
		const struct eff__built *first = key ? eff__layers_provider(build, key) : NULL;

		if (first && first != &build->layers[i])
			exit = MORE(exit, EEXIST, "%s and %s both provide %s", name_of(first),
				name_of(&build->layers[i]), key->name);
	}
	return exit;
}

/* A key that is there without a service hides those further out: eff_get() finds none. */
static bool is_around(const struct eff__build *build, const struct eff_key *key)
{
	const struct eff_env *env = eff__env_find(build->target, key);

	return env && env->service;
}

static eff_exit check_provided(struct eff__build *build)
{
	eff_exit exit = eff_ok(NULL);

	for (size_t i = 0; i < build->n; i++) {
		const struct eff_key *const *need = build->layers[i].layer->needs;

		for (; need && *need; need++)
			if (!eff__layers_provider(build, *need) && !is_around(build, *need))
				exit = MORE(exit, ENOENT, "%s needs %s, which nothing provides",
					name_of(&build->layers[i]), (*need)->name);
	}
	return exit;
}

/* One that it needs and that is not sorted; NULL: it can be. */
static struct eff__built *unsorted_need(struct eff__built *built)
{
	const struct eff_key *const *need = built->layer->needs;

	for (; need && *need; need++) {
		struct eff__built *provider = eff__layers_provider(built->build, *need);

		if (provider && !provider->sorted)
			return provider;
	}
	return NULL;
}

/* Each that is left needs one that is left: whoever goes on from need to need ends in a cycle. Returns the one of it that
 * was listed first. */
static struct eff__built *find_cycle(struct eff__build *build, struct eff__built *left)
{
	struct eff__built *first;

	for (size_t i = 0; i < build->n; i++)
		left = unsorted_need(left);
	first = left;
	for (size_t i = 0; i < build->n; i++) {
		left = unsorted_need(left);
		if (left < first)
			first = left;
	}
	return first;
}

static eff_exit name_cycle(struct eff__built *first)
{
	struct eff__built *built = first;
	char text[512];
	size_t len = 0;

	do {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s -> ", name_of(built));
		built = unsorted_need(built);
	} while (built != first && len < sizeof(text));
	if (len >= sizeof(text))
		return eff_failf(ELOOP, "layers need each other: %s...", text);
	return eff_failf(ELOOP, "layers need each other: %s%s", text, name_of(first));
}

static eff_exit check_order(struct eff__build *build)
{
	struct eff__built *left = NULL;
	bool found = true;

	while (found) {
		found = false;
		left = NULL;
		for (size_t i = 0; i < build->n; i++) {
			struct eff__built *built = &build->layers[i];

			if (built->sorted)
				continue;
			if (unsorted_need(built))
				left = built;
			else
				found = built->sorted = true;
		}
	}
	return left ? name_cycle(find_cycle(build, left)) : eff_ok(NULL);
}

eff_exit eff__layers_plan(struct eff_scope *target, const struct eff_layer *const *layers,
	size_t n, struct eff__build **ret_build)
{
	struct eff__build *build = calloc(1, sizeof(*build));
	int r = build ? collect(&build, layers, n) : -ENOMEM;
	eff_exit exit;

	if (r < 0) {
		free(build);
		return eff_fail(-r);
	}
	tie(build, target);
	exit = check_provided_once(build);
	if (eff_is_ok(exit))
		exit = check_provided(build);
	if (eff_is_ok(exit))
		exit = check_order(build);
	if (eff_is_ok(exit))
		*ret_build = build;
	else
		free(build);
	return exit;
}
