/* SPDX-License-Identifier: MIT */
/* What a child has used: all of it, where it has a control group, for the kernel counts there who has ended, too; else its
 * main process. Processor time is counted in each group, memory where its controller is. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "os/internal.h"

/* Processor time is a clock of the kernel's, which costs a fraction of what a look into /proc does, and that for each unit
 * that somebody asks for. */
static bool usage_of_main(const struct os_child *child, struct os_usage *ret_usage)
{
	struct timespec spent;
	clockid_t clock;

	if (os_main_ended(child) || clock_getcpuclockid(linux_pid(child), &clock) != 0 ||
		clock_gettime(clock, &spent) < 0)
		return false;
	ret_usage->cpu_s = (double)spent.tv_sec + (double)spent.tv_nsec / 1e9;
	return true;
}

bool os_usage_of_group(const struct cgroup *group, struct os_usage *usage)
{
	uint64_t us = os_cgroup_cpu_us(group), memory;
	char text[64], *end;

	if (us > group->cpu_before_us)
		usage->cpu_s = (double)(us - group->cpu_before_us) / 1e6;
	if (os_cgroup_read(group->fd, "memory.current", text, sizeof(text)) <= 0)
		return false;
	errno = 0;
	memory = strtoull(text, &end, 10);
	if (errno || end == text || *end != '\n')
		return false;
	usage->memory_bytes = memory;
	return true;
}

bool linux_usage(struct os_child *child, struct os_usage *ret_usage)
{
	if (!usage_of_main(child, ret_usage))
		return false;
	if (!child->cgroup || !os_usage_of_group(child->cgroup, ret_usage))
		ret_usage->memory_bytes = os_procfs_memory(linux_pid(child));
	return true;
}
