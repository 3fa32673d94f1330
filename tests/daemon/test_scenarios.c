/* SPDX-License-Identifier: MIT */
/* Random trees, random processes, random words of operators: whatever happens, the rules hold in every moment.
 *
 * One that fails is made as small as it gets, and told with the command that plays it again.
 * EFFD_SEED=N plays one scenario, in this process, and tells what is done; with EFFD_KEEP=PARTS only those parts of it. EFFD_FIRST
 * is the first seed of many, EFFD_SCENARIOS their count, EFFD_SECONDS instead how long to go on, from a seed that nobody knows
 * and that is told. EFFD_TELL tells what has occurred. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <check.h>

#include "leak.h"
#include "trials.h"

/* The sanitized build and the plain one play different ones. */
#ifdef __SANITIZE_ADDRESS__
enum { FIRST = 1, SCENARIOS = 2500 };
#else
enum { FIRST = 2501, SCENARIOS = 18000 };
#endif
/* Of FEWEST scenarios and more each kind of thing occurs LEAST times. */
enum { BATCH = 500, FEWEST = 2000, LEAST = 10 };

/* Memory that is left is seen at the end of a batch: whose is it? */
static void find_leak(struct trial *t, uint64_t first, uint64_t n)
{
	bool all = true;

	t->minds_leaks = true;
	for (uint64_t seed = first; all && seed < first + n; seed++)
		all = trial_of_seeds(t, seed, 1);
}

/* So many seeds, batch by batch; a process that plays for long has what others left behind it. */
static void play_batches(struct trial *t, uint64_t first, uint64_t n)
{
	for (uint64_t done = 0; done < n; done += BATCH) {
		uint64_t now = n - done < BATCH ? n - done : BATCH;

		if (trial_of_seeds(t, first + done, now))
			continue;
		if (!strcmp(t->words, TRIAL_LEAK))
			find_leak(t, first + done, now);
		shrink_and_fail(t);
	}
}

static void play_for(struct trial *t, uint64_t first, eff_ns duration)
{
	eff_ns until = eff_now() + duration;

	(void)fprintf(stderr, "EFFD_FIRST=%llu\n", (unsigned long long)first);
	while (eff_now() < until) {
		play_batches(t, first, BATCH);
		first += BATCH;
	}
	(void)fprintf(stderr, "%lu scenarios\n", t->tally.scenarios);
}

static uint64_t any_seed(void)
{
	uint32_t seed = 0;

	ck_assert_int_eq(getrandom(&seed, sizeof(seed), 0), sizeof(seed));
	return 1000000 + (uint64_t)seed * BATCH;
}

START_TEST(whatever_happens_the_rules_hold_in_every_moment)
{
	uint64_t n = number_of("EFFD_SCENARIOS", SCENARIOS);
	eff_ns duration = EFF_S((int64_t)number_of("EFFD_SECONDS", 0));
	struct trial *t = trial_new();
	struct text lacks = {0};

	if (duration)
		play_for(t, number_of("EFFD_FIRST", any_seed()), duration);
	else
		play_batches(t, number_of("EFFD_FIRST", FIRST), n);

	/* Nothing is thought to be tried that never comes. */
	tally_lacks(&t->tally, getenv("EFFD_TELL") ? ULONG_MAX : LEAST, &lacks);
	if (getenv("EFFD_TELL"))
		(void)fprintf(stderr, "%s", lacks.bytes);
	else if (t->tally.scenarios >= FEWEST)
		ck_assert_str_eq(lacks.bytes, "");
	text_done(&lacks);
	trial_free(t);
}
END_TEST

static void play_shown(const struct scenario *s, const struct run_opts *opts)
{
	struct text yaml = {0};

	scenario_yaml(s, &yaml);
	if (opts->tell)
		(void)fprintf(stderr, "%s", yaml.bytes);
	scenario_run(s, opts);
	text_done(&yaml);
}

START_TEST(one_scenario_can_be_played_again)
{
	play_again(play_shown);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/scenarios");
	TCase *tcase = tcase_create("scenarios");

	tcase_set_timeout(tcase, 1100 + (double)number_of("EFFD_SECONDS", 0));
	test_leak_guard(tcase);
	if (!getenv("EFFD_SEED"))
		tcase_add_test(tcase, whatever_happens_the_rules_hold_in_every_moment);
	tcase_add_test(tcase, one_scenario_can_be_played_again);
	suite_add_tcase(suite, tcase);
	return suite;
}
