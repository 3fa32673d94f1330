/* SPDX-License-Identifier: MIT */
/* refuse LOG WHAT COMMAND ARGS…: runs a command, one of whose system calls fails, and ends as the command does; SIGTERM is
 * handed on. What was there before the command's first fcntl(), the loader's calls, is not looked at. WHAT is
 *   none              nothing fails; at the end LOG has a line `NUMBER COUNT` for each call of the command's threads
 *   CALL:ERRNO:N      the N-th call of that number fails, 0: each; LOG has the line `refused` once it has
 *   children:ERRNO:N  after the first N children: the next one's first call between its birth and its program fails, the
 *                     second's second, and so on; LOG has for each the line `N CALL`, or `N program` when it has come so far
 * A call that fails does nothing, but for close(), which always does what it is asked. */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS = 512, TRACED_MOST = 512, NOTHING = -1 };

struct traced {
	pid_t tid;
	int call;     /* it is in, between entry and exit */
	bool refused; /* that call */
	bool is_child;
	int born;    /* as which of those that are looked at, from 1 */
	int n_calls; /* of a child */
};

static struct traced traced[TRACED_MOST];
static uint64_t counts[CALLS];
static pid_t command;
static FILE *log_file;
static int wanted_call = NOTHING, wanted_error, n_children, n_let_be;
static uint64_t wanted_n;
static bool has_begun, children_fail;

static void hand_on(int sig)
{
	(void)kill(command, sig);
}

/* A new one is made where there is none; NULL: too many. */
static struct traced *traced_of(pid_t tid, bool *ret_is_new)
{
	struct traced *unused = NULL;

	for (size_t i = 0; i < TRACED_MOST; i++) {
		if (traced[i].tid == tid)
			return &traced[i];
		if (!traced[i].tid && !unused)
			unused = &traced[i];
	}
	if (!unused) {
		fprintf(stderr, "refuse: too many processes\n");
		exit(125);
	}
	*unused = (struct traced){.tid = tid, .call = NOTHING};
	*ret_is_new = true;
	return unused;
}

/* ── the registers ── */

/* The kernel finds no call of that number, and does nothing. */
static void call_drop(pid_t tid)
{
#if defined(__x86_64__)
	(void)ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, orig_rax), -1L);
#elif defined(__aarch64__)
	int none = -1;
	struct iovec number = {.iov_base = &none, .iov_len = sizeof(none)};

	(void)ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &number);
#endif
}

static void result_set(pid_t tid, long result)
{
#if defined(__x86_64__)
	(void)ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, rax), result);
#elif defined(__aarch64__)
	struct user_regs_struct regs;
	struct iovec all = {.iov_base = &regs, .iov_len = sizeof(regs)};

	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &all) < 0)
		return;
	regs.regs[0] = (unsigned long long)result;
	(void)ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &all);
#endif
}

/* ── a call ── */

static bool is_refused(struct traced *t)
{
	if (t->is_child) {
		t->n_calls++;
		if (t->n_calls != t->born)
			return false;
		fprintf(log_file, "%d %d\n", t->born, t->call);
		return true;
	}
	has_begun |= t->call == SYS_fcntl;
	if (!has_begun || t->call < 0 || t->call >= CALLS)
		return false;
	counts[t->call]++;
	if (t->call != wanted_call || (wanted_n && counts[t->call] != wanted_n))
		return false;
	fprintf(log_file, "refused\n");
	return true;
}

static void look(struct traced *t)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		t->call = (int)info.entry.nr;
		t->refused = is_refused(t);
		if (t->refused && t->call != SYS_close)
			call_drop(t->tid);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && t->refused) {
		/* brk() is told by where the end is. */
		result_set(t->tid, t->call == SYS_brk ? 0 : -wanted_error);
		t->refused = false;
	}
	(void)fflush(log_file);
}

