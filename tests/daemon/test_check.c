/* SPDX-License-Identifier: MIT */
/* Every tree in fixtures/plans/bad says, in the comments that it begins with, what is wrong with it: `# expect:` lines are
 * all of its diagnostics in their order, `# help:` what each advises, `# as: UID` that effd is not root, and `checking` behind
 * that it is effctl that looks. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "leak.h"
#include "plan_world.h"

#define BAD "tests/fixtures/plans/bad"

Suite *test_suite(void);

/* The expectation in the first lines of a file. */
static struct text expected(const char *path, struct plan_world *world)
{
	struct text text = {0};
	FILE *file = fopen(path, "r");
	char line[1024];

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) && line[0] == '#') {
		if (strncmp(line, "# expect: ", 10) == 0)
			text_add(&text, line + 10);
		else if (strncmp(line, "# help: ", 8) == 0)
			text_add(&text, line + 2);
		else if (sscanf(line, "# as: %u", &world->source.uid) == 1) {
			world->source.privileged = false;
			world->source.only_checks = strstr(line, "checking");
		}
	}
	(void)fclose(file);
	return text;
}

static void check_one(const char *path)
{
	struct plan_world world;
	struct text want, got;

	plan_world_init(&world);
	want = expected(path, &world);
	plan_world_load(&world, path);
	got = plan_world_report(&world, path);
	if (want.bytes && strcmp(want.bytes, got.bytes ? got.bytes : "") != 0) {
		/* What check takes as a message is bounded. */
		(void)fprintf(stderr, "%s:\nexpected\n%s\ngot\n%s\n", path, want.bytes,
			got.bytes ? got.bytes : "nothing");
		ck_abort_msg("%s expects something else", path);
	}
	ck_assert_msg(world.result < 0 ? diags_errors(world.diags) > 0
				       : diags_errors(world.diags) == 0,
		"%s", path);
	/* Only bytes that no comment can stand before have none. */
	ck_assert_msg(want.bytes || strstr(path, "utf16"), "%s expects nothing", path);
	text_done(&want);
	text_done(&got);
	plan_world_done(&world);
}

START_TEST(every_bad_tree_is_told_what_it_expects)
{
	struct plan_world world;
	char **names = NULL, path[256];
	int n = 0;

	plan_world_init(&world);
	ck_assert_int_eq(world.source.list(&world, BAD, &names), 0);
	ck_assert_ptr_nonnull(names);
	for (; names && names[n]; n++) {
		(void)snprintf(path, sizeof(path), BAD "/%s", names[n]);
		check_one(path);
		free(names[n]);
	}
	free(names);
	plan_world_done(&world);

	ck_assert_int_gt(n, 50);
}
END_TEST

/* The first file of a folder, or all of a pattern, that has a line which matches. */
static bool is_in(const char *files, const char *pattern)
{
	char command[512];

	(void)snprintf(command, sizeof(command), "grep -qE -e '%s' %s", pattern, files);
	return system(command) == 0;
}

static const char *const codes[] = {
#define CODE(code, text) code,
#include "plan/codes.def"
#undef CODE
};

START_TEST(every_code_is_met)
{
	char pattern[64];

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		(void)snprintf(pattern, sizeof(pattern), "^# expect: .*\\[%s\\]: ", codes[i]);
		/* What is added at run time is in no file. */
		if (strcmp(codes[i], "E319") == 0)
			ck_assert(is_in("tests/daemon/test_added.c", codes[i]));
		else
			ck_assert_msg(
				is_in(BAD "/*.yaml", pattern), "%s is in no fixture", codes[i]);
	}
}
END_TEST

/* The codes in the sources, one a line, each once. */
START_TEST(every_code_is_in_the_table)
{
	FILE *found = popen(
		"grep -ohE '\"[EW][0-9]{3}\"' daemon/plan/*.c | tr -d '\"' | sort -u", "r");
	char line[16];
	size_t n = 0, i;

	ck_assert_ptr_nonnull(found);
	for (; fgets(line, sizeof(line), found); n++) {
		line[strcspn(line, "\n")] = '\0';
		for (i = 0; i < sizeof(codes) / sizeof(codes[0]) && strcmp(codes[i], line); i++)
			;
		ck_assert_msg(i < sizeof(codes) / sizeof(codes[0]), "%s is not in codes.def", line);
	}
	ck_assert_int_eq(pclose(found), 0);

	ck_assert_uint_eq(n, sizeof(codes) / sizeof(codes[0]));
}
END_TEST

