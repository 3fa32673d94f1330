/* SPDX-License-Identifier: MIT */
/* The table of the children that live, by pid, and what is done with all of them: looking, and leaving them behind when
 * the runtime ends. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "procs.h"

enum { LEAVE_MS = 1000 };

/* ── a part a turn ── */

bool eff__procs_may_reap(struct eff__procs *procs)
{
	uint64_t turn = procs->rt->stats.turns;

	if (procs->rt->clock)
		return true; /* it may stand still, and so would who waits for the next turn */
	if (procs->turn != turn)
		procs->n_reaped = 0;
	procs->turn = turn;
	return procs->n_reaped++ < EFF__REAPS_A_TURN;
}

static void on_next_turn(struct eff_timer *timer)
{
	struct eff__procs *procs = eff_container(timer, struct eff__procs, next);

	while (!eff_list_empty(&procs->due) && eff__procs_may_reap(procs))
		eff__proc_collect(eff_container(eff_list_pop(&procs->due), struct eff_proc, due));
	if (!eff_list_empty(&procs->due))
		eff__timer_arm(&procs->rt->timers, timer, eff__now(procs->rt));
}

void eff__procs_put_off(struct eff__procs *procs, struct eff_proc *proc)
{
	eff_list_append(&procs->due, &proc->due);
	if (!procs->next.armed)
		eff__timer_arm(&procs->rt->timers, &procs->next, eff__now(procs->rt));
}

/* ── the table ── */

struct eff__procs *eff__procs_of(struct eff_rt *rt)
{
	struct eff__procs *procs = rt->procs;

	if (procs)
		return procs;
	procs = calloc(1, sizeof *procs);
	if (!procs)
		return NULL;
	for (int i = 0; i < EFF__PROC_BUCKETS; i++)
		eff_list_init(&procs->buckets[i]);
	procs->sigchld_fd = -1;
	procs->rt = rt;
	eff_list_init(&procs->due);
	procs->next.fire = on_next_turn;
	rt->procs = procs;
	return procs;
}

struct eff_list *eff__procs_bucket(struct eff__procs *procs, pid_t pid)
{
	return &procs->buckets[(unsigned)pid % EFF__PROC_BUCKETS];
}

static void each(struct eff__procs *procs, void (*fn)(struct eff_proc *proc))
{
	for (int i = 0; i < EFF__PROC_BUCKETS; i++) {
		struct eff_list *link, *next;

		for (link = procs->buckets[i].next; link != &procs->buckets[i]; link = next) {
			next = link->next;
			fn(eff_container(link, struct eff_proc, link));
		}
	}
}

static void reap_if_dead(struct eff_proc *proc)
{
	(void)eff__proc_reap(proc);
}

void eff__procs_reap_all(struct eff__procs *procs)
{
	each(procs, reap_if_dead);
}

void eff__procs_look_by_time(struct eff__procs *procs)
{
	each(procs, eff__proc_look_by_time);
}

bool eff_proc_collect(pid_t pid)
{
	struct eff__procs *procs = eff__rt ? eff__rt->procs : NULL;
	struct eff_list *head, *link;

	if (!procs)
		return false;
	head = eff__procs_bucket(procs, pid);
	for (link = head->next; link != head; link = link->next) {
		struct eff_proc *proc = eff_container(link, struct eff_proc, link);

		if (proc->making.pid == pid) {
			(void)eff__proc_reap(proc);
			return true;
		}
	}
	return false;
}

/* The runtime ends before the child. One that was given up, or has not executed, has been killed and gets a while; one that was
 * left alone has not. */
static void leave(struct eff_proc *proc)
{
	eff_ns until = eff__monotonic() + EFF_MS(LEAVE_MS);

	if (proc->exec == EFF__EXEC_PENDING)
		(void)eff__proc_kill(proc, SIGKILL);
	while ((proc->freed && !proc->left) || proc->exec == EFF__EXEC_PENDING) {
		if (eff__proc_reap(proc))
			return;
		if (eff__monotonic() >= until)
			break;
		eff__proc_poll(proc, 10);
	}
	/* Its holder's; or the kernel's, which may still read its record: so that is never given back. */
	eff_list_remove(&proc->link);
	eff_list_remove(&proc->due);
	eff__timer_disarm(&proc->rt->timers, &proc->again);
	eff__fd_drop(proc->rt, &proc->making.pipe_fd);
	eff__fd_drop(proc->rt, &proc->making.carrier.ours);
	eff__fd_drop(proc->rt, &proc->making.carrier.theirs);
	eff__fd_drop(proc->rt, &proc->making.pidfd);
	proc->rt = NULL;
	if (proc->left && proc->exec != EFF__EXEC_PENDING)
		free(proc);
}

void eff__procs_free(struct eff_rt *rt)
{
	struct eff__procs *procs = rt->procs;

	if (!procs)
		return;
	each(procs, leave);
	eff__timer_disarm(&rt->timers, &procs->next);
	eff__sigchld_close(procs);
	eff__stack_pool_done(&procs->stacks);
	free(procs);
	rt->procs = NULL;
}
