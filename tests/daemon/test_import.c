/* SPDX-License-Identifier: MIT */
/* Imports: the files of tests/fixtures/import become the tree and the report that stand beside them, to the letter, and what
 * is made is a tree. (EFFD_WRITE_FIXTURES=1 writes what is made there, for a look at the difference.) */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/alloc.h"
#include "effctl/import/report.h"
#include "leak.h"
#include "plan/diag.h"

#define FIXTURES "tests/fixtures/import"

Suite *test_suite(void);

static struct import im;
static struct text yaml;
static char *report;

static void begin(enum import_kind kind)
{
	ck_assert_int_eq(import_init(&im, kind), 0);
	im.folder = "/srv/imported";
}

static void take(const char *path, const char *text)
{
	import_text(&im, path, text, strlen(text));
}

/* What is made is a tree, or has no units. */
static void end(void)
{
	struct diags *diags = diags_new();
	size_t size;
	FILE *to;

	ck_assert_int_eq(import_end(&im), 0);
	text_add(&yaml, "# Made by `effctl import`.\n");
	import_write(&im, &yaml);
	ck_assert(!yaml.failed);
	if (im.n_units && import_check(&im, yaml.bytes, yaml.len, diags) == -EPROTO) {
		diags_print(diags, stderr);
		ck_abort_msg("no tree: %s", yaml.bytes);
	}
	diags_free(diags);
	to = open_memstream(&report, &size);
	ck_assert_ptr_nonnull(to);
	report_print(to, &im);
	(void)fclose(to);
}

static void done(void)
{
	import_done(&im);
	text_done(&yaml);
	free(report);
	report = NULL;
}

/* One file, to its end. */
static void import(enum import_kind kind, const char *path, const char *text)
{
	begin(kind);
	take(path, text);
	end();
}

static void has(const char *line)
{
	ck_assert_msg(strstr(yaml.bytes, line), "no <%s> in:\n%s%s", line, yaml.bytes, report);
}

static void has_not(const char *text)
{
	ck_assert_msg(!strstr(yaml.bytes, text), "<%s> is in:\n%s", text, yaml.bytes);
}

static void says(const char *line)
{
	ck_assert_msg(strstr(report, line), "no <%s> in:\n%s", line, report);
}

/* ── files that people have ── */

static char *read_fixture(const char *folder, const char *name)
{
	char path[512];
	char *bytes = calloc(1, 65536);
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(bytes);
	if (file) {
		ck_assert_uint_lt(fread(bytes, 1, 65535, file), 65535);
		(void)fclose(file);
	}
	return bytes;
}

static void write_fixture(const char *folder, const char *name, const char *bytes)
{
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	(void)fputs(bytes, file);
	(void)fclose(file);
}

static void compare(const char *folder, const char *name, const char *made)
{
	char *wanted = read_fixture(folder, name);

	if (getenv("EFFD_WRITE_FIXTURES"))
		write_fixture(folder, name, made);
	else if (strcmp(made, wanted) != 0)
		ck_abort_msg("%s/%s: made:\n%s", folder, name, made);
	free(wanted);
}

static int is_input(const struct dirent *entry)
{
	return *entry->d_name != '.' && strcmp(entry->d_name, "tree.yaml") != 0 &&
		strcmp(entry->d_name, "report") != 0;
}

static void run_fixture(const char *folder, enum import_kind kind)
{
	struct dirent **names;
	int n = scandir(folder, &names, is_input, alphasort);

	ck_assert_int_gt(n, 0);
	begin(kind);
	for (int i = 0; i < n; i++) {
		char *bytes = read_fixture(folder, names[i]->d_name);

		take(im_strndup(&im, names[i]->d_name, strlen(names[i]->d_name)), bytes);
		free(bytes);
		free(names[i]);
	}
	free(names);
	end();
	compare(folder, "tree.yaml", yaml.bytes);
	compare(folder, "report", report);
	done();
}