static const char *const forking[] = {
#define FORKS(program, when, stays, advice) program,
#include "plan/forks.def"
#undef FORKS
};

START_TEST(every_program_that_forks_is_met)
{
	char pattern[128];

	for (size_t i = 0; i < sizeof(forking) / sizeof(forking[0]); i++) {
		(void)snprintf(pattern, sizeof(pattern), "W406.*[`/]%.*s",
			(int)strcspn(forking[i], "*"), forking[i]);
		ck_assert_msg(is_in(BAD "/goes-to-the-background.yaml", pattern),
			"%s is in no fixture", forking[i]);
	}
}
END_TEST

static const struct {
	const char *typed;
	bool is_word;
} foreign[] = {
#define FOREIGN(typed, tool, help) {typed, false},
#define FOREIGN_PROBE FOREIGN
#define FOREIGN_VALUE(typed, help) {typed, true},
#include "plan/foreign.def"
#undef FOREIGN
#undef FOREIGN_PROBE
#undef FOREIGN_VALUE
};

START_TEST(every_foreign_name_is_met)
{
	char pattern[128];

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		(void)snprintf(pattern, sizeof(pattern),
			"E202.: `%s` is (a name of|another tool.s word)",
			strcasecmp(foreign[i].typed, "workingdirectory") ? foreign[i].typed
									 : "WORKINGDIRECTORY");
		ck_assert_msg(is_in(BAD "/foreign-*.yaml", pattern), "%s is in no fixture",
			foreign[i].typed);
	}
}
END_TEST

START_TEST(other_encodings_are_told_at_their_first_byte)
{
	struct plan_world world;

	plan_world_init(&world);
	plan_world_load(&world, BAD "/utf16.yaml");

	ck_assert_uint_eq(diags_count(world.diags), 1);
	ck_assert_str_eq(diags_at(world.diags, 0)->code, "E104");
	ck_assert_uint_eq(diags_at(world.diags, 0)->at.line, 1);
	ck_assert_uint_eq(diags_at(world.diags, 0)->at.column, 1);
	plan_world_done(&world);
}
END_TEST

START_TEST(a_cycle_is_told_edge_by_edge)
{
	struct plan_world world;
	const struct diag *diag;

	(void)plan_world_text(&world,
		"version: 1\nunits:\n  a: {command: x, depends_on: [s]}\n"
		"  s:\n    units:\n      y: {command: x, depends_on: [b]}\n  b: {command: x, after: [a]}\n");
	ck_assert_uint_eq(diags_count(world.diags), 1);
	diag = diags_at(world.diags, 0);

	ck_assert_str_eq(diag->code, "E305");
	ck_assert_str_eq(diag->message, "these can never start: a -> s -> s/y -> b -> a");
	ck_assert_uint_eq(diag->n_notes, 3);
	ck_assert_str_eq(diag->notes[0].text, "s is up when s/y is");
	ck_assert_str_eq(diag->notes[1].text, "s/y depends on b");
	ck_assert_uint_eq(diag->notes[1].at.line, 6);
	ck_assert_str_eq(diag->notes[2].text, "b starts after a");
	plan_world_done(&world);
}
END_TEST

START_TEST(a_slow_stop_is_told_unit_by_unit)
{
	struct plan_world world;
	const struct diag *diag;

	(void)plan_world_text(&world,
		"version: 1\ndaemon: {shutdown_timeout: 30s}\nunits:\n"
		"  db: {command: x, stop: {timeout: 15s}}\n"
		"  s: {depends_on: [db], units: {y: {command: x}}}\n"
		"  b: {command: x, after: [s], stop: {timeout: 6s}}\n"
		"  c: {command: x, after: [db], stop: {timeout: 7s}}\n");
	ck_assert_uint_eq(diags_count(world.diags), 1);
	diag = diags_at(world.diags, 0);

	ck_assert_str_eq(diag->code, "W402");
	ck_assert_uint_eq(diag->n_notes, 3);
	ck_assert_str_eq(diag->notes[0].text, "`b` has 6s");
	ck_assert_str_eq(diag->notes[1].text, "then `s/y` has 10s, as nothing else was said");
	ck_assert_str_eq(diag->notes[2].text, "then `db` has 15s");
	ck_assert_uint_eq(diag->notes[2].at.line, 4);
	plan_world_done(&world);
}
END_TEST

