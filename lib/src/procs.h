/* SPDX-License-Identifier: MIT */
/* A child as its keepers see it: proc.c (one), procs.c (all), proc_sigchld.c and proc_kernel.c (how it is looked at). */
#ifndef EFF_PROCS_H
#define EFF_PROCS_H

#include <signal.h>

#include "internal.h"
#include "spawn.h"

enum { EFF__PROC_BUCKETS = 128 };
enum { EFF__EXEC_PENDING = 1 }; /* else 0 or -ECHILD */
/* So many ends are collected in one turn of the loop; the others wait for the next. */
enum { EFF__REAPS_A_TURN = 32 };

struct eff__end {
	int status;
	bool lost;  /* nothing is known of it, and the status is a stand-in */
	eff_ns cpu; /* 0: none, or not known */
};

struct eff_proc {
	struct eff_list link; /* in its bucket, while it lives */
	struct eff_list due; /* among those that have ended and are to be collected; NULL: not */
	struct eff_rt *rt;   /* NULL: the runtime has ended before it */
	struct eff__making making;
	struct eff__hook pipe_hook, end_hook;
	struct eff_timer again;
	struct eff_list exec_waiters, end_waiters;
	struct eff__fault told;
	struct eff_spawn_fault fault;
	int exec;
	struct eff__end end;
	bool signalled; /* by us, before it had executed */
	bool ended;
	bool freed;  /* nobody holds it: destroyed when it has ended */
	bool left;   /* and nobody has killed it, so there is no end to wait for */
	bool polled; /* the loop does not watch all of it: the timer does */
};

struct eff__procs {
	struct eff_list buckets[EFF__PROC_BUCKETS]; /* by pid */
	struct eff__stack_pool stacks;
	struct eff_rt *rt;
	struct eff_list due;   /* whose turn has not come */
	struct eff_timer next; /* armed while there are such */
	unsigned n_reaped;     /* in this turn */
	uint64_t turn;
	int sigchld_fd; /* -1: not needed so far */
	struct eff__hook sigchld_hook;
	bool sigchld_blocked; /* by us; before, the mask was: */
	sigset_t mask_before;
	int n_sharers; /* open sets of eff_signals with SIGCHLD */
};

/* The table of `rt`; NULL: out of memory. */
struct eff__procs *eff__procs_of(struct eff_rt *rt);
struct eff_list *eff__procs_bucket(struct eff__procs *procs, pid_t pid);
/* May another end be collected in this turn? Then it counts. */
bool eff__procs_may_reap(struct eff__procs *procs);
/* It has ended: collect it in the next turn, or when those before it are. */
void eff__procs_put_off(struct eff__procs *procs, struct eff_proc *proc);
/* It has ended: collect that, or poll when it cannot be had yet. The child may be no more then. */
void eff__proc_collect(struct eff_proc *proc);
/* Collect the end of the child if it has come: then true, and the child may be no more. */
bool eff__proc_reap(struct eff_proc *proc);
/* Nothing that the loop watches tells of it (any more): look by the time, until it has ended. */
void eff__proc_look_by_time(struct eff_proc *proc);
/* Reap whoever can be, once. */
void eff__procs_reap_all(struct eff__procs *procs);
void eff__procs_look_by_time(struct eff__procs *procs);

/* Notice ends by SIGCHLD from here on. 0 or -errno. */
int eff__sigchld_open(struct eff__procs *procs);
void eff__sigchld_close(struct eff__procs *procs);

/* Has it ended? Then its wait status. With WNOWAIT it stays a zombie, else its pid is free from here on. */
bool eff__proc_wait(const struct eff_proc *proc, int flags, struct eff__end *ret_end);
/* Of a child whose pipe has ended: did it die before it executed its program? */
bool eff__proc_died_unborn(const struct eff_proc *proc);
/* Has a zombie of that status ended before the status pipe was its own? Then it is the errno. */
bool eff__proc_ended_mute(const struct eff_proc *proc, int status);
/* 0 or -errno. */
int eff__proc_kill(const struct eff_proc *proc, int sig);
/* Block until the child's pipe or pidfd says something, or for `timeout_ms`. */
void eff__proc_poll(const struct eff_proc *proc, int timeout_ms);

#endif
