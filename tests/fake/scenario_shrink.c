/* SPDX-License-Identifier: MIT */
/* Delta debugging over the parts of a scenario: first without half of the steps, then without quarters of what remains, down to
 * one at a time; so with the units, and so with all that the rest say of themselves; and again, until nothing more can go.
 * Nothing in it is random. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fake/scenario_shrink.h"

struct shrink {
	struct trial *trial;
	struct scenario whole, least;
	struct parts parts;
	bool kept[PARTS_MOST], before[PARTS_MOST];
	char rule[400];
	unsigned n_trials;
	time_t until;
};

static time_t seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static bool is_over(const struct shrink *sh)
{
	return sh->n_trials >= SHRINK_TRIALS || seconds() >= sh->until;
}

/* What belongs to something that was left out goes with it; an owner stands before what it owns. */
static void forget_moot(struct shrink *sh)
{
	for (unsigned i = 0; i < sh->parts.n; i++) {
		unsigned owner = sh->parts.list[i].owner;

		if (owner < PARTS_MOST && !sh->kept[owner])
			sh->kept[i] = false;
	}
}

static bool still_fails(struct shrink *sh)
{
	char rule[sizeof(sh->rule)];

	parts_keep(&sh->whole, &sh->parts, sh->kept, &sh->least);
	sh->n_trials++;
	if (trial_of(sh->trial, &sh->least))
		return false;
	trial_rule(sh->trial->words, rule, sizeof(rule));
	return !strcmp(rule, sh->rule);
}

static unsigned count_kept(const struct shrink *sh, enum part_kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < sh->parts.n; i++)
		n += sh->kept[i] && (kind == PART_KINDS || sh->parts.list[i].kind == kind);
	return n;
}

/* Leave out so many of a kind from `first` on, if it fails without them too. Returns where the next begin. */
static unsigned leave_out(struct shrink *sh, enum part_kind kind, unsigned first, unsigned n)
{
	unsigned next = first, left = n;

	memcpy(sh->before, sh->kept, sizeof(sh->kept));
	for (; next < sh->parts.n && left > 0; next++) {
		if (!sh->kept[next] || sh->parts.list[next].kind != kind)
			continue;
		sh->kept[next] = false;
		left--;
	}
	if (left == n)
		return sh->parts.n;
	forget_moot(sh);
	if (!still_fails(sh))
		memcpy(sh->kept, sh->before, sizeof(sh->kept));
	return next;
}

static void reduce(struct shrink *sh, enum part_kind kind)
{
	for (unsigned n = count_kept(sh, kind); n > 0; n /= 2)
		for (unsigned at = 0; at < sh->parts.n && !is_over(sh);)
			at = leave_out(sh, kind, at, n);
}

static void result(struct shrink *sh, struct shrunk *ret)
{
	struct trial *t = sh->trial;

	*ret = (struct shrunk){.n_trials = sh->n_trials,
		.n_parts = sh->parts.n,
		.n_kept = count_kept(sh, PART_KINDS),
		.is_least = !is_over(sh)};
	t->tells = true;
	parts_keep(&sh->whole, &sh->parts, sh->kept, &sh->least);
	(void)trial_of(t, &sh->least);
	t->tells = false;
	memcpy(ret->words, t->words, sizeof(ret->words));
	scenario_yaml(&sh->least, &ret->tree);
	text_add(&ret->story, t->story);
	text_add(&ret->said, t->said);
	parts_text(&sh->parts, sh->kept, &ret->kept);
}

bool scenario_shrink(struct trial *t, uint64_t seed, struct shrunk *ret_shrunk)
{
	struct shrink *sh = calloc(1, sizeof(*sh));
	unsigned n;
	bool fails;

	if (!sh)
		abort();
	sh->trial = t;
	sh->until = seconds() + SHRINK_S;
	scenario_make(&sh->whole, seed);
	parts_of(&sh->whole, &sh->parts);
	memset(sh->kept, true, sizeof(sh->kept));
	fails = !trial_of(t, &sh->whole);
	trial_rule(t->words, sh->rule, sizeof(sh->rule));
	do {
		n = count_kept(sh, PART_KINDS);
		for (enum part_kind kind = PART_STEP; fails && kind < PART_KINDS; kind++)
			reduce(sh, kind);
	} while (count_kept(sh, PART_KINDS) < n && !is_over(sh));
	if (fails)
		result(sh, ret_shrunk);
	free(sh);
	return fails;
}

void shrunk_done(struct shrunk *shrunk)
{
	text_done(&shrunk->tree);
	text_done(&shrunk->story);
	text_done(&shrunk->said);
	text_done(&shrunk->kept);
}

void shrunk_text(const struct shrunk *shrunk, uint64_t seed, const char *program, struct text *text)
{
	text_printf(text,
		"broken: %s\n%s of it that still is, after %u trials (%u of %u parts):\n\n",
		shrunk->words, shrunk->is_least ? "the least" : "less", shrunk->n_trials,
		shrunk->n_kept, shrunk->n_parts);
	text_add(text, shrunk->tree.bytes);
	text_printf(text, "\n%s%s\n", shrunk->story.bytes, shrunk->said.bytes);
	text_printf(text, "that again:   EFFD_SEED=%llu EFFD_KEEP=%s %s\n",
		(unsigned long long)seed, shrunk->kept.bytes, program);
	text_printf(text, "all of it:    EFFD_SEED=%llu %s\n", (unsigned long long)seed, program);
}
