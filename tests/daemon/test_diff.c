/* SPDX-License-Identifier: MIT */
/* The difference of two trees, as one line a change: "UNIT ACTION FIELD…". */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/alloc.h"
#include "plan/changes.h"
#include "plan_world.h"

Suite *test_suite(void);

#define HEAD "version: 1\nunits:\n"

static void diff_is(const char *old_text, const char *new_text, const char *expected)
{
	struct plan_world old, new;
	struct plan_change *changes;
	struct text text = {0};
	uint32_t n, i, k;

	(void)plan_world_text(&old, old_text);
	(void)plan_world_text(&new, new_text);
	ck_assert_int_eq(old.result, 0);
	ck_assert_int_eq(new.result, 0);
	ck_assert_int_eq(plan_diff(old.plan, NULL, new.plan, &changes, &n), 0);
	for (i = 0; i < n; i++) {
		text_printf(&text, "%s %s", changes[i].unit, plan_action_name(changes[i].action));
		for (k = 0; k < changes[i].n_fields; k++)
			text_printf(&text, " %s", plan_field(changes[i].fields[k])->name);
		text_add(&text, "\n");
	}
	ck_assert_str_eq(text.bytes ? text.bytes : "", expected);
	text_done(&text);
	plan_changes_free(changes, n);
	plan_world_done(&old);
	plan_world_done(&new);
}

START_TEST(the_same_is_no_change)
{
	diff_is(HEAD "  a: {command: x}\n",
		HEAD "  a: {command: [x], start_timeout: 1m30s, restart: always}\n", "");
	diff_is(HEAD "  a: {command: x, type: oneshot}\n",
		HEAD "  a: {command: x, type: oneshot, restart: on-failure}\n", "");
	diff_is(HEAD "  a: {command: x}\n  b: {command: x, depends_on: [a]}\n",
		HEAD "  a: {command: x}\n  b: {command: x, depends_on: {a: {condition: ready, required: true}}}\n",
		"");
	diff_is(HEAD "  a: {command: x, environment: {A: b}}\n",
		"version: 1\ndefaults: {environment: {A: b}}\nunits:\n  a: {command: x}\n", "");
}
END_TEST

START_TEST(process_fields_restart_and_others_are_live)
{
	diff_is(HEAD "  a: {command: x}\n", HEAD "  a: {command: x y}\n", "a restart command\n");
	diff_is(HEAD "  a: {command: x}\n",
		HEAD "  a: {command: x, stop: {timeout: 3s}, restart: no}\n",
		"a live restart.policy stop.timeout\n");
	diff_is(HEAD "  a: {command: x, umask: '0022'}\n",
		HEAD "  a: {command: x, umask: '0077', critical: true}\n",
		"a restart critical umask\n");
	diff_is(HEAD "  a: {fiber: idle}\n", HEAD "  a: {fiber: idle, with: {for: 1s}}\n",
		"a restart with\n");
	diff_is(HEAD "  a: {command: x}\n", HEAD "  a: {command: x, environment: {A: b}}\n",
		"a restart environment\n");
	diff_is(HEAD "  a: {command: x}\n", HEAD "  a: {command: x, working_dir: sub}\n",
		"a restart working_dir\n");
	diff_is(HEAD "  a: {command: x}\n",
		HEAD "  a: {command: x, log: {stdout: null, ring: 1MiB}}\n",
		"a restart log.stdout log.ring\n");
}
END_TEST

START_TEST(units_come_go_and_move)
{
	diff_is(HEAD "  a: {command: x}\n  b: {command: x}\n",
		HEAD "  b: {command: x}\n  c: {command: x}\n", "a stop\nc start\n");
	diff_is(HEAD "  a: {command: x}\n", HEAD "  s: {units: {a: {command: x}}}\n",
		"a stop\ns start\ns/a start\n");
	diff_is(HEAD "  a: {command: x}\n", HEAD "  a: {fiber: idle}\n", "a stop\na start\n");
}
END_TEST

START_TEST(order_dependencies_and_being_enabled_are_live)
{
	diff_is(HEAD "  a: {command: x}\n  b: {command: x}\n",
		HEAD "  b: {command: x}\n  a: {command: x}\n", "/ live units\n");
	diff_is(HEAD "  a: {command: x}\n  b: {command: x}\n",
		HEAD "  a: {command: x}\n  b: {command: x, depends_on: [a]}\n",
		"b live depends_on\n");
	diff_is(HEAD "  s: {units: {a: {command: x}}}\n",
		HEAD "  s: {enabled: false, units: {a: {command: x}}}\n",
		"s live enabled\ns/a live enabled\n");
	diff_is("version: 1\nstart_order: parallel\nunits: {a: {command: x}}\n",
		"version: 1\nstart_order: sequential\nunits: {a: {command: x}}\n",
		"/ live start_order\n");
}
END_TEST

