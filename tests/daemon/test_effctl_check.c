/* SPDX-License-Identifier: MIT */
/* `effctl check` on real files, without any effd. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h>

#include "effctl/command.h"
#include "folder.h"
#include "leak.h"
#include "wire/json.h"

Suite *test_suite(void);

static char folder[64];
static char path[96];
static char *printed, *complained;

static void setup(void)
{
	(void)test_folder(folder, sizeof(folder));
	(void)snprintf(path, sizeof(path), "%s/t.yaml", folder);
}

static void teardown(void)
{
	(void)unlink(path);
	(void)rmdir(folder);
	free(printed);
	free(complained);
}

static void tree(const char *text)
{
	FILE *to = fopen(path, "w");

	ck_assert_ptr_nonnull(to);
	(void)fputs(text, to);
	(void)fclose(to);
	ck_assert_int_eq(chmod(path, 0644), 0);
}

static int check(const char *what, const char *option)
{
	char *argv[] = {(char *)"effctl", (char *)"check", (char *)what, (char *)option, NULL};
	size_t n_out;
	size_t n_err;
	FILE *out = open_memstream(&printed, &n_out);
	FILE *err = open_memstream(&complained, &n_err);
	int code = effctl_run(option ? 4 : 3, argv, out, err);

	(void)fclose(out);
	(void)fclose(err);
	return code;
}

START_TEST(a_good_tree_is_told_with_its_size)
{
	char expected[128];

	tree("version: 1\nunits:\n  a: {command: [/bin/true]}\n");

	ck_assert_int_eq(check(path, NULL), CODE_DONE);

	(void)snprintf(expected, sizeof(expected), "%s: 1 unit, 0 warnings\n", path);
	ck_assert_str_eq(printed, expected);
}
END_TEST

START_TEST(more_errors_than_are_kept_are_counted)
{
	FILE *to;

	tree("version: 1\nunits:\n");
	to = fopen(path, "a");
	ck_assert_ptr_nonnull(to);
	for (int i = 0; i < 1500; i++)
		(void)fprintf(to, "  u%d: {command: [/bin/true], depends_on: [v%d]}\n", i, i);
	(void)fclose(to);

	ck_assert_int_eq(check(path, NULL), CODE_FAILED);

	ck_assert_ptr_nonnull(strstr(printed, ": 1500 errors, 0 warnings\n"));
}
END_TEST

START_TEST(a_tree_with_errors_ends_with_1_and_names_them_all)
{
	tree("version: 1\nunits:\n  a: {command: [/bin/true], restrt: no}\n  b: {start_timeout: 30}\n");

	ck_assert_int_eq(check(folder, NULL), CODE_FAILED);

	ck_assert_ptr_nonnull(strstr(printed, "/t.yaml:3:29: error[E"));
	ck_assert_ptr_nonnull(strstr(printed, "/t.yaml:4:22: error[E"));
}
END_TEST

START_TEST(warnings_fail_only_when_it_is_strict)
{
	tree("version: 1\nunits:\n  a: {command: [/nonexistent/program]}\n");

	ck_assert_int_eq(check(path, NULL), CODE_DONE);
	ck_assert_ptr_nonnull(strstr(printed, "warning[W404]"));
	free(printed);
	free(complained);
	ck_assert_int_eq(check(path, "--strict"), CODE_FAILED);
}
END_TEST

START_TEST(diagnostics_are_a_document_with_json)
{
	struct json *document = NULL;
	const struct json *one;

	tree("version: 1\nunits:\n  a: {command: [/bin/true], restrt: no}\n");

	ck_assert_int_eq(check(path, "--json"), CODE_FAILED);

	ck_assert_int_eq(json_parse(printed, strlen(printed), 0, &document, NULL), 0);
	one = json_first(json_get(document, "diagnostics"));
	ck_assert_str_eq(json_get_text(one, "severity", ""), "error");
	ck_assert_str_eq(json_get_text(one, "file", ""), path);
	ck_assert_int_eq(json_get_int(one, "line", 0), 3);
	ck_assert_int_eq(json_get_int(one, "column", 0), 29);
	ck_assert_int_eq(json_type(json_get(one, "related")), JSON_ARRAY);
	ck_assert_ptr_null(json_next(one));
	json_free(document);
}
END_TEST

START_TEST(a_tree_that_is_not_there_is_an_error_with_its_path)
{
	ck_assert_int_eq(check("nonexistent.yaml", NULL), CODE_FAILED);

	ck_assert_ptr_nonnull(strstr(printed, "nonexistent.yaml: error["));
	ck_assert_ptr_nonnull(strstr(printed, "nonexistent.yaml: 1 error, 0 warnings\n"));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("effctl_check");
	TCase *tcase = tcase_create("effctl_check");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_good_tree_is_told_with_its_size);
	tcase_add_test(tcase, more_errors_than_are_kept_are_counted);
	tcase_add_test(tcase, a_tree_with_errors_ends_with_1_and_names_them_all);
	tcase_add_test(tcase, warnings_fail_only_when_it_is_strict);
	tcase_add_test(tcase, diagnostics_are_a_document_with_json);
	tcase_add_test(tcase, a_tree_that_is_not_there_is_an_error_with_its_path);
	suite_add_tcase(suite, tcase);
	return suite;
}
