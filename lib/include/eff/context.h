/* SPDX-License-Identifier: MIT */
/* Services: what code finds around it without having been handed it, as Effect's Context.
 *
 * A service hangs in a scope, under a key. Who looks for one looks in the innermost scope of the fiber that runs, then in
 * those around it, then in the scope that owns the fiber and those around that, and at last in the runtime. So a child
 * sees what its owner sees, a fiber that was forked in another scope what is there, and a daemon the runtime's services
 * only. Nothing can dangle: whoever finds a service runs inside the scope that it hangs in. */
#ifndef EFF_CONTEXT_H
#define EFF_CONTEXT_H

#include <eff/api.h>
#include <eff/scope.h>

/* What a service is found by: the address counts, the name is for people. One constant for each service, as
 * `const struct eff_key database = {"database"};` beside what it is the key of. */
struct eff_key {
	const char *name;
};

/* A link of the chain, in the memory of whoever hangs it there; not to be changed as long as it hangs. */
struct eff_env {
	const struct eff_key *key;
	void *service;
	const struct eff_env *next; /* set by eff_env_with(); by hand for eff_rt_opts.env */
};

/* From now until `scope` has closed, all that run inside find `service`, in place of one of the same key further out or
 * hung there before; NULL: none. The node and the service are the caller's and must live until then (of a fiber's body, longer
 * than its frame). Does not suspend, cannot fail. */
EFF_API void eff_env_with(struct eff_scope *scope, struct eff_env *node,
	const struct eff_key *key, void *service);
/* The service; NULL when there is none. Outside of a fiber it looks in the runtime. Does not suspend. */
EFF_API void *eff_get(const struct eff_key *key);

#endif
