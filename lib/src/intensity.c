/* SPDX-License-Identifier: MIT */
/* Intensity: too many restarts within a period. Only the last `max_restarts` instants need to be known: one restart more is
 * too many exactly when the oldest of them lies within the period still. */
#include <stdlib.h>
#include <string.h>

#include "supervisor.h"

/* The i-th in the ring, the oldest being 0. */
static eff_ns *restart_at(const struct eff_sup *sup, uint32_t i)
{
	return &sup->restarts[((uint64_t)sup->oldest_restart + i) % sup->opts.max_restarts];
}

int eff__intensity_resize(struct eff_sup *sup, uint32_t max)
{
	uint32_t n = sup->n_restarts < max ? sup->n_restarts : max;
	eff_ns *ring;

	if (max == sup->opts.max_restarts)
		return 0;
	ring = max ? calloc(max, sizeof(*ring)) : NULL;
	if (max && !ring)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		ring[i] = *restart_at(sup, sup->n_restarts - n + i);
	free(sup->restarts);
	sup->restarts = ring;
	sup->n_restarts = n;
	sup->oldest_restart = 0;
	return 0;
}

bool eff__intensity_count(struct eff_sup *sup)
{
	uint32_t max = sup->opts.max_restarts;
	eff_ns now = eff_now();

	if (sup->opts.period == 0)
		return true;
	if (max == 0)
		return false;
	if (sup->n_restarts < max) {
		*restart_at(sup, sup->n_restarts++) = now;
		return true;
	}
	if (now - sup->restarts[sup->oldest_restart] <= sup->opts.period)
		return false;
	sup->restarts[sup->oldest_restart] = now;
	sup->oldest_restart = (sup->oldest_restart + 1) % max;
	return true;
}

uint32_t eff_sup_restarts(const struct eff_sup *sup)
{
	eff_ns now = eff_now();
	uint32_t n = 0;

	while (n < sup->n_restarts &&
		now - *restart_at(sup, sup->n_restarts - 1 - n) <= sup->opts.period)
		n++;
	return n;
}
