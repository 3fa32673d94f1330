/* SPDX-License-Identifier: MIT */
/* Services: each scope has a chain of its own, the last hung first; between scopes the way is the structure itself. So
 * looking up costs what is around, and who provides nothing pays nothing. */
#include <eff/context.h>

#include "internal.h"

void eff_env_with(
	struct eff_scope *scope, struct eff_env *node, const struct eff_key *key, void *service)
{
	if (!scope->depth)
		eff__misuse("eff_env_with", "this scope is closed");
	node->key = key;
	node->service = service;
	node->next = scope->env;
	scope->env = node;
}

void eff__env_without(struct eff_scope *scope, const struct eff_env *node)
{
	const struct eff_env **at = &scope->env;

	while (*at != node)
		at = &((struct eff_env *)*at)->next;
	*at = node->next;
}

const struct eff_env *eff__env_find(const struct eff_scope *scope, const struct eff_key *key)
{
	const struct eff_env *env;

	for (; scope; scope = eff__scope_around(scope))
		for (env = scope->env; env; env = env->next)
			if (env->key == key)
				return env;
	return NULL;
}

void *eff_get(const struct eff_key *key)
{
	const struct eff_rt *rt = eff__rt;
	const struct eff_env *env;

	if (!rt)
		return NULL;
	env = eff__env_find(rt->current ? rt->current->scope : &rt->daemons, key);
	return env ? env->service : NULL;
}
