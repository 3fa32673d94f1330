/* SPDX-License-Identifier: MIT */
/* A child plays, and its parent says what became of it: from the words that it left, or from how it ended and what the
 * sanitizers wrote last. */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake/scenario_trial.h"

enum { BROKEN = 3 };

/* Where there are sanitizers, or counts of what was covered. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));
void __gcov_dump(void) __attribute__((weak));

struct trial *trial_new(void)
{
	struct trial *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (t == MAP_FAILED)
		abort();
	t->limit = EFF_S(20);
	t->play = scenario_run;
	return t;
}

void trial_free(struct trial *t)
{
	(void)munmap(t, sizeof(*t));
}

/* ── in the child ── */

__attribute__((noreturn)) static void child_ends(int status)
{
	if (__gcov_dump)
		__gcov_dump();
	_exit(status);
}

static void child_tells(void *context, const char *line)
{
	struct trial *t = context;
	size_t len = strlen(line);

	if (len >= TRIAL_STORY - t->story_len)
		return;
	memcpy(t->story + t->story_len, line, len + 1);
	t->story_len += len;
}

static void child_failed(void *context, struct world *w, const char *words)
{
	struct trial *t = context;

	(void)snprintf(t->words, sizeof(t->words), "%s", words);
	for (uint32_t i = 1; t->tells && w->tree && i < w->tree->n_units; i++) {
		const char *name = w->tree->units[i]->name;

		child_tells(t, name);
		child_tells(t, ": ");
		child_tells(t, world_states(w, name));
		child_tells(t, " | ");
		child_tells(t, world_trace(w, name));
		child_tells(t, "\n");
	}
	child_ends(BROKEN);
}

static void child_limits(eff_ns limit)
{
	struct itimerval timer = {.it_value = {.tv_sec = (time_t)(limit / EFF_S(1)),
					  .tv_usec = (suseconds_t)(limit % EFF_S(1) / 1000)}};

	if (setitimer(ITIMER_PROF, &timer, NULL) < 0)
		abort();
}

static void child_checks_leaks(struct trial *t)
{
	if (!__lsan_do_recoverable_leak_check || !__lsan_do_recoverable_leak_check())
		return;
	(void)snprintf(t->words, sizeof(t->words), "%s", TRIAL_LEAK);
	child_ends(BROKEN);
}

static void child_plays(struct trial *t, const struct scenario *s)
{
	struct run_opts opts = {.tell = t->tells ? child_tells : NULL,
		.tell_context = t,
		.also = t->also,
		.also_context = t->also_context,
		.tally = &t->tally};

	t->seed = s->seed;
	child_limits(t->limit);
	t->play(s, &opts);
	if (t->minds_leaks)
		child_checks_leaks(t);
}

/* ── in the parent ── */

/* The last words of a sanitizer, or of an assertion; "": there are none. */
static void read_words(FILE *said, char *words, size_t size)
{
	char line[400];

	rewind(said);
	words[0] = '\0';
	while (fgets(line, sizeof(line), said)) {
		line[strcspn(line, "\n")] = '\0';
		if (strstr(line, "SUMMARY: ") || strstr(line, "Assertion") ||
			strstr(line, "runtime error: "))
			(void)snprintf(words, size, "%s", line);
	}
}

static void judge(struct trial *t, int status, FILE *said)
{
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == BROKEN))
		return;
	read_words(said, t->words, sizeof(t->words));
	if (t->words[0])
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF)
		(void)snprintf(t->words, sizeof(t->words), "it comes to no end");
	else if (WIFSIGNALED(status))
		(void)snprintf(t->words, sizeof(t->words), "the process was ended by SIG%s",
			sigabbrev_np(WTERMSIG(status)));
	else
		(void)snprintf(t->words, sizeof(t->words), "the process ended by itself");
}

/* A child that writes its errors to `said`; 0 in it. */
static pid_t trial_begin(struct trial *t, FILE *said)
{
	pid_t pid;

	t->words[0] = t->story[0] = '\0';
	t->story_len = 0;
	(void)fflush(NULL);
	pid = fork();
	if (pid < 0)
		abort();
	if (pid > 0)
		return pid;
	if (dup2(fileno(said), STDERR_FILENO) < 0)
		abort();
	world_on_fail(child_failed, t);
	return 0;
}

static bool trial_end(struct trial *t, pid_t pid, FILE *said)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		abort();
	rewind(said);
	t->said[fread(t->said, 1, sizeof(t->said) - 1, said)] = '\0';
	judge(t, status, said);
	(void)fclose(said);
	return !t->words[0];
}

/* A file that is gone with its last descriptor. */
static FILE *said_new(void)
{
	FILE *said = fdopen(memfd_create("said", 0), "w+");

	if (!said)
		abort();
	return said;
}

bool trial_of(struct trial *t, const struct scenario *s)
{
	FILE *said = said_new();
	pid_t pid = trial_begin(t, said);

	if (pid == 0) {
		child_plays(t, s);
		child_ends(0);
	}
	return trial_end(t, pid, said);
}

bool trial_of_seeds(struct trial *t, uint64_t first, uint64_t n)
{
	FILE *said = said_new();
	pid_t pid = trial_begin(t, said);

	if (pid == 0) {
		struct scenario *s = malloc(sizeof(*s));

		for (uint64_t seed = first; s && seed < first + n; seed++) {
			scenario_make(s, seed);
			child_plays(t, s);
		}
		free(s);
		child_checks_leaks(t);
		child_ends(0);
	}
	return trial_end(t, pid, said);
}

void trial_rule(const char *words, char *rule, size_t size)
{
	size_t len = 0;

	rule[0] = '\0';
	while (*words && len + 2 < size) {
		size_t n = strcspn(words, " ");
		bool name = strcspn(words, "/0123456789") < n;

		len += (size_t)snprintf(rule + len, size - len, "%s%.*s", len ? " " : "",
			name ? 1 : (int)n, name ? "*" : words);
		words += n;
		words += strspn(words, " ");
	}
}
