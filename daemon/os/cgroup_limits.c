/* SPDX-License-Identifier: MIT */
/* What a control group may take, and whether it took too much. A limit needs a controller, which home may not have, or may
 * not be able to give; then that is said in words that tell which of the two it is. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/cgroup.h"

enum { PERIOD_US = 100000, LEAST_US = 1000, BFQ_MOST = 1000, USUAL_WEIGHT = 100 };

static const struct {
	const char *name, *file, *none;
	unsigned controller;
} rows[] = {
#define CGROUP_LIMIT(symbol, name, type, least, most, controller, file, none, help) \
	{#name, file, none, CGROUP_##controller},
#include "base/cgroup.def"
#undef CGROUP_LIMIT
};

/* As its file wants it. */
static void value_add(
	enum terms_cgroup_limit which, const struct terms_cgroup *c, char text[static 48])
{
	double quota = c->cpu_max * PERIOD_US;
	const uint64_t plain[] = {
		[TERMS_MEMORY_MAX] = c->memory_max,
		[TERMS_MEMORY_HIGH] = c->memory_high,
		[TERMS_CPU_WEIGHT] = c->cpu_weight,
		[TERMS_PIDS_MAX] = c->pids_max,
		[TERMS_IO_WEIGHT] = c->io_weight,
	};

	if (which == TERMS_CPU_MAX)
		(void)snprintf(text, 48, "%.0f %d", quota < LEAST_US ? LEAST_US : quota, PERIOD_US);
	else
		(void)snprintf(text, 48, "%s%" PRIu64,
			which == TERMS_IO_WEIGHT ? "default " : "", plain[which]);
}

/* Of the two ways to share disks one counts to 1000 alone, with the usual weight at the same place. */
static int bfq_set(const struct cgroup *group, const char *text)
{
	unsigned long weight = strtoul(text + strcspn(text, "0123456789"), NULL, 10);
	char own[48];

	if (weight > USUAL_WEIGHT)
		weight = USUAL_WEIGHT +
			(weight - USUAL_WEIGHT) * (BFQ_MOST - USUAL_WEIGHT) / (10000 - USUAL_WEIGHT);
	(void)snprintf(own, sizeof(own), "default %lu", weight);
	return os_cgroup_write(group->fd, "io.bfq.weight", own);
}

static int limit_set(struct cgroup *group, enum terms_cgroup_limit which, const char *text)
{
	int r = os_cgroups_give(group->all, rows[which].controller);

	if (r == 0)
		r = os_cgroup_write(group->fd, rows[which].file, text);
	if (r == -ENOENT && which == TERMS_IO_WEIGHT)
		r = bfq_set(group, text);
	return r;
}

int os_cgroup_limit(
	struct cgroup *group, const struct terms *terms, enum terms_cgroup_limit *ret_which)
{
	unsigned given = terms ? (terms->given & TERMS_CGROUP) >> TERMS_CGROUP_SHIFT : 0;

	for (enum terms_cgroup_limit which = 0; which < TERMS_N_CGROUP; which++) {
		unsigned bit = 1U << which;
		char text[48];
		int r;

		if (!((given | group->limits) & bit))
			continue;
		(void)snprintf(text, sizeof(text), "%s", rows[which].none);
		if (given & bit)
			value_add(which, &terms->cgroup, text);
		r = limit_set(group, which, text);
		if (r < 0) {
			*ret_which = which;
			return r;
		}
		group->limits = (group->limits & ~bit) | (given & bit);
	}
	return 0;
}

void os_cgroup_limit_words(const struct cgroups *all, enum terms_cgroup_limit which, int error,
	char *words, size_t size)
{
	const char *name = rows[which].name;
	const char *controller = os_cgroups_controller(all, rows[which].controller);

	if (all->given & rows[which].controller)
		(void)snprintf(words, size, "%s", name);
	else if (error == EOPNOTSUPP)
		(void)snprintf(words, size, "%s: there is no controller %s in %.300s", name,
			controller, all->folder);
	else if (error == EBUSY)
		(void)snprintf(words, size,
			"%s: %.300s cannot give on its controller %s, for others than effd are in it",
			name, all->folder, controller);
	else
		(void)snprintf(words, size, "%s: the controller %s cannot be had from %.300s",
			name, controller, all->folder);
}

uint64_t os_cgroup_oom_kills(const struct cgroup *group)
{
	char text[512];
	uint64_t n;

	if (!(group->all->given & CGROUP_MEMORY) ||
		os_cgroup_read(group->fd, "memory.events", text, sizeof(text)) <= 0)
		return 0;
	return os_cgroup_says(text, "oom_kill", &n) ? n : 0;
}

bool os_cgroup_oom(const struct cgroup *group)
{
	return os_cgroup_oom_kills(group) > group->n_oom;
}

uint64_t os_cgroup_cpu_us(const struct cgroup *group)
{
	char text[128];
	uint64_t us;

	/* Its first line; the others are no matter. */
	return os_cgroup_read(group->fd, "cpu.stat", text, sizeof(text)) > 0 &&
			os_cgroup_says(text, "usage_usec", &us)
		? us
		: 0;
}
