/* SPDX-License-Identifier: MIT */
/* A random scenario that fails is made small: held with rules that random scenarios are sure to break. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "fake/fake_parts.h"
#include "fake/scenario_shrink.h"
#include "leak.h"

/* "No unit is ever started twice." */
static const char *never_twice(void *context, const struct world *w, const struct fake_event *event)
{
	static char words[100];

	(void)context;
	if (event->what != FAKE_SPAWN || event->helper || world_spawns(w, event->unit) < 2)
		return NULL;
	(void)snprintf(words, sizeof(words), "%s is started twice", event->unit);
	return words;
}

/* "What is up because another one is, is never told to stop." */
static const char *never_bound(void *context, const struct world *w, const struct fake_event *event)
{
	static char words[100];
	const struct unit *u = tree_find(w->tree, event->unit);

	(void)context;
	if (event->what != FAKE_SIGNAL || event->helper || !u || !u->why ||
		u->why->kind != CAUSE_DEPENDENCY)
		return NULL;
	(void)snprintf(words, sizeof(words), "%s is stopped by another", event->unit);
	return words;
}

/* Who is stopped by an operator crashes effd. */
static const char *crash(void *context, const struct world *w, const struct fake_event *event)
{
	const struct unit *u = tree_find(w->tree, event->unit);

	(void)context;
	if (event->what == FAKE_SIGNAL && !event->helper && u && u->held)
		abort();
	return NULL;
}

static const char *hang(void *context, const struct world *w, const struct fake_event *event)
{
	for (volatile unsigned n = 0; never_twice(context, w, event);)
		n++;
	return NULL;
}

static struct trial *trial_with(scenario_rule *rule)
{
	struct trial *t = trial_new();

	t->also = rule;
	return t;
}

struct expected {
	uint64_t seed;
	scenario_rule *rule;
	const char *words, *tree, *story;
};

static void expect_least(const struct expected *e)
{
	struct trial *t = trial_with(e->rule);
	struct shrunk shrunk;

	ck_assert(scenario_shrink(t, e->seed, &shrunk));
	ck_assert_str_eq(shrunk.words, e->words);
	ck_assert_str_eq(shrunk.tree.bytes, e->tree);
	ck_assert_str_eq(shrunk.story.bytes, e->story);
	ck_assert(shrunk.is_least);
	shrunk_done(&shrunk);
	trial_free(t);
}

START_TEST(a_unit_that_starts_twice_needs_no_more_than_itself)
{
	expect_least(&(struct expected){.seed = 1,
		.rule = never_twice,
		.words = "g6/p7 is started twice",
		.tree = "version: 1\nname: test\nunits:\n"
			"  g6: {units: {p7: {command: prog, liveness_probe: {exec: {command: probe 2}, "
			"period: 1s, timeout: 500ms, failure_threshold: 2}}}}\n",
		.story = "g6: 0 up | \n"
			 "g6/p7: 0 up, 5520 backoff, 6055.146091 up | "
			 "0 spawn, 5520 TERM, 5520 SIGTERM, 6055.146091 spawn\n"});
}
END_TEST

START_TEST(one_that_another_stops_needs_that_other)
{
	expect_least(&(struct expected){.seed = 2,
		.rule = never_bound,
		.words = "g22/p23 is stopped by another",
		.tree = "version: 1\nname: test\nstrategy: one_for_all\nunits:\n"
			"  p20: {command: prog}\n"
			"  g22: {units: {p23: {command: prog}}}\n",
		.story = "p20: 0 up, 10 backoff | 0 spawn, 10 exit 0\n"
			 "g22: 0 up, 10 waiting | \n"
			 "g22/p23: 0 up, 10 down | 0 spawn, 10 TERM, 10 SIGTERM\n"});
}
END_TEST

START_TEST(a_crash_after_a_step_needs_that_step)
{
	expect_least(&(struct expected){.seed = 3,
		.rule = crash,
		.words = "the process was ended by SIGABRT",
		.tree = "version: 1\nname: test\nunits:\n  p1: {command: prog}\n",
		.story = "50 ms: stop p1\n50 ms: shutdown\n"});
}
END_TEST

START_TEST(a_scenario_without_end_is_ended)
{
	struct trial *t = trial_with(hang);

	t->limit = EFF_MS(200);
	ck_assert(!trial_of_seeds(t, 1, 100));
	ck_assert_str_eq(t->words, "it comes to no end");
	ck_assert_uint_eq(t->seed, 1);
	trial_free(t);
}
END_TEST

