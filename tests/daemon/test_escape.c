/* SPDX-License-Identifier: MIT */
/* What others wrote, made fit for a terminal and for JSON. */
#include <string.h>

#include <check.h>

#include "base/text.h"
#include "wire/escape.h"
#include "wire/json.h"

Suite *test_suite(void);

static const struct {
	const char *bytes;
	size_t len;
	const char *shown, *as_utf8;
} rows[] = {
	{"", 0, "", ""},
	{"plain", 5, "plain", "plain"},
	{"gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
	{"a\x1b[31mb", 7, "a\\x1B[31mb", "a\x1b[31mb"},
	{"\t|\n|\x7f", 5, "\\x09|\\x0A|\\x7F", "\t|\n|\x7f"},
	{"x\xff\xfe", 3, "x\\xFF\\xFE", "x\\xFF\\xFE"},
	{"\xe2\x82", 2, "\\xE2\\x82", "\\xE2\\x82"},
	{"\xc2\x9b"
	 "31m",
		5, "\\xC2\\x9B31m",
		"\xc2\x9b"
		"31m"},
	{"\xc2\xa0", 2, "\xc2\xa0", "\xc2\xa0"},
	{"a\0b", 3, "a\\x00b", NULL},
	{"back\\slash", 10, "back\\slash", "back\\slash"},
	{"\"quoted\"", 8, "\"quoted\"", "\"quoted\""},
	{"\"\\\x1b\xff\"", 5, "\"\\\\x1B\\xFF\"", "\"\\\x1b\\xFF\""},
};

START_TEST(controls_and_strange_bytes_are_shown_as_hexadecimal)
{
	struct text text = {0};
	struct text twice = {0};

	escape_bytes(&text, rows[_i].bytes, rows[_i].len);
	ck_assert_str_eq(text.len ? text.bytes : "", rows[_i].shown);
	escape_bytes(&twice, text.len ? text.bytes : "", text.len);
	ck_assert_str_eq(twice.len ? twice.bytes : "", rows[_i].shown);
	text_done(&text);
	text_done(&twice);
}
END_TEST

START_TEST(for_json_only_strange_bytes_are)
{
	struct text text = {0};

	if (!rows[_i].as_utf8)
		return;
	escape_no_utf8(&text, rows[_i].bytes, rows[_i].len);
	ck_assert_str_eq(text.len ? text.bytes : "", rows[_i].as_utf8);
	text_done(&text);
}
END_TEST

/* Between quotes it is JSON again, and the same as escape_bytes() makes of it. */
START_TEST(within_json_it_is_the_same_text)
{
	struct text quoted = {0}, wanted = {0};
	struct json *value = NULL;

	text_add(&quoted, "{\"text\":\"");
	escape_json(&quoted, rows[_i].bytes, rows[_i].len);
	text_add(&quoted, "\"}");
	escape_bytes(&wanted, rows[_i].bytes, rows[_i].len);
	ck_assert_int_eq(json_parse(quoted.bytes, quoted.len, 10, &value, NULL), 0);
	ck_assert_str_eq(json_get_text(value, "text", "none"), wanted.len ? wanted.bytes : "");
	json_free(value);
	text_done(&quoted);
	text_done(&wanted);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("escape");
	TCase *tcase = tcase_create("escape");

	tcase_add_loop_test(tcase, controls_and_strange_bytes_are_shown_as_hexadecimal, 0,
		sizeof(rows) / sizeof(*rows));
	tcase_add_loop_test(
		tcase, for_json_only_strange_bytes_are, 0, sizeof(rows) / sizeof(*rows));
	tcase_add_loop_test(
		tcase, within_json_it_is_the_same_text, 0, sizeof(rows) / sizeof(*rows));
	suite_add_tcase(suite, tcase);
	return suite;
}
