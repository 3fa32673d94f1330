/* SPDX-License-Identifier: MIT */
/* Calls read strictly, parameters held to the tables, and the interface told to whoever asks. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/alloc.h"
#include "leak.h"
#include "wire/varlink.h"

Suite *test_suite(void);

START_TEST(a_call_is_read_whole)
{
	static const char text[] =
		"{\"method\":\"org.effd.Control.Status\",\"parameters\":{\"units\":[\"web\"]},\"more\":true}";
	struct call call;
	struct json_error error;

	ck_assert_int_eq(call_read(text, strlen(text), &call, &error), 0);

	ck_assert_str_eq(call.method, "org.effd.Control.Status");
	ck_assert(call.more && !call.oneway);
	ck_assert_uint_eq(json_count(json_get(call.parameters, "units")), 1);
	ck_assert_int_eq(call_interface_len(call.method), (int)strlen(EFFD_INTERFACE));
	ck_assert_int_eq(call_interface_len("Status"), -EINVAL);
	call_done(&call);
}
END_TEST

START_TEST(what_is_no_call_is_refused_with_a_reason)
{
	static const struct {
		const char *text, *what;
	} rows[] = {
		{"[]", "a call must be an object"},
		{"{}", "`method` is missing"},
		{"{\"method\":1}", "`method` must be a text"},
		{"{\"method\":\"a.B\",\"parameters\":[]}", "`parameters` must be an object"},
		{"{\"method\":\"a.B\",\"more\":1}", "`more` must be true or false"},
		{"{\"method\":\"a.B\",\"oneway\":null}", "`oneway` must be true or false"},
		{"{\"method\":\"a.B\",\"upgrade\":true}",
			"a call has only `method`, `parameters`, `more` and `oneway`"},
		{"{\"method\":\"a.B\",\"more\":true,\"oneway\":true}",
			"`more` and `oneway` exclude each other"},
		{"{\"method\":\"a.B\",\"method\":\"a.C\"}", "a key twice"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct json_error error = {0};
		struct call call;

		ck_assert_int_eq(
			call_read(rows[i].text, strlen(rows[i].text), &call, &error), -EBADMSG);
		ck_assert_str_eq(error.what, rows[i].what);
		call_done(&call);
	}
}
END_TEST

static int check(enum method method, const char *text, const char **ret_parameter)
{
	static char name[64];
	struct json *parameters = NULL;
	const char *parameter = "";
	int r;

	ck_assert_int_eq(json_parse(text, strlen(text), 0, &parameters, NULL), 0);
	r = method_check(method, parameters, &parameter);
	strncpy(name, parameter, sizeof(name) - 1);
	*ret_parameter = name;
	json_free(parameters);
	return r;
}

START_TEST(parameters_are_held_to_the_table)
{
	static const struct {
		enum method method;
		int r;
		const char *text, *parameter;
	} rows[] = {
		{METHOD_STATUS, 0, "{}", ""},
		{METHOD_STATUS, 0, "{\"units\":null}", ""},
		{METHOD_STATUS, 0, "{\"units\":[\"a\",\"b\"]}", ""},
		{METHOD_STATUS, -EINVAL, "{\"units\":\"a\"}", "units"},
		{METHOD_STATUS, -EINVAL, "{\"units\":[\"a\",1]}", "units"},
		{METHOD_STATUS, -EINVAL, "{\"unit\":[\"a\"]}", "unit"},
		{METHOD_STOP, 0, "{\"units\":[],\"now\":true,\"wait\":false,\"timeout_s\":1.5}", ""},
		{METHOD_STOP, -EINVAL, "{\"now\":true}", "units"},
		{METHOD_STOP, -EINVAL, "{\"units\":null}", "units"},
		{METHOD_STOP, -EINVAL, "{\"units\":[],\"timeout_s\":-1}", "timeout_s"},
		{METHOD_LOGS, 0, "{\"lines\":10}", ""},
		{METHOD_LOGS, -EINVAL, "{\"lines\":1.5}", "lines"},
		{METHOD_LOGS, -EINVAL, "{\"follow\":\"yes\"}", "follow"},
		{METHOD_PING, -EINVAL, "{\"x\":null}", "x"},
		{METHOD_EXPLAIN, -EINVAL, "{}", "unit"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *parameter;

		ck_assert_int_eq(check(rows[i].method, rows[i].text, &parameter), rows[i].r);
		ck_assert_str_eq(parameter, rows[i].parameter);
	}
	ck_assert_int_eq(method_check(METHOD_PING, NULL, &(const char *){NULL}), 0);
}
END_TEST

START_TEST(methods_and_errors_are_found_by_name)
{
	for (int i = 0; i < METHOD_N; i++)
		ck_assert_int_eq(method_find(method_row((enum method)i)->name), i);
	for (int i = 0; i < ERROR_N; i++)
		ck_assert_int_eq(error_find(error_row((enum control_error)i)->name), i);
	ck_assert_int_eq(method_find("status"), -ENOENT);
	ck_assert_int_eq(error_find("NoSuchUnit"), -ENOENT);
}
END_TEST

START_TEST(readers_may_look_but_not_touch)
{
	static const char readers[] = "Status Events Explain Wait Plan Logs Ping Version";

	for (int i = 0; i < METHOD_N; i++) {
		const struct method_row *row = method_row((enum method)i);

		ck_assert_msg((strstr(readers, row->name) != NULL) == (row->who == METHOD_READERS),
			"%s", row->name);
	}
}
END_TEST

static void expect_text(struct json *message, const char *text)
{
	char *got = json_print(message);

	ck_assert_ptr_nonnull(got);
	ck_assert_str_eq(got, text);
	free(got);
	json_free(message);
}

START_TEST(messages_have_varlinks_form)
{
	expect_text(varlink_call("a.B", NULL, false), "{\"method\":\"a.B\"}");
	expect_text(varlink_call("a.B", json_object(), true),
		"{\"method\":\"a.B\",\"more\":true,\"parameters\":{}}");
	expect_text(varlink_reply(NULL, false), "{\"parameters\":{}}");
	expect_text(varlink_reply(json_object(), true), "{\"continues\":true,\"parameters\":{}}");
	expect_text(varlink_error("a.E", NULL), "{\"error\":\"a.E\",\"parameters\":{}}");
	expect_text(varlink_service_error("MethodNotFound", "method", "a.B"),
		"{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"a.B\"}}");
	expect_text(varlink_service_error("ExpectedMore", NULL, NULL),
		"{\"error\":\"org.varlink.service.ExpectedMore\",\"parameters\":{}}");
}
END_TEST

START_TEST(a_message_without_memory_is_none_and_its_parameters_are_freed)
{
	for (uint64_t n = 1; n < 4; n++) {
		struct json *parameters = json_object();

		alloc_fail_after(n);
		json_free(varlink_error("a.E", parameters));
		alloc_fail_after(0);
	}
	alloc_fail_after(1);
	ck_assert_ptr_null(varlink_reply(NULL, true));
}
END_TEST

static bool has_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	return at && (at == text || at[-1] == '\n') && at[strlen(line)] == '\n';
}

START_TEST(the_description_has_every_method_with_its_types)
{
	char *text = varlink_control_text();

	ck_assert(has_line(text, "interface org.effd.Control"));
	ck_assert(has_line(text, "method Status(units: ?[]string) -> (units: []Status)"));
	ck_assert(has_line(text, "method Ping() -> ()"));
	ck_assert(has_line(text,
		"method Stop(units: []string, wait: ?bool, timeout_s: ?float, now: ?bool) -> (units: []Result)"));
	ck_assert(has_line(text, "error NoSuchUnit (unit: string, nearest: ?string)"));
	for (int i = 0; i < METHOD_N; i++) {
		char head[64];

		(void)snprintf(head, sizeof(head), "\nmethod %s(", method_row((enum method)i)->name);
		ck_assert_msg(strstr(text, head) != NULL, "%s", head);
	}
	free(text);
}
END_TEST

START_TEST(both_interfaces_are_described_and_no_other)
{
	struct json *info = varlink_info();
	size_t n = 0;

	for (struct json *v = json_first(json_get(info, "interfaces")); v; v = json_next(v), n++) {
		struct json *answer = varlink_description(json_as_text(v));

		ck_assert_ptr_nonnull(
			strstr(json_get_text(answer, "description", ""), json_as_text(v)));
		json_free(answer);
	}
	ck_assert_uint_eq(n, 2);
	ck_assert_ptr_null(varlink_description("org.effd.Other"));
	json_free(info);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("varlink");
	TCase *tcase = tcase_create("varlink");

	test_leak_guard(tcase);
	tcase_add_test(tcase, a_call_is_read_whole);
	tcase_add_test(tcase, what_is_no_call_is_refused_with_a_reason);
	tcase_add_test(tcase, parameters_are_held_to_the_table);
	tcase_add_test(tcase, methods_and_errors_are_found_by_name);
	tcase_add_test(tcase, readers_may_look_but_not_touch);
	tcase_add_test(tcase, messages_have_varlinks_form);
	tcase_add_test(tcase, a_message_without_memory_is_none_and_its_parameters_are_freed);
	tcase_add_test(tcase, the_description_has_every_method_with_its_types);
	tcase_add_test(tcase, both_interfaces_are_described_and_no_other);
	suite_add_tcase(suite, tcase);
	return suite;
}
