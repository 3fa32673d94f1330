/* SPDX-License-Identifier: MIT */
/* Work on log files, one job after the other in each folder. */
#ifndef EFFD_LANES_H
#define EFFD_LANES_H

#include <eff/api.h>
#include <eff/event.h>
#include <eff/list.h>

struct os;

struct lanes {
	struct eff_list list;    /* of folders that somebody works in, or waits for */
	struct eff_list at_work; /* of those that somebody works in */
	struct eff_list waiting; /* whose lane is taken, or for whom there is no thread; who came first is first */
	unsigned n_taken;
};
void os_lanes_init(struct lanes *lanes);
/* As with_logs() of the seam. Suspends. */
EFF_SUSPENDS int linux_with_logs(struct os *os, const char *folder, void (*fn)(void *arg),
	void *arg, void (*done)(void *arg));

#endif
