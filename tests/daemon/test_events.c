/* SPDX-License-Identifier: MIT */
/* What the log says of states: each change once, in order, whatever else is said. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <check.h>

#include "base/log.h"
#include "fake/world.h"
#include "tree/internal.h"

static int said_fd, real_stderr;

static void stderr_to_file(void)
{
	said_fd = memfd_create("said", MFD_CLOEXEC);
	real_stderr = dup(STDERR_FILENO);
	ck_assert_int_ge(dup2(said_fd, STDERR_FILENO), 0);
	(void)setenv("EFFD_TELL", "1", 1);
}

static void stderr_back(void)
{
	(void)dup2(real_stderr, STDERR_FILENO);
	(void)close(real_stderr);
	(void)close(said_fd);
}

/* All that was said since it was last asked for; valid until then. */
static const char *said(void)
{
	static char text[1 << 20];
	static off_t at;
	ssize_t n = pread(said_fd, text, sizeof(text) - 1, at);

	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	at += n;
	return text;
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

START_TEST(each_change_is_said_once_and_in_order)
{
	struct world *w = world_new("web: {command: web, restart: no}");

	world_script(w, "web", (struct script){.lives = EFF_S(1), .exits = 3});
	world_run_for(w, EFF_MS(1));
	ck_assert_str_eq(said(),
		"effd: /: down -> starting\neffd: web: down -> starting\neffd: web: starting -> up\n"
		"effd: /: starting -> up\n");
	world_run_for(w, EFF_S(1));
	ck_assert_ptr_nonnull(strstr(said(), "effd: warn: web: up -> failed: exit 3\n"));
	world_free(w);
}
END_TEST

START_TEST(a_group_that_starts_again_is_up_after_its_last_child)
{
	struct world *w = world_new("g: {strategy: one_for_all, units: {"
				    "a: {command: a, restart: {backoff: {initial: 1s, jitter: 0}}},"
				    " b: {command: b}}}");

	world_script(w, "a", (struct script){.lives = EFF_S(2), .exits = 3});
	world_script(w, "b", (struct script){.lives = EFF_FOREVER});
	world_run_for(w, EFF_MS(2500));
	(void)said();
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(said(),
		"effd: g/a: backoff -> starting\neffd: g/b: waiting -> starting\n"
		"effd: g/a: starting -> up\neffd: g/b: starting -> up\neffd: g: starting -> up\n");
	world_free(w);
}
END_TEST

START_TEST(another_line_comes_behind_the_changes_before_it)
{
	struct world *w = world_new("web: {command: web, restart: no}");
	struct unit *u = world_unit(w, "web");

	world_run_for(w, EFF_S(1));
	(void)said();
	tree_hooks.on_state(u, UNIT_DOWN, UNIT_STARTING);
	ck_assert_str_eq(said(), "");
	tree_hooks.on_event(u, "stuck", "it is");
	tree_hooks.on_event(u, "reloading", "");
	tree_hooks.on_state(u, UNIT_STARTING, UNIT_UP);
	log_info("after all");
	ck_assert_str_eq(said(),
		"effd: web: down -> starting\neffd: warn: web: stuck: it is\neffd: web: reloading\n"
		"effd: web: starting -> up\neffd: after all\n");
	world_free(w);
}
END_TEST

START_TEST(more_changes_in_one_turn_than_are_remembered_are_said_all)
{
	struct world *w = world_new("web: {command: web, restart: no}");
	struct unit *u = world_unit(w, "web");

	world_run_for(w, EFF_S(1));
	(void)said();
	for (int i = 0; i < 5 * TREE_EVENTS; i++)
		tree_hooks.on_state(u, UNIT_STARTING, UNIT_DOWN);
	world_run_for(w, EFF_S(1));
	ck_assert_uint_eq(count(said(), "web: starting -> down\n"), (uintmax_t)5 * TREE_EVENTS);
	world_free(w);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/tree/events");
	TCase *tcase = tcase_create("said");

	tcase_add_checked_fixture(tcase, stderr_to_file, stderr_back);
	tcase_add_test(tcase, each_change_is_said_once_and_in_order);
	tcase_add_test(tcase, a_group_that_starts_again_is_up_after_its_last_child);
	tcase_add_test(tcase, another_line_comes_behind_the_changes_before_it);
	tcase_add_test(tcase, more_changes_in_one_turn_than_are_remembered_are_said_all);
	suite_add_tcase(suite, tcase);
	return suite;
}
