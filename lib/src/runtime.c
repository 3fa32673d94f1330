/* SPDX-License-Identifier: MIT */
/* The runtime's making and unmaking, and looking at it. What it does in between is loop.c. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "loop.h"
#include "watchdog.h"

static const size_t default_stack_bytes = 65536;

int eff__rt_loop(struct eff_rt *rt)
{
	struct eff__backend_state *loop;
	int r;

	if (rt->loop)
		return 0;
	r = rt->backend->open(rt, &loop);
	if (r < 0)
		return r;
	/* Posters on other threads look whether there is something to wake. */
	__atomic_store_n(&rt->loop, loop, __ATOMIC_SEQ_CST);
	return 0;
}

static uint64_t seed_from_kernel(void)
{
	uint64_t seed;

	/* Early in a boot there may be none yet; jitter is no secret. */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = (uint64_t)eff__monotonic();
	return seed;
}

static void rt_init(struct eff_rt *rt, const struct eff_rt_opts *opts)
{
	eff_list_init(&rt->all);
	eff__scope_init(&rt->daemons, NULL, NULL);
	rt->daemons.env = opts->env;
	rt->clock = opts->clock;
	rt->born_at = rt->clock ? &rt->clock->now : &rt->turn_at;
	rt->backend = opts->backend ? opts->backend : eff_backend_ev();
	rt->hooks = opts->hooks;
	rt->stack_bytes = opts->stack_bytes ? opts->stack_bytes : default_stack_bytes;
	rt->turn_at = eff__monotonic();
	eff__random_seed(rt, opts->seed ? opts->seed : seed_from_kernel());
}

static int watch_open(struct eff_rt *rt, eff_ns stall_ns)
{
	rt->watch = eff__watch_new(rt, stall_ns);
	return rt->watch ? eff__watch_start(rt->watch) : -ENOMEM;
}

int eff_rt_new(const struct eff_rt_opts *opts, struct eff_rt **ret_rt)
{
	static const struct eff_rt_opts defaults;
	struct eff_rt *rt;
	int r = -ENOMEM;

	if (eff__rt || (opts && opts->clock && opts->clock->rt))
		return -EBUSY;
	rt = aligned_alloc(_Alignof(struct eff_rt), sizeof(*rt));
	if (!rt)
		return -ENOMEM;
	memset(rt, 0, sizeof(*rt));
	rt_init(rt, opts ? opts : &defaults);
	rt->stacks = eff__stacks_new();
	if (!rt->stacks)
		goto fail;
	rt->stack_class = eff__stack_class(rt->stacks, rt->stack_bytes);
	if (!rt->stack_class)
		goto fail;
	r = rt->clock ? 0 : eff__rt_loop(rt);
	if (r < 0)
		goto fail;
	r = opts && opts->stall_ns > 0 ? watch_open(rt, opts->stall_ns) : 0;
	if (r < 0)
		goto fail;
	if (rt->clock)
		rt->clock->rt = rt;
	eff__overflow_watch(rt);
	eff__rt = rt;
	*ret_rt = rt;
	return 0;
fail:
	eff__watch_free(rt->watch);
	if (rt->loop)
		rt->backend->close(rt->loop);
	eff__stacks_free(rt->stacks);
	free(rt);
	return r;
}

/* No fiber, no handle of one, no timer. */
static void check_nothing_is_left(const struct eff_rt *rt)
{
	if (rt->stats.fibers_live)
		eff__misuse("eff_rt_free", "there are fibers that have not ended");
	if (rt->n_blocks)
		eff__misuse("eff_rt_free", "an ended fiber has not been given back");
	if (rt->timers.count)
		eff__misuse("eff_rt_free", "there are timers that are armed");
}

void eff_rt_free(struct eff_rt *rt)
{
	struct eff_fiber *spare;

	if (!rt)
		return;
	eff__not_in_fiber(rt, "eff_rt_free");
	eff__watch_free(rt->watch);
	rt->watch = NULL;
	eff__threads_free(rt);
	eff__procs_free(rt);
	eff__fds_free(rt);
	if (rt->root && rt->root->state == EFF__ENDED)
		eff_fiber_unref(rt->root);
	while ((spare = rt->spare)) {
		rt->spare = spare->next;
		rt->n_blocks--;
		free(spare);
	}
	check_nothing_is_left(rt);
	eff__host_free(rt->host);
	if (rt->loop)
		rt->backend->close(rt->loop);
	eff__timers_done(&rt->timers);
	eff__stacks_free(rt->stacks);
	eff__overflow_unwatch(rt);
	if (rt->clock)
		rt->clock->rt = NULL;
	eff__rt = NULL;
	free(rt);
}

struct eff_rt *eff_rt_current(void)
{
	return eff__rt;
}

void eff_rt_stats(const struct eff_rt *rt, struct eff_rt_stats *ret_stats)
{
	*ret_stats = rt->stats;
	ret_stats->forks = rt->next_id; /* each has its own */
	ret_stats->switches += rt->turn_budget - rt->budget;
	ret_stats->timers_armed = rt->timers.count;
	ret_stats->stack_bytes_mapped = eff__stacks_mapped(rt->stacks);
}
