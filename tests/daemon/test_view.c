/* SPDX-License-Identifier: MIT */
/* Whose view of the files is whose: all processes of a run have one, and the next run another. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "base/text.h"
#include "fake/world.h"

Suite *test_suite(void);

static struct text told;

static void see(void *context, const struct os_spawn *spawn)
{
	(void)context;
	text_printf(&told, "%s%s %u", told.len ? ", " : "", spawn->argv[0], os_fake_view(spawn));
}

static struct world *begin(const char *tree)
{
	struct world *w = world_new(tree);

	os_fake_on_spawn(w->fake, see, NULL);
	for (const char *const *name = (const char *const[]){"pre", "ready", "post", "fails",
		     "asks", "over", NULL};
		*name; name++)
		world_script(w, *name, ((struct script){.helper = true}));
	return w;
}

static void end(struct world *w)
{
	world_free(w);
	text_done(&told);
	told = (struct text){0};
}

START_TEST(all_that_runs_for_a_unit_shares_a_view_until_its_run_is_over)
{
	struct world *w = begin(
		"web:\n  command: web\n  security: {private_tmp: true}\n"
		"  hooks: {pre_start: pre, on_ready: ready, post_stop: post, on_failure: fails}\n"
		"  readiness_probe: {exec: {command: asks}, period: 1h}\n"
		"  restart: {backoff: {jitter: 0}}\n");

	WORLD_SCRIPTS(w, "web", (struct script){.lives = EFF_S(2), .exits = 1},
		(struct script){.lives = EFF_FOREVER});
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(told.bytes, "pre 1, web 1, asks 1, ready 1");
	ck_assert_uint_eq(os_fake_views(w->fake), 1);
	world_run_for(w, EFF_MS(1100));
	ck_assert_str_eq(told.bytes, "pre 1, web 1, asks 1, ready 1, post 1, fails 1");
	ck_assert_uint_eq(os_fake_views(w->fake), 0);
	world_run_for(w, EFF_S(2));

	ck_assert_str_eq(told.bytes,
		"pre 1, web 1, asks 1, ready 1, post 1, fails 1, pre 2, web 2, asks 2, ready 2");
	ck_assert_uint_eq(os_fake_views(w->fake), 1);
	end(w);
}
END_TEST

START_TEST(a_word_at_the_very_end_has_a_view_of_its_own)
{
	struct world *w = begin(
		"web: {command: web, security: {private_tmp: true}, restart: no, hooks: {on_give_up: over}}\n");

	world_script(w, "web", (struct script){.exits = 1});
	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(told.bytes, "web 1, over 2");
	ck_assert_uint_eq(os_fake_views(w->fake), 0);
	end(w);
}
END_TEST

START_TEST(what_cannot_be_written_takes_a_view)
{
	struct world *w = begin("web: {command: web, security: {read_only_paths: [/etc]}}\n"
				"none: {command: none, security: {read_only_paths: []}}\n");

	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(told.bytes, "web 1, none 0");
	end(w);
}
END_TEST

START_TEST(a_runtime_folder_goes_with_the_run_that_has_it)
{
	struct world *w = begin("web: {command: web, directories: {runtime: it}, restart: no}\n"
				"state: {command: state, directories: {state: it}}\n");

	world_script(w, "web", (struct script){.lives = EFF_S(1)});
	world_run_for(w, EFF_MS(999));
	ck_assert_str_eq(told.bytes, "web 1, state 0");
	ck_assert_uint_eq(os_fake_views(w->fake), 1);
	os_fake_clear_fails(w->fake, ENOTEMPTY);
	world_run_for(w, EFF_MS(1));

	ck_assert_uint_eq(os_fake_views(w->fake), 0);
	EXPECT_STATES(w, "web", "0 up, 1000 done");
	ck_assert_str_eq(world_said(w, "web", "left_behind"), "/run/it: ENOTEMPTY");
	os_fake_clear_fails(w->fake, 0);
	end(w);
}
END_TEST

START_TEST(who_asks_for_nothing_has_effds)
{
	struct world *w = begin("web: {command: web, security: {no_new_privileges: true}}\n"
				"own: {command: own, security: {private_tmp: false}}\n");

	world_run_for(w, EFF_S(1));

	ck_assert_str_eq(told.bytes, "web 0, own 0");
	end(w);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("view");
	TCase *tcase = tcase_create("view");

	tcase_add_test(tcase, all_that_runs_for_a_unit_shares_a_view_until_its_run_is_over);
	tcase_add_test(tcase, a_word_at_the_very_end_has_a_view_of_its_own);
	tcase_add_test(tcase, what_cannot_be_written_takes_a_view);
	tcase_add_test(tcase, a_runtime_folder_goes_with_the_run_that_has_it);
	tcase_add_test(tcase, who_asks_for_nothing_has_effds);
	suite_add_tcase(suite, tcase);
	return suite;
}
