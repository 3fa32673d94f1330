/* SPDX-License-Identifier: MIT */
/* Work on log files, on a thread, for it may have to wait for a disk: one job after the other in each folder, so that one
 * that hangs holds up its own folder's, and so that who renames there is alone. So many folders are worked on at once that
 * there is a thread left for others. Where no thread is to be had, it is done here: better late than not at all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <eff/fiber.h>
#include <eff/io.h>

#include "base/alloc.h"
#include "os/internal.h"

enum { LANES_MOST = 3 };

struct lane {
	struct eff_list link;
	struct lanes *lanes;
	unsigned n_users; /* who waits for it, and who has it */
	bool taken;
	char folder[];
};

struct lane_job {
	struct lane *lane;
	void (*fn)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

void os_lanes_init(struct lanes *lanes)
{
	eff_list_init(&lanes->list);
	eff_pulse_init(&lanes->left);
}

static struct lane *lane_get(struct lanes *lanes, const char *folder)
{
	size_t len = strlen(folder) + 1;
	struct lane *lane;

	for (struct eff_list *l = lanes->list.next; l != &lanes->list; l = l->next) {
		lane = eff_container(l, struct lane, link);
		if (strcmp(lane->folder, folder) == 0) {
			lane->n_users++;
			return lane;
		}
	}
	lane = alloc_new(sizeof(*lane) + len);
	if (!lane)
		return NULL;
	lane->lanes = lanes;
	lane->n_users = 1;
	memcpy(lane->folder, folder, len);
	eff_list_append(&lanes->list, &lane->link);
	return lane;
}

static void lane_put(struct lane *lane)
{
	if (--lane->n_users > 0)
		return;
	eff_list_remove(&lane->link);
	free(lane);
}

static void lane_take(struct lane *lane)
{
	lane->taken = true;
	lane->lanes->n_taken++;
}

static void lane_leave(struct lane *lane)
{
	lane->taken = false;
	lane->lanes->n_taken--;
	eff_pulse_send(&lane->lanes->left);
	lane_put(lane);
}

static void job_run(void *arg)
{
	struct lane_job *job = arg;

	job->fn(job->arg);
}

/* Nobody waits for it any more. */
static void job_done(void *arg)
{
	struct lane_job *job = arg;

	job->done(job->arg);
	lane_leave(job->lane);
	free(job);
}

/* Takes the caller's share of the lane. */
static int lane_run(struct lane *lane, const struct lane_job *wanted)
{
	struct lane_job *job = alloc_new(sizeof(*job));
	int r;

	if (!job) {
		lane_put(lane);
		return -ENOMEM;
	}
	*job = *wanted;
	lane_take(lane);
	r = eff_blocking(job_run, job, job_done);
	if (r == -ECANCELED || r == -ETIMEDOUT)
		return -EINPROGRESS;
	if (r < 0)
		job->fn(job->arg);
	lane_leave(lane);
	free(job);
	return 0;
}

static int lane_await(struct lanes *lanes, const struct lane *lane)
{
	int r = 0;

	lanes->n_waiting++;
	while (r == 0 && (lane->taken || lanes->n_taken >= LANES_MOST))
		r = eff_pulse_await(&lanes->left);
	lanes->n_waiting--;
	return r;
}

int linux_with_logs(struct os *os, const char *folder, void (*fn)(void *arg), void *arg,
	void (*done)(void *arg))
{
	struct lanes *lanes = &linux_of(os)->lanes;
	struct lane *lane = lane_get(lanes, folder);
	int r;

	if (!lane)
		return -ENOMEM;
	r = lane_await(lanes, lane);
	if (r == 0)
		r = lane_run(lane,
			&(struct lane_job){.lane = lane, .fn = fn, .done = done, .arg = arg});
	else
		lane_put(lane);
	/* Who has waited longer goes first. */
	if (r == 0 && lanes->n_waiting > 0)
		(void)eff_yield();
	return r;
}
