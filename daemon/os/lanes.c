/* SPDX-License-Identifier: MIT */
/* Work on log files, on a thread, for it may have to wait for a disk: one job after the other in each folder, so that one
 * that hangs holds up its own folder's, and so that who renames there is alone. So many folders are worked on at once that
 * there is a thread left for others; one that hangs is not counted among those after a second. Where no thread is to be
 * had, it is done here: better late than not at all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <eff/clock.h>
#include <eff/io.h>
#include <eff/scope.h>

#include "base/alloc.h"
#include "os/internal.h"

enum {
	LANES_AT_WORK = 3,
	LANES_IN_ALL = 48, /* with those that hang */
};

#define HANGS EFF_S(1)

struct lane {
	struct eff_list link;
	struct eff_list at_work; /* in the list of those that are taken */
	struct lanes *lanes;
	unsigned n_users; /* who waits for it, and who has it */
	bool taken;
	eff_ns taken_at;
	char folder[];
};

struct lane_job {
	struct lane *lane;
	void (*fn)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

struct lane_wait {
	struct eff_list link;
	struct lane *lane;
	struct eff_event go; /* the lane is taken for it */
};

void os_lanes_init(struct lanes *lanes)
{
	eff_list_init(&lanes->list);
	eff_list_init(&lanes->at_work);
	eff_list_init(&lanes->waiting);
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

/* May one more be worked on? */
static bool lanes_have_room(const struct lanes *lanes)
{
	const struct eff_list *at_work = &lanes->at_work;
	eff_ns now = eff_now();
	unsigned n_hang = 0;

	for (const struct eff_list *l = at_work->next; l != at_work; l = l->next)
		n_hang += now - eff_container(l, struct lane, at_work)->taken_at >= HANGS;
	return lanes->n_taken - n_hang < LANES_AT_WORK && lanes->n_taken < LANES_IN_ALL;
}

static bool lane_try(struct lane *lane)
{
	struct lanes *lanes = lane->lanes;

	if (lane->taken || !lanes_have_room(lanes))
		return false;
	lane->taken = true;
	lane->taken_at = eff_now();
	lanes->n_taken++;
	eff_list_append(&lanes->at_work, &lane->at_work);
	return true;
}

/* Whose turn it is; nobody else is woken, for there may be a thousand. */
static void lanes_go_on(struct lanes *lanes)
{
	for (struct eff_list *l = lanes->waiting.next, *next;
		l != &lanes->waiting && lanes_have_room(lanes); l = next) {
		struct lane_wait *wait = eff_container(l, struct lane_wait, link);

		next = l->next;
		if (!lane_try(wait->lane))
			continue;
		eff_list_remove(l);
		eff_event_set(&wait->go);
	}
}

static void lane_leave(struct lane *lane)
{
	struct lanes *lanes = lane->lanes;

	lane->taken = false;
	lanes->n_taken--;
	eff_list_remove(&lane->at_work);
	lane_put(lane);
	lanes_go_on(lanes);
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

/* Takes the caller's share of the lane, which is taken. */
static int lane_run(struct lane *lane, const struct lane_job *wanted)
{
	struct lane_job *job = alloc_new(sizeof(*job));
	int r;

	if (!job) {
		lane_leave(lane);
		return -ENOMEM;
	}
	*job = *wanted;
	r = eff_blocking(job_run, job, job_done);
	if (r == -ECANCELED || r == -ETIMEDOUT)
		return -EINPROGRESS;
	if (r < 0)
		job->fn(job->arg);
	lane_leave(lane);
	free(job);
	return 0;
}

/* Suspends. 0: it is its turn, or there is reason to look whether others hang. */
static int go_await(struct eff_event *go)
{
	struct eff_scope within;
	int r;

	eff_scope_open(&within);
	eff_scope_limit(&within, eff_ns_add(eff_now(), HANGS));
	r = eff_event_await(go);
	return eff_scope_close(&within) == -ETIMEDOUT ? 0 : r;
}

/* Suspends. 0: it is taken. */
static int lane_await(struct lane *lane)
{
	struct lane_wait wait = {.lane = lane};
	int r;

	if (lane_try(lane))
		return 0;
	eff_event_init(&wait.go);
	eff_list_append(&lane->lanes->waiting, &wait.link);
	while ((r = go_await(&wait.go)) == 0 && !wait.go.set)
		lanes_go_on(lane->lanes);
	if (wait.go.set)
		return 0;
	eff_list_remove(&wait.link);
	return r;
}

int linux_with_logs(struct os *os, const char *folder, void (*fn)(void *arg), void *arg,
	void (*done)(void *arg))
{
	struct lane *lane = lane_get(&linux_of(os)->lanes, folder);
	int r;

	if (!lane)
		return -ENOMEM;
	r = lane_await(lane);
	if (r == 0)
		r = lane_run(lane,
			&(struct lane_job){.lane = lane, .fn = fn, .done = done, .arg = arg});
	else
		lane_put(lane);
	return r;
}