START_TEST(files_become_the_tree_and_the_report_beside_them)
{
	enum import_kind kind = (enum import_kind)_i;
	char folder[512], path[1024];
	struct dirent **names;
	int n;

	(void)snprintf(folder, sizeof(folder), FIXTURES "/%s", import_kind_name(kind));
	n = scandir(folder, &names, NULL, alphasort);
	ck_assert_int_ge(n, 4);
	for (int i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		if (*names[i]->d_name != '.')
			run_fixture(path, kind);
		free(names[i]);
	}
	free(names);
}
END_TEST

/* ── rules ── */

START_TEST(a_dollar_that_means_nothing_to_effd_stays_one)
{
	import(IMPORT_SUPERVISORD, "s.conf",
		"[program:a]\ncommand=/bin/echo $HOME ${HOME} $$ 5$ %(ENV_HOME)s\n");

	has("command: [/bin/echo, $HOME, \"$${HOME}\", $$$, 5$, \"${HOME}\"]");
	done();
}
END_TEST

START_TEST(a_text_that_is_no_text_in_yaml_is_quoted)
{
	import(IMPORT_SUPERVISORD, "s.conf",
		"[program:a]\ncommand=x yes 1.5 ~ - -1 'a: b' '# c' --- .nan\n");

	has("command: [x, \"yes\", \"1.5\", \"~\", \"-\", \"-1\", \"a: b\", \"# c\", \"---\", \".nan\"]");
	done();
	import(IMPORT_SUPERVISORD, "s.conf",
		"[program:a]\ncommand=\"quo\\\"te\" 'caf\xc3\xa9' '\xc2\x85' [x] *y ''\n");
	has("command: [\"quo\\\"te\", \"caf\xc3\xa9\", \"\\u0085\", \"[x]\", \"*y\", \"\"]");
	done();
}
END_TEST

START_TEST(a_file_that_is_no_text_is_refused_with_its_line)
{
	import(IMPORT_PROCFILE, "Procfile", "web: a\nw\xff: b\n");
	says("Procfile:2: refused: byte 0xff is neither text nor UTF-8\n0 units");
	done();
	import(IMPORT_SYSTEMD, "w\xff.service", "[Service]\nExecStart=/bin/echo %n\n");
	says(": refused: its name is neither text nor UTF-8");
	done();
}
END_TEST

START_TEST(a_file_that_cannot_be_parsed_is_refused_whole)
{
	import(IMPORT_SUPERVISORD, "s.conf", "[program:a]\ncommand=/bin/true\nnonsense\n");
	says("s.conf:3: refused: neither a [section] nor a setting, which has `=`\n0 units");
	done();
	import(IMPORT_COMPOSE, "c.yaml", "services:\n  a: {command: x\n");
	says("c.yaml:3: refused: did not find expected ',' or '}'\n");
	done();
	import(IMPORT_COMPOSE, "c.yaml", "services:\n  a: !reset {}\n");
	says("c.yaml:2: refused: tags (!reset) are not supported\n");
	done();
}
END_TEST

START_TEST(processes_of_supervisord_are_not_more_than_anybody_has)
{
	import(IMPORT_SUPERVISORD, "s.conf",
		"[program:a]\ncommand=/bin/true\nnumprocs=1001\n[program:b]\ncommand=/bin/true %(process_num)d\nnumprocs=1000\n"
		"process_name=%(process_num)d\n");

	says("s.conf:3: refused: a: numprocs: `1001` processes are too many, or no number\n");
	says("1001 units");
	done();
}
END_TEST

START_TEST(what_is_set_twice_in_two_forms_is_what_was_set_last)
{
	struct json *document;
	char *printed;

	import(IMPORT_SUPERVISORD, "s.conf",
		"[program:a]\ncommand=/bin/true\nredirect_stderr=true\nstderr_logfile=/a.err\n"
		"stdout_logfile=/a.log\n");

	has("    log: {stderr: stdout, stdout: {file: /a.log}}\n");
	document = report_document(&im);
	printed = json_print(document);
	ck_assert_ptr_nonnull(printed);
	free(printed);
	json_free(document);
	done();
}
END_TEST