/* While it has no children nothing else would tell of it. */
START_TEST(a_template_is_compared_as_it_is_written)
{
#define POOL HEAD "  p: {strategy: simple_one_for_one, template: "

	diff_is(POOL "{command: x}}\n", POOL "{command: y}}\n", "p live template\n");
	diff_is(POOL "{command: [x, '${UNIT}']}}\n", POOL "{command: [x, p]}}\n",
		"p live template\n");
	diff_is(POOL "{shell: 'x ${Y}'}}\n", POOL "\n      {\"shell\": \"x ${Y}\"}}\n", "");
#undef POOL
}
END_TEST

START_TEST(effds_own_settings_wait_for_its_next_start)
{
	diff_is("version: 1\nunits: {a: {command: x}}\n",
		"version: 1\ndaemon: {socket: /s, log_level: debug, shutdown_timeout: 1m30s}\nunits: {a: {command: x}}\n",
		"/ effd daemon.socket\n/ live daemon.log_level\n");
}
END_TEST

START_TEST(the_content_of_an_env_file_counts)
{
	struct plan_world old, new;
	struct plan_change *changes;
	uint32_t n;

	plan_world_init(&old);
	plan_world_init(&new);
	old.text = new.text = HEAD "  a: {command: x, env_file: env}\n  b: {command: x}\n";
	old.env_text = "A=1\n";
	new.env_text = "A=2\n";
	plan_world_load(&old, "/tree/effd.yaml");
	plan_world_load(&new, "/tree/effd.yaml");
	ck_assert_int_eq(plan_diff(old.plan, NULL, new.plan, &changes, &n), 0);

	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(changes[0].unit, "a");
	ck_assert_int_eq(changes[0].action, PLAN_DO_RESTART);
	ck_assert_uint_eq(changes[0].before, 1);
	ck_assert_uint_eq(changes[0].after, 1);
	plan_changes_free(changes, n);
	plan_world_done(&old);
	plan_world_done(&new);
}
END_TEST

START_TEST(without_memory_there_is_no_difference_to_be_had)
{
	struct plan_world old, new;
	struct plan_change *changes;
	uint64_t at = 0;
	uint32_t n;
	int r;

	(void)plan_world_text(&old, HEAD "  a: {command: x}\n  b: {command: x}\n");
	(void)plan_world_text(&new, HEAD "  b: {command: y}\n  c: {command: x}\n");
	do {
		(void)alloc_fail_after(++at);
		r = plan_diff(old.plan, NULL, new.plan, &changes, &n);
		(void)alloc_fail_after(0);
		ck_assert(r == 0 || r == -ENOMEM);
	} while (r < 0);

	ck_assert_uint_eq(n, 3);
	ck_assert_uint_gt(at, 4);
	plan_changes_free(changes, n);
	plan_world_done(&old);
	plan_world_done(&new);
}
END_TEST

START_TEST(how_many_replicas_there_are_changes_none_of_the_others)
{
#define FETCH(n) "  fetch: {command: x, replicas: " n "}\n"
#define WEB(needs) "  web: {command: x, depends_on: " needs "}\n"
	diff_is(HEAD FETCH("2") WEB("[fetch]"), HEAD FETCH("4") WEB("[fetch]"),
		"fetch@3 start\nfetch@4 start\n");
	diff_is(HEAD FETCH("4") WEB("[fetch]"), HEAD FETCH("2") WEB("[fetch]"),
		"fetch@3 stop\nfetch@4 stop\n");
	diff_is(HEAD FETCH("1"), HEAD "  fetch: {command: x}\n", "fetch@1 stop\nfetch start\n");
	diff_is(HEAD FETCH("2") WEB("[fetch]"),
		HEAD "  fetch: {command: x y, replicas: 3}\n" WEB("[fetch]"),
		"fetch@1 restart command\nfetch@2 restart command\nfetch@3 start\n");
}
END_TEST

START_TEST(a_need_of_all_is_another_than_one_of_each)
{
	diff_is(HEAD FETCH("2") WEB("[fetch]"), HEAD FETCH("2") WEB("[fetch@1, fetch@2]"),
		"web live depends_on\n");
	diff_is(HEAD FETCH("1") WEB("[fetch, fetch@1]"),
		HEAD FETCH("3") WEB("[fetch, fetch@1]"), "fetch@2 start\nfetch@3 start\n");
	diff_is(HEAD FETCH("2") WEB("[fetch]"), HEAD FETCH("2") WEB("{fetch: {bind: true}}"),
		"web live depends_on\n");
}
END_TEST

/* What moved, a line for each of its two changes. */
static void moved_is(const char *old_text, const char *new_text, const char *expected)
{
	struct plan_world old, new;
	struct plan_change *changes;
	struct text text = {0};
	uint32_t n, i;

	(void)plan_world_text(&old, old_text);
	(void)plan_world_text(&new, new_text);
	ck_assert_int_eq(plan_diff(old.plan, NULL, new.plan, &changes, &n), 0);
	text_add(&text, "");
	for (i = 0; i < n; i++)
		if (plan_change_words(changes, n, &changes[i], &text))
			text_printf(&text, " (%s)\n", plan_action_name(changes[i].action));
	ck_assert_str_eq(text.bytes, expected);
	text_done(&text);
	plan_changes_free(changes, n);
	plan_world_done(&old);
	plan_world_done(&new);
}

