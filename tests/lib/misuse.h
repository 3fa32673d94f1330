/* SPDX-License-Identifier: MIT */
/* A bug of the caller as a row of a table, committed in a process of its own. */
#ifndef TESTS_LIB_MISUSE_H
#define TESTS_LIB_MISUSE_H

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apart.h"
#include "run.h"

struct misuse {
	void (*outside)(void); /* done on the main stack, without a runtime or with one */
	eff_fn *inside;        /* or in a fiber */
	const char *words;
	bool has_runtime;
};

#define OUTSIDE(call) call ": called outside of a fiber (fiber \"none\")"
#define INSIDE(call, what) call ": " what " (fiber \"root\")"

static void commit(void *arg)
{
	const struct misuse *misuse = arg;
	struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	if (misuse->has_runtime || misuse->inside)
		run_setup();
	if (misuse->outside)
		misuse->outside();
	else
		(void)eff_rt_run(run_rt, EFF_NAMED("root", misuse->inside, NULL));
	_exit(0);
}

__attribute__((unused)) static void misuse_check(const struct misuse *misuse)
{
	char said[1024];
	char want[256];
	const char *line;
	int status = run_apart(commit, (void *)misuse, said, sizeof(said));

	snprintf(want, sizeof(want), "libeff: %s\n", misuse->words);
	line = strstr(said, "libeff: ");
	/* With ucontext AddressSanitizer has something to say before. */
	ck_assert_str_eq(line ? line : said, want);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "status %#x",
		(unsigned)status);
}

#endif
