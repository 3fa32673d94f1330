/* SPDX-License-Identifier: MIT */
/* A fiber's stack overflow is told by name: a handler of SIGSEGV on a stack of its own looks whether the address is in
 * the guard page of the fiber that runs. Then, and for any other fault, it leaves the word to whoever had the signal
 * before; without one the fault happens again and the process dies of it as it would have. AddressSanitizer has a handler
 * that knows stacks, and keeps it. */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

#if !EFF__ASAN && !EFF__TSAN

enum { SIGNAL_STACK = 32768 };

static pthread_once_t installed = PTHREAD_ONCE_INIT;
static struct sigaction previous;

static void say(const char *text)
{
	/* Nothing is to be done about a message that cannot be written. */
	ssize_t r = write(STDERR_FILENO, text, strlen(text));

	(void)r;
}

static void on_fault(int sig, siginfo_t *info, void *machine)
{
	const struct eff_fiber *fiber = eff__rt ? eff__rt->current : NULL;

	if (fiber && info->si_code > 0 && eff__stack_is_guard(&fiber->stack, info->si_addr)) {
		say("libeff: stack overflow in fiber \"");
		say(fiber->e.name ? fiber->e.name : "");
		say("\"\n");
	}
	if (previous.sa_flags & SA_SIGINFO) {
		previous.sa_sigaction(sig, info, machine);
	} else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
		previous.sa_handler(sig);
	} else {
		/* Once returned, the instruction faults again; a signal that was sent must be sent again. */
		(void)signal(sig, SIG_DFL);
		if (info->si_code <= 0)
			(void)raise(sig);
	}
}

static void install(void)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGSEGV, &action, &previous);
}

void eff__overflow_watch(struct eff_rt *rt)
{
	stack_t now;
	stack_t mine = {.ss_size = SIGNAL_STACK};
	void *pages;

	(void)pthread_once(&installed, install);
	if (sigaltstack(NULL, &now) || !(now.ss_flags & SS_DISABLE))
		return;
	/* Pages of its own: they take no memory before the first fault. */
	pages = mmap(NULL, SIGNAL_STACK, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (pages == MAP_FAILED)
		return;
	mine.ss_sp = pages;
	if (sigaltstack(&mine, NULL))
		(void)munmap(pages, SIGNAL_STACK);
	else
		rt->signal_stack = pages;
}

void eff__overflow_unwatch(struct eff_rt *rt)
{
	stack_t none = {.ss_flags = SS_DISABLE};

	if (!rt->signal_stack)
		return;
	(void)sigaltstack(&none, NULL);
	(void)munmap(rt->signal_stack, SIGNAL_STACK);
	rt->signal_stack = NULL;
}

#else

void eff__overflow_watch(struct eff_rt *rt)
{
	(void)rt;
}

void eff__overflow_unwatch(struct eff_rt *rt)
{
	(void)rt;
}

#endif