/* It has its program: what that does is its own. Its first stop is on its way in case it has not been seen yet. */
static void let_go(struct traced *t)
{
	if (t->n_calls < t->born)
		fprintf(log_file, "%d program\n", t->born);
	(void)fflush(log_file);
	(void)ptrace(PTRACE_DETACH, t->tid, 0, 0);
	t->tid = 0;
}

/* Whether the new one is a child or a thread its maker's event says, which comes after or before its own first stop. */
static void is_born(struct traced *maker, bool as_child)
{
	unsigned long tid = 0;
	bool is_new = false;
	struct traced *t;

	if (ptrace(PTRACE_GETEVENTMSG, maker->tid, 0, &tid) < 0)
		return;
	t = traced_of((pid_t)tid, &is_new);
	if (as_child) {
		t->is_child = true;
		t->born = ++n_children - n_let_be;
	}
	if (!is_new)
		(void)ptrace(PTRACE_SYSCALL, t->tid, 0, 0);
	else
		t->n_calls = NOTHING; /* its first stop is still to come */
}

/* ── all of them ── */

static void stopped(struct traced *t, bool is_new, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;

	if (is_new)
		return; /* waits until it is known what it is */
	if (sig == SIGSTOP && t->n_calls == NOTHING) {
		t->n_calls = 0;
		sig = 0;
	} else if (sig == (SIGTRAP | 0x80)) {
		look(t);
		sig = 0;
	} else if (event == PTRACE_EVENT_EXEC && t->is_child) {
		let_go(t);
		return;
	} else if (event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK) {
		is_born(t, event == PTRACE_EVENT_FORK);
		sig = 0;
	} else if (sig == SIGTRAP) {
		sig = 0;
	}
	(void)ptrace(PTRACE_SYSCALL, t->tid, 0, sig);
}

/* Returns the command's status. */
static int follow(void)
{
	int status, end = -1;
	pid_t tid;

	while ((tid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		bool is_new = false;
		struct traced *t;

		if (tid < 0)
			continue;
		t = traced_of(tid, &is_new);
		if (WIFSTOPPED(status)) {
			stopped(t, is_new, status);
			continue;
		}
		t->tid = 0;
		if (tid == command)
			end = status;
	}
	return end;
}

static void begin(char **argv)
{
	int options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE;
	bool is_new = false;
	int status;

	if (children_fail)
		options |= PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXEC;
	command = fork();
	if (command == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, 0, 0);
		(void)raise(SIGSTOP);
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	if (command < 0 || waitpid(command, &status, 0) != command || !WIFSTOPPED(status) ||
		ptrace(PTRACE_SETOPTIONS, command, 0, options) < 0) {
		perror("refuse");
		exit(125);
	}
	(void)traced_of(command, &is_new);
	(void)signal(SIGTERM, hand_on);
	(void)ptrace(PTRACE_SYSCALL, command, 0, 0);
}

static bool understood(const char *what)
{
	if (strcmp(what, "none") == 0)
		return true;
	if (sscanf(what, "children:%d:%d", &wanted_error, &n_let_be) == 2)
		return children_fail = true;
	return sscanf(what, "%d:%d:%lu", &wanted_call, &wanted_error, &wanted_n) == 3;
}

int main(int argc, char **argv)
{
	int status;

#if !defined(__x86_64__) && !defined(__aarch64__)
	return 125;
#endif
	log_file = argc > 3 ? fopen(argv[1], "we") : NULL;
	if (!log_file || !understood(argv[2]))
		return 125;
	begin(argv + 3);
	status = follow();
	for (int call = 0; strcmp(argv[2], "none") == 0 && call < CALLS; call++)
		if (counts[call])
			fprintf(log_file, "%d %llu\n", call, (unsigned long long)counts[call]);
	(void)fclose(log_file);
	if (WIFSIGNALED(status)) {
		(void)signal(WTERMSIG(status), SIG_DFL);
		(void)kill(getpid(), WTERMSIG(status));
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}
