/* SPDX-License-Identifier: MIT */
/* effctl top where there is no terminal: of two samples one table, whoever takes most first. */
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "effctl/command.h"
#include "fake/served.h"
#include "leak.h"
#include "wire/json.h"

Suite *test_suite(void);

#define UNIT(name, pid, cpu, memory) \
	"{\"name\":\"" name "\",\"kind\":\"process\",\"state\":\"up\",\"restarts\":0,\"pid\":" pid \
	",\"cpu_s\":" cpu ",\"memory_bytes\":" memory ",\"uptime_s\":60}"
#define SUPERVISOR "{\"name\":\"/\",\"kind\":\"supervisor\",\"state\":\"up\"}"
#define GONE "{\"name\":\"gone\",\"kind\":\"process\",\"state\":\"failed\",\"restarts\":3}"
#define STATUS(units) SERVED_REPLY("{\"units\":[" units "]}")

START_TEST(who_takes_most_is_first)
{
	served_play((struct served_step[]){
		{"Status", {STATUS(SUPERVISOR "," UNIT("a", "1", "null", "1024") "," GONE)}},
		{"Status",
			{STATUS(SUPERVISOR "," UNIT("a", "1", "null", "1024") "," GONE "," UNIT(
				"b", "2", "null", "2048"))}},
		{0}});

	ck_assert_int_eq(served_effctl("top"), CODE_DONE);

	ck_assert_str_eq(served_out,
		"3 units: 2 up, 1 in trouble; CPU 0.0%, memory 3.0KiB\n"
		"UNIT  STATE   PID  CPU  MEMORY  RESTARTS  UPTIME  CAUSE\n"
		"b     up      2    -    2.0KiB  0         1m      -\n"
		"a     up      1    -    1.0KiB  0         1m      -\n"
		"gone  failed  -    -    -       3         -       -\n");
}
END_TEST

static double percent_of(const struct json *document, const char *name)
{
	for (const struct json *v = json_first(json_get(document, "units")); v; v = json_next(v))
		if (strcmp(json_get_text(v, "name", ""), name) == 0)
			return json_get_number(v, "cpu_percent", -1);
	return -2;
}

/* It is what it has used since the sample before, and of the same process. */
START_TEST(a_share_is_of_one_process)
{
	struct json *document;

	served_play((struct served_step[]){
		{"Status", {STATUS(UNIT("same", "1", "10", "1") "," UNIT("new", "2", "10", "1"))}},
		{"Status",
			{STATUS(UNIT("new", "3", "11", "1") "," UNIT(
				"same", "1", "10.5", "1") "," UNIT("idle", "4", "5", "1"))}},
		{0}});

	ck_assert_int_eq(served_effctl("top --json"), CODE_DONE);

	ck_assert_int_eq(json_parse(served_out, strlen(served_out), 0, &document, NULL), 0);
	ck_assert(percent_of(document, "same") > 0 && percent_of(document, "same") <= 50);
	ck_assert_double_eq(percent_of(document, "new"), -1);
	ck_assert_double_eq(percent_of(document, "idle"), -1);
	json_free(document);
}
END_TEST

/* effd has made room for another, between two samples. */
START_TEST(who_was_closed_for_being_silent_asks_anew)
{
	served_play((struct served_step[]){{"Status", {STATUS(UNIT("a", "1", "null", "1024"))}},
		{SERVED_ANOTHER, {0}}, {"Status", {STATUS(UNIT("b", "1", "null", "1024"))}}, {0}});

	ck_assert_int_eq(served_effctl("top"), CODE_DONE);

	ck_assert_str_eq(served_err, "");
	ck_assert_ptr_nonnull(strstr(served_out, "\nb     up "));
}
END_TEST

START_TEST(who_was_silent_when_effd_ended_says_that_it_has_gone)
{
	served_goes = true;
	served_play((struct served_step[]){
		{"Status", {STATUS(UNIT("a", "1", "null", "1024"))}}, {0}});

	ck_assert_int_eq(served_effctl("top"), CODE_NO_DAEMON);

	served_goes = false;
	ck_assert_ptr_nonnull(strstr(served_err, " has gone"));
}
END_TEST

START_TEST(without_effd_it_says_so)
{
	ck_assert_int_eq(served_effctl("-s /nowhere/socket top"), CODE_NO_DAEMON);
	ck_assert_str_eq(served_out, "");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/effctl/top");
	TCase *tcase = tcase_create("top");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, served_open, served_close);
	tcase_add_test(tcase, who_takes_most_is_first);
	tcase_add_test(tcase, a_share_is_of_one_process);
	tcase_add_test(tcase, who_was_closed_for_being_silent_asks_anew);
	tcase_add_test(tcase, who_was_silent_when_effd_ended_says_that_it_has_gone);
	tcase_add_test(tcase, without_effd_it_says_so);
	suite_add_tcase(suite, tcase);
	return suite;
}