#ifdef __SANITIZE_ADDRESS__
static const char *leak(void *context, const struct world *w, const struct fake_event *event)
{
	struct text text = {0};

	if (never_twice(context, w, event))
		text_add(&text, "nobody frees this");
	return NULL;
}

START_TEST(memory_that_is_left_is_a_failure)
{
	struct trial *t = trial_with(leak);

	ck_assert(!trial_of_seeds(t, 1, 3));
	ck_assert_str_eq(t->words, TRIAL_LEAK);
	trial_free(t);
}
END_TEST
#endif

START_TEST(what_breaks_no_rule_is_not_made_small)
{
	struct trial *t = trial_new();
	struct shrunk shrunk;

	ck_assert(!scenario_shrink(t, 1, &shrunk));
	trial_free(t);
}
END_TEST

/* Shrunk once, and then played again by what the report says. */
START_TEST(the_parts_that_are_kept_are_the_scenario)
{
	struct trial *t = trial_with(never_twice);
	struct scenario *s = calloc(2, sizeof(*s));
	struct parts *parts = calloc(1, sizeof(*parts));
	bool *kept = calloc(PARTS_MOST, sizeof(*kept));
	struct text tree = {0}, report = {0};
	struct shrunk shrunk;

	ck_assert(s && parts && kept);
	ck_assert(scenario_shrink(t, 3, &shrunk));

	scenario_make(&s[0], 3);
	parts_of(&s[0], parts);
	ck_assert(parts_parse(parts, shrunk.kept.bytes, kept));
	parts_keep(&s[0], parts, kept, &s[1]);
	scenario_yaml(&s[1], &tree);
	ck_assert_str_eq(tree.bytes, shrunk.tree.bytes);
	ck_assert(!trial_of(t, &s[1]));
	ck_assert_str_eq(t->words, shrunk.words);
	shrunk_text(&shrunk, 3, "test", &report);
	ck_assert_ptr_nonnull(strstr(report.bytes, shrunk.kept.bytes));
	ck_assert_ptr_nonnull(strstr(report.bytes, "all of it:    EFFD_SEED=3 test\n"));

	text_done(&report);
	text_done(&tree);
	shrunk_done(&shrunk);
	free(kept);
	free(parts);
	free(s);
	trial_free(t);
}
END_TEST

static const struct {
	const char *text;
	bool fine;
} texts[] = {{"-", true}, {"0", true}, {"0,2-4", true}, {"", false}, {"4-2", false},
	{"0,", false}, {"x", false}, {"0;1", false}, {"999999", false}, {"2-", false}};

START_TEST(parts_have_names)
{
	struct scenario *s = calloc(1, sizeof(*s));
	struct parts *parts = calloc(1, sizeof(*parts));
	bool *kept = calloc(PARTS_MOST, sizeof(*kept));
	struct text text = {0};

	ck_assert(s && parts && kept);
	scenario_make(s, 1);
	parts_of(s, parts);
	ck_assert_int_eq(parts_parse(parts, texts[_i].text, kept), texts[_i].fine);
	if (texts[_i].fine) {
		parts_text(parts, kept, &text);
		ck_assert_str_eq(text.bytes, texts[_i].text);
	}
	text_done(&text);
	free(kept);
	free(parts);
	free(s);
}
END_TEST

START_TEST(a_rule_has_no_names_in_it)
{
	char rule[100];

	trial_rule("g1/p4@2 is started before g10, at 12 ms", rule, sizeof(rule));
	ck_assert_str_eq(rule, "* is started before * at * ms");
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/shrink");
	TCase *tcase = tcase_create("shrink");

	tcase_set_timeout(tcase, 280);
	test_leak_guard(tcase);
	tcase_add_test(tcase, a_unit_that_starts_twice_needs_no_more_than_itself);
	tcase_add_test(tcase, one_that_another_stops_needs_that_other);
	tcase_add_test(tcase, a_crash_after_a_step_needs_that_step);
	tcase_add_test(tcase, a_scenario_without_end_is_ended);
#ifdef __SANITIZE_ADDRESS__
	tcase_add_test(tcase, memory_that_is_left_is_a_failure);
#endif
	tcase_add_test(tcase, what_breaks_no_rule_is_not_made_small);
	tcase_add_test(tcase, the_parts_that_are_kept_are_the_scenario);
	tcase_add_loop_test(tcase, parts_have_names, 0, (int)(sizeof(texts) / sizeof(texts[0])));
	tcase_add_test(tcase, a_rule_has_no_names_in_it);
	suite_add_tcase(suite, tcase);
	return suite;
}
