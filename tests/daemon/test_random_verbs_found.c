/* SPDX-License-Identifier: MIT */
/* What random verbs have found, each as small as it gets: what a client is told, and when, where groups, rounds and stops of
 * others have a part in it. */
#include <check.h>

#include "control_world.h"

static const struct script forever = {.lives = EFF_FOREVER};

/* It was down before, for its group has not begun: nothing of it changes but what it is to be. */
START_TEST(the_stop_of_one_that_has_not_begun_releases_who_only_waited_for_it)
{
	struct server *s = server_new(
		"db: {command: [late], type: notify}\n"
		"g: {depends_on: [db], units: {a: {command: [run]}}}\n"
		"web: {command: [run], after: [g/a]}\n"
		"app: {command: [run], depends_on: {g/a: {required: false}}}\n");

	world_script(s->w, "run", forever);
	world_script(s->w, "late", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_S(20)});
	world_run_for(s->w, EFF_S(1));
	EXPECT_STATE(s->w, "web", "waiting");
	EXPECT_STATE(s->w, "app", "waiting");
	world_stop(s->w, "g/a");
	world_run_for(s->w, EFF_S(1));
	EXPECT_STATE(s->w, "web", "up");
	EXPECT_STATE(s->w, "app", "up");
	server_free(s);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/random_verbs_found");
	TCase *tcase = tcase_create("found");

	test_leak_guard(tcase);
	tcase_add_test(tcase, the_stop_of_one_that_has_not_begun_releases_who_only_waited_for_it);
	suite_add_tcase(suite, tcase);
	return suite;
}