START_TEST(what_an_intensity_cannot_meet_is_told_as_a_timetable)
{
	struct plan_world world;
	const struct diag *diag;

	(void)plan_world_text(&world,
		"version: 1\nintensity: {max_restarts: 10, period: 60s}\nunits:\n"
		"  a: {command: x, restart: {backoff: {initial: 500ms}}}\n");
	ck_assert_uint_eq(diags_count(world.diags), 1);
	diag = diags_at(world.diags, 0);

	ck_assert_str_eq(diag->code, "W401");
	ck_assert_uint_eq(diag->n_notes, 1);
	ck_assert_str_eq(diag->notes[0].text,
		"`a`, if it dies at once, ends again after 500ms, 1s500ms, 3s500ms, "
		"7s500ms, 15s500ms, 31s500ms, 1m1s500ms");
	ck_assert_uint_eq(diag->notes[0].at.line, 4);
	plan_world_done(&world);
}
END_TEST

START_TEST(a_timetable_of_endless_delays_has_no_end)
{
	struct plan_world world;
	const struct diag *diag;

	(void)plan_world_text(&world,
		"version: 1\nintensity: {max_restarts: 10, period: 60s}\nunits:\n"
		"  a: {command: x, restart: {backoff: {initial: infinity, max: infinity}}}\n");
	ck_assert_uint_eq(diags_count(world.diags), 1);
	diag = diags_at(world.diags, 0);

	ck_assert_str_eq(diag->code, "W401");
	ck_assert_str_eq(diag->notes[0].text, "`a`, if it dies at once, ends again after infinity");
	plan_world_done(&world);
}
END_TEST

START_TEST(what_only_looks_like_a_cycle_is_none)
{
	struct plan_world world;

	/* A supervisor's unit may wait for what its supervisor waits for, and for siblings of it. */
	(void)plan_world_good(&world,
		"version: 1\nunits:\n  a: {command: x}\n"
		"  s:\n    depends_on: [a]\n    units:\n      y: {command: x, depends_on: [a, z]}\n      z: {command: x}\n"
		"  b: {command: x, depends_on: [s, s/y]}\n");
	plan_world_done(&world);
}
END_TEST

START_TEST(one_mistake_in_defaults_is_told_once)
{
	struct plan_world world;
	struct text text = {0};

	text_add(&text,
		"version: 1\ndefaults: {start_timeout: 5, environment: {A: '${NOBODY}'}, user: missing}\nunits:\n");
	for (int i = 0; i < 100; i++)
		text_printf(&text, "  u%d: {command: missing-%d}\n", i, i % 2);
	(void)plan_world_text(&world, text.bytes);
	text_done(&text);

	ck_assert_uint_eq(diags_errors(world.diags), 2);
	ck_assert_uint_eq(diags_count(world.diags), 2 + 1 + 100);
	plan_world_done(&world);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("check");
	TCase *tcase = tcase_create("check");

	test_leak_guard(tcase);
	tcase_add_test(tcase, every_bad_tree_is_told_what_it_expects);
	tcase_add_test(tcase, every_code_is_met);
	tcase_add_test(tcase, every_code_is_in_the_table);
	tcase_add_test(tcase, every_program_that_forks_is_met);
	tcase_add_test(tcase, every_foreign_name_is_met);
	tcase_add_test(tcase, other_encodings_are_told_at_their_first_byte);
	tcase_add_test(tcase, a_cycle_is_told_edge_by_edge);
	tcase_add_test(tcase, a_slow_stop_is_told_unit_by_unit);
	tcase_add_test(tcase, what_an_intensity_cannot_meet_is_told_as_a_timetable);
	tcase_add_test(tcase, a_timetable_of_endless_delays_has_no_end);
	tcase_add_test(tcase, what_only_looks_like_a_cycle_is_none);
	tcase_add_test(tcase, one_mistake_in_defaults_is_told_once);
	suite_add_tcase(suite, tcase);
	return suite;
}