#define BOTH(words) \
	words ": stopped and started (stop)\n" words ": stopped and started (start)\n"

START_TEST(a_unit_under_another_supervisor_or_name_is_told_to_be_stopped_and_started)
{
#define A "a: {command: x y, restart: no}"
	moved_is(HEAD "  g: {units: {" A ", b: {command: x}}}\n  h: {units: {c: {command: x}}}\n",
		HEAD "  g: {units: {b: {command: x}}}\n  h: {units: {c: {command: x}, " A "}}\n",
		BOTH("moved from g/a to h/a"));
	moved_is(HEAD "  " A "\n  b: {command: x}\n",
		HEAD "  c: {command: x y, restart: no}\n  b: {command: x}\n",
		BOTH("renamed from a to c"));
	/* It may be changed on its way, but what it runs must be the same. */
	moved_is(HEAD "  " A "\n", HEAD "  g: {units: {a: {command: x y, restart: always}}}\n",
		BOTH("moved from a to g/a"));
	moved_is(HEAD "  " A "\n", HEAD "  g: {units: {a: {command: x z, restart: no}}}\n", "");
	moved_is(HEAD "  " A "\n", HEAD "  c: {command: x y, restart: always}\n", "");
	moved_is(HEAD "  a: {command: x}\n", HEAD "  a: {fiber: idle}\n", "");
#undef A
}
END_TEST

START_TEST(a_supervisor_moves_with_what_is_in_it)
{
#define G "g: {units: {a: {command: x}, b: {command: y, depends_on: [a]}}}"
	moved_is(HEAD "  " G "\n  z: {command: z}\n",
		HEAD "  h: {units: {a: {command: x}, b: {command: y, depends_on: [a]}}}\n  z: {command: z}\n",
		"renamed from g to h: stopped and started (stop)\n"
		"moved from g/a to h/a: stopped and started (stop)\n"
		"moved from g/b to h/b: stopped and started (stop)\n"
		"renamed from g to h: stopped and started (start)\n"
		"moved from g/a to h/a: stopped and started (start)\n"
		"moved from g/b to h/b: stopped and started (start)\n");
	/* One in which something else is now is another one. */
	moved_is(HEAD "  " G "\n", HEAD "  h: {units: {a: {command: x}}}\n",
		BOTH("moved from g/a to h/a"));
#undef G
}
END_TEST

START_TEST(of_several_that_are_the_same_each_moves_once)
{
	moved_is(HEAD "  a: {command: x}\n  b: {command: x}\n",
		HEAD "  g: {units: {b: {command: x}}}\n  c: {command: x}\n  d: {command: x}\n",
		"renamed from a to c: stopped and started (stop)\n"
		"moved from b to g/b: stopped and started (stop)\n"
		"moved from b to g/b: stopped and started (start)\n"
		"renamed from a to c: stopped and started (start)\n");
	moved_is(HEAD "  f: {command: x, replicas: 2}\n", HEAD "  f: {command: x}\n",
		BOTH("renamed from f@1 to f"));
	/* One of them more or less is not another unit. */
	moved_is(HEAD "  a: {command: x}\n  f: {command: x, replicas: 1}\n",
		HEAD "  f: {command: x, replicas: 2}\n", "");
	moved_is(HEAD "  f: {command: x, replicas: 1}\n",
		HEAD "  f: {command: x, replicas: 0}\n  b: {command: x}\n", "");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("diff");
	TCase *tcase = tcase_create("diff");

	tcase_add_test(tcase, the_same_is_no_change);
	tcase_add_test(tcase, process_fields_restart_and_others_are_live);
	tcase_add_test(tcase, units_come_go_and_move);
	tcase_add_test(tcase, order_dependencies_and_being_enabled_are_live);
	tcase_add_test(tcase, a_template_is_compared_as_it_is_written);
	tcase_add_test(tcase, effds_own_settings_wait_for_its_next_start);
	tcase_add_test(tcase, the_content_of_an_env_file_counts);
	tcase_add_test(tcase, without_memory_there_is_no_difference_to_be_had);
	tcase_add_test(tcase, how_many_replicas_there_are_changes_none_of_the_others);
	tcase_add_test(tcase, a_need_of_all_is_another_than_one_of_each);
	tcase_add_test(tcase,
		a_unit_under_another_supervisor_or_name_is_told_to_be_stopped_and_started);
	tcase_add_test(tcase, a_supervisor_moves_with_what_is_in_it);
	tcase_add_test(tcase, of_several_that_are_the_same_each_moves_once);
	suite_add_tcase(suite, tcase);
	return suite;
}