START_TEST(units_that_wait_for_each_other_are_no_tree)
{
	begin(IMPORT_SYSTEMD);
	take("a.service", "[Unit]\nAfter=b.service\n[Service]\nExecStart=/bin/true\n");
	take("b.service", "[Unit]\nAfter=a.service\n[Service]\nExecStart=/bin/true\n");
	end();

	says("effctl: refused: the units are no tree: these can never start: a -> b -> a\n0 units");
	done();
}
END_TEST

START_TEST(what_calendar_and_cron_both_can_say_is_a_schedule)
{
	static const char *const cases[][2] = {{"daily", "0 0 * * *"}, {"weekly", "0 0 * * 1"},
		{"*:0/15", "0-59/15 * * * *"}, {"Sat,Sun 10:30", "30 10 * * 6,0"},
		{"*-*-01 06:00:00", "0 6 1 * *"}, {"*-01,07-01 00:00", "0 0 1 1,7 *"},
		{"08..18:00", "0 8-18 * * *"}, {"04:05:06", NULL}, {"Mon *-*-1 04:00", NULL},
		{"2030-01-01 00:00", NULL}, {"whenever", NULL}, {"25:00", NULL}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char timer[128];

		(void)snprintf(timer, sizeof(timer), "[Timer]\nOnCalendar=%s\n", cases[i][0]);
		begin(IMPORT_SYSTEMD);
		take("a.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n");
		take("a.timer", timer);
		end();
		if (cases[i][1])
			has(cases[i][1]);
		else
			has_not("schedule");
		done();
	}
}
END_TEST

