/* SPDX-License-Identifier: MIT */
/* What tests of many random scenarios have in common: their numbers are the environment's, one that fails is made as small as it
 * gets and told, and can be played again. */
#ifndef TESTS_DAEMON_TRIALS_H
#define TESTS_DAEMON_TRIALS_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "fake/scenario_shrink.h"

static inline uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

/* Its last scenario has failed. */
_Noreturn static inline void shrink_and_fail(struct trial *t)
{
	uint64_t seed = t->seed;
	struct shrunk shrunk;
	struct text text = {0};
	char words[sizeof(t->words)];

	memcpy(words, t->words, sizeof(words));
	(void)fprintf(stderr, "seed %llu fails: %s; making it smaller\n",
		(unsigned long long)seed, words);
	if (!scenario_shrink(t, seed, &shrunk))
		ck_abort_msg("seed %llu fails after others, and not alone: %s",
			(unsigned long long)seed, words);
	shrunk_text(&shrunk, seed, program_invocation_name, &text);
	(void)fprintf(stderr, "%s", text.bytes);
	text_done(&text);
	shrunk_done(&shrunk);
	ck_abort_msg("seed %llu: %s", (unsigned long long)seed, words);
}

static inline void trials_tell(void *context, const char *line)
{
	(void)context;
	(void)fputs(line, stderr);
}

/* One scenario, in this process: that of EFFD_SEED, which tells what is done, or, with EFFD_KEEP, those parts of it. */
static inline void play_again(void (*play)(const struct scenario *s, const struct run_opts *opts))
{
	struct scenario *s = calloc(1, sizeof(*s)), *part = calloc(1, sizeof(*s));
	struct parts *parts = calloc(1, sizeof(*parts));
	bool *kept = calloc(PARTS_MOST, sizeof(*kept));

	ck_assert(s && part && parts && kept);
	scenario_make(s, number_of("EFFD_SEED", 1));
	parts_of(s, parts);
	memset(kept, true, PARTS_MOST);
	if (getenv("EFFD_KEEP"))
		ck_assert_msg(parts_parse(parts, getenv("EFFD_KEEP"), kept), "no such parts");
	parts_keep(s, parts, kept, part);
	play(part, &(struct run_opts){.tell = getenv("EFFD_SEED") ? trials_tell : NULL});
	free(kept);
	free(parts);
	free(part);
	free(s);
}

#endif
