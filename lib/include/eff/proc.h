/* SPDX-License-Identifier: MIT */
/* Processes: the one door to clone3.
 *
 * A child is described as data: what to execute, which descriptors it gets, which steps it takes before. It is made with
 * clone3(CLONE_PIDFD | CLONE_CLEAR_SIGHAND) on a small stack of its own, with all signals blocked around it, sharing the
 * caller's memory (CLONE_VM) unless credentials change; it rids itself of every other descriptor first, sets default
 * dispositions, takes its steps, unblocks all signals, and executes. A failed step is told through a close-on-exec pipe.
 * So nothing waits for execve() but who asks: a program on a hung file system delays nobody else. Where clone3 is not to
 * be had (old kernels, valgrind) it is fork() on the main stack, and ends are noticed by SIGCHLD. */
#ifndef EFF_PROC_H
#define EFF_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <eff/api.h>
#include <eff/time.h>

struct sock_filter;

enum eff_step_kind {
	EFF_STEP_SETGROUPS, /* ids.list, ids.n */
	EFF_STEP_SETGID,    /* id: real, effective and saved */
	EFF_STEP_SETUID,    /* id: likewise; afterwards setuid(0) must fail unless id is 0 */
	EFF_STEP_UMASK,     /* number */
	EFF_STEP_RLIMIT,    /* limit.resource, limit.value */
	EFF_STEP_NICE,      /* number */
	EFF_STEP_IOPRIO,    /* number: as ioprio_set(2) takes it, class and level in one */
	EFF_STEP_SCHEDULER, /* sched.policy, sched.priority */
	EFF_STEP_AFFINITY,  /* mask.list, mask.n: bits of processors, `n` words of them */
	EFF_STEP_WRITE,     /* file.text, in one go, to the file of the kernel's at file.path */
	EFF_STEP_NAMESPACE, /* number: one of its descriptors, of a namespace; it enters that, and closes this */
	EFF_STEP_CHROOT,   /* path: what it sees as / from then on, and where it is */
	EFF_STEP_CHDIR,    /* path */
	EFF_STEP_BOUNDING, /* capabilities: bit n is capability n; others it can never have */
	EFF_STEP_KEEP_CAPS, /* a change of ids leaves it what it is permitted, until its program */
	EFF_STEP_AMBIENT, /* capabilities: those that it has as nobody else than root would */
	EFF_STEP_NO_NEW_PRIVS,
	EFF_STEP_FILTER, /* filter.list, filter.n: a program that judges each further system call; the last step, but for root after NO_NEW_PRIVS */
	EFF_STEP_DEATHSIG, /* number: the signal at the death of the parent; checks that the parent still lives */
	EFF_STEP_PID_ENTRY, /* number: envp[number], "NAME=" and at least 10 bytes more, gets its own pid behind the "=" */
};

/* One step in the child. `stage` is the word that a failure is told with ("chdir", "user" …). */
struct eff_step {
	enum eff_step_kind kind;
	const char *stage;
	union {
		struct {
			const gid_t *list;
			size_t n;
		} ids;
		uint32_t id;
		uint64_t capabilities;
		int number;
		const char *path;
		struct {
			int resource;
			struct rlimit value;
		} limit;
		struct {
			int policy, priority;
		} sched;
		struct {
			const unsigned long *list;
			size_t n;
		} mask;
		struct {
			const char *path, *text;
		} file;
		struct {
			const struct sock_filter *list; /* of <linux/filter.h> */
			unsigned short n;
		} filter;
	};
};

/* Everything pointed to must stay as it is until `release(context)` is called: once, from the loop's thread, when the
 * child has executed, failed or gone (also when eff_spawn() itself failed: then before it returns). */
struct eff_spawn {
	const char *path; /* with a slash: executed as it is; without: searched in `search` by the child */
	const char *search; /* like PATH; NULL: no search */
	const char *const *argv, *const *envp;
	const int *fds; /* the child's descriptor i is fds[i]; -1: closed. At least 3. */
	unsigned n_fds;
	const struct eff_step *steps; /* in this order */
	unsigned n_steps;
	/* Bit n - 1: signal n is ignored here, no other is; so only these need be set to their default. NULL: any may be, and
	 * each is set, which takes a system call a signal. */
	const uint64_t *ignored;
	bool new_session; /* setsid() first; so it leads a process group too */
	/* The folder of a control group (version 2) that it is born into, as a descriptor; 0: its parent's. Where the kernel
	 * cannot, the child joins it before all else, as a step that may fail: "cgroup". */
	int cgroup_fd;
	bool own_memory; /* credentials change, or the kernel counts by memory (oom_score_adj): share none */
	void (*release)(void *context);
	void *context;
};

struct eff_proc;

/* Make a child. Does not suspend. Returns 0 and the child, which is the caller's, or -errno (the stage is "fork", or
 * "cgroup" where that may be full, gone, or not the caller's to fill). */
EFF_API int eff_spawn(const struct eff_spawn *spawn, struct eff_proc **ret_proc);

struct eff_spawn_fault {
	const char *stage; /* the step's word, "exec", "fds", "session", "signals", "cgroup"; or "fork" */
	int error; /* a positive errno */
};
/* Suspends until the child has executed its program. Returns 0; -ECHILD when a step failed (the fault says which) or when
 * it died before (fault.stage NULL); -ECANCELED, -ETIMEDOUT. May be asked again. */
EFF_API EFF_SUSPENDS int eff_proc_await_exec(
	struct eff_proc *proc, struct eff_spawn_fault *ret_fault);
/* Suspends until it has ended and is reaped. Returns 0 and a wait status, -ECANCELED or -ETIMEDOUT. Any number may wait; may
 * be asked again. Where others collect it, as the kernel does while this process ignores SIGCHLD, how it ended is lost: eff_proc_lost()
 * says so, and the status is that of exit code 255. */
EFF_API EFF_SUSPENDS int eff_proc_await_end(struct eff_proc *proc, int *ret_status);
EFF_API bool eff_proc_ended(const struct eff_proc *proc, int *ret_status);
/* Has it ended, and it is not known how? */
EFF_API bool eff_proc_lost(const struct eff_proc *proc);
/* The processor time of one that has ended, and of those it had waited for, as getrusage(2) tells it of children; 0: none, or not
 * known. */
EFF_API eff_ns eff_proc_cpu(const struct eff_proc *proc);
EFF_API pid_t eff_proc_pid(const struct eff_proc *proc);
/* Send to the process. 0, or -ESRCH when it has ended. Never reaches a stranger with a reused pid. */
EFF_API int eff_proc_signal(struct eff_proc *proc, int sig);
/* The caller's no more. If it still lives it is killed, and reaped by the runtime when it is gone. NULL is fine. */
EFF_API void eff_proc_free(struct eff_proc *proc);
/* The caller's no more, and left as it is: it is sent nothing and may outlive the runtime, which reaps it if it ends before.
 * Only a child that has not executed its program by then is killed at the runtime's end. NULL is fine. */
EFF_API void eff_proc_leave(struct eff_proc *proc);
/* If `pid` is a child made here, collect its end now, wake who waits, and return true; else it is a stranger's: false.
 * For who reaps strangers with waitid(P_ALL, WNOWAIT). */
EFF_API bool eff_proc_collect(pid_t pid);

#endif