START_TEST(spans_of_systemd_are_durations)
{
	static const char *const cases[][2] = {{"90", "1m30s"}, {"5min 20s", "5m20s"},
		{"1.5h", "1h30m"}, {"infinity", "infinity"}, {"2 hours", "2h"},
		{"300ms", "300ms"}, {"0", "infinity"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char unit[128], line[64];

		(void)snprintf(unit, sizeof(unit),
			"[Service]\nExecStart=/bin/true\nRuntimeMaxSec=%s\nTimeoutStopSec=%s\n",
			cases[i][0], cases[i][0]);
		import(IMPORT_SYSTEMD, "a.service", unit);
		(void)snprintf(line, sizeof(line), "    stop: {timeout: %s}", cases[i][1]);
		has(line);
		(void)snprintf(line, sizeof(line), "    max_runtime: %s\n", cases[i][1]);
		has(line);
		done();
	}
}
END_TEST

START_TEST(a_reload_by_kill_is_a_signal)
{
	static const char *const lines[] = {"/bin/kill -HUP $MAINPID",
		"kill -s SIGHUP ${MAINPID}", "/usr/bin/kill -1 $MAINPID"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char unit[128];

		(void)snprintf(unit, sizeof(unit),
			"[Service]\nExecStart=/bin/true\nExecReload=%s\n", lines[i]);
		import(IMPORT_SYSTEMD, "a.service", unit);
		has("    reload: {signal: SIGHUP}\n");
		done();
	}
}
END_TEST

START_TEST(limits_and_priorities_are_set)
{
	import(IMPORT_SYSTEMD, "a.service",
		"[Service]\nExecStart=/bin/true\nLimitNOFILE=01024:65536\nNice=5\nMemoryMax=1G\n");

	has("limits: {nofile: {soft: 1024, hard: 65536}}");
	has("priority: {nice: 5}");
	has("cgroup: {memory_max: 1GiB}");
	done();
}
END_TEST

START_TEST(the_tree_and_the_report_are_a_document)
{
	struct json *document;
	const struct json *one, *units;

	import(IMPORT_COMPOSE, "c.yaml",
		"services:\n  a: {command: x --n 5, ports: [1], environment: {N: 5}}\n  b: {image: y}\n");

	document = report_document(&im);
	units = json_get(json_get(document, "tree"), "units");
	ck_assert_int_eq(json_get_int(json_get(document, "tree"), "version", 0), 1);
	ck_assert_str_eq(json_get_text(json_get(json_get(units, "a"), "environment"), "N", ""), "5");
	one = json_first(json_get(document, "report"));
	ck_assert_str_eq(json_get_text(one, "kind", ""), "no_equal");
	ck_assert_str_eq(json_get_text(one, "file", ""), "c.yaml");
	ck_assert_int_eq(json_get_int(one, "line", 0), 2);
	ck_assert_str_eq(json_get_text(one, "unit", ""), "a");
	ck_assert_str_eq(json_get_text(one, "setting", ""), "ports");
	one = json_next(one);
	ck_assert_str_eq(json_get_text(one, "kind", ""), "refused");
	ck_assert_ptr_null(json_next(one));
	json_free(document);
	done();
}
END_TEST

/* ── without memory ── */

/* All files of all kinds, the n-th allocation failing: 0, or -ENOMEM; true when it was never come to. */
static bool without_memory(enum import_kind kind, const char *bytes, uint64_t n)
{
	struct json *document;
	bool came;
	int r;

	(void)alloc_fail_after(n);
	r = import_init(&im, kind);
	if (r == 0) {
		take("a@b.service", bytes);
		r = import_end(&im);
	}
	if (r == 0)
		import_write(&im, &yaml);
	document = r == 0 ? report_document(&im) : NULL;
	came = alloc_fail_after(0) == 0;
	ck_assert(r == 0 || r == -ENOMEM);
	/* cJSON says it by a document that does not print. */
	json_free(document);
	import_done(&im);
	text_done(&yaml);
	return !came;
}

START_TEST(without_memory_an_import_ends)
{
	static const char *const files[IMPORT_N] = {
		[IMPORT_SUPERVISORD] = FIXTURES "/supervisord/queue:queue.ini",
		[IMPORT_COMPOSE] = FIXTURES "/compose/shop:compose.yaml",
		[IMPORT_PROCFILE] = FIXTURES "/procfile/rails:Procfile",
		[IMPORT_SYSTEMD] = FIXTURES "/systemd/front:app.service"};
	char folder[128];
	char *name, *bytes;
	uint64_t n = 1;

	(void)snprintf(folder, sizeof(folder), "%s", files[_i]);
	name = strchr(folder, ':');
	*name++ = '\0';
	bytes = read_fixture(folder, name);
	while (!without_memory((enum import_kind)_i, bytes, n))
		n++;
	free(bytes);

	ck_assert_uint_gt(n, 100);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("import");
	TCase *tcase = tcase_create("import");

	test_leak_guard(tcase);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, files_become_the_tree_and_the_report_beside_them, 0, IMPORT_N);
	tcase_add_test(tcase, a_dollar_that_means_nothing_to_effd_stays_one);
	tcase_add_test(tcase, a_text_that_is_no_text_in_yaml_is_quoted);
	tcase_add_test(tcase, a_file_that_is_no_text_is_refused_with_its_line);
	tcase_add_test(tcase, a_file_that_cannot_be_parsed_is_refused_whole);
	tcase_add_test(tcase, processes_of_supervisord_are_not_more_than_anybody_has);
	tcase_add_test(tcase, what_is_set_twice_in_two_forms_is_what_was_set_last);
	tcase_add_test(tcase, units_that_wait_for_each_other_are_no_tree);
	tcase_add_test(tcase, what_calendar_and_cron_both_can_say_is_a_schedule);
	tcase_add_test(tcase, spans_of_systemd_are_durations);
	tcase_add_test(tcase, a_reload_by_kill_is_a_signal);
	tcase_add_test(tcase, limits_and_priorities_are_set);
	tcase_add_test(tcase, the_tree_and_the_report_are_a_document);
	tcase_add_loop_test(tcase, without_memory_an_import_ends, 0, IMPORT_N);
	suite_add_tcase(suite, tcase);
	return suite;
}
