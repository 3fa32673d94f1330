/* SPDX-License-Identifier: MIT */
/* What is taken for JSON and what is not, with the very byte; what is built and how it prints. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/alloc.h"
#include "base/text.h"
#include "leak.h"
#include "wire/json.h"

Suite *test_suite(void);

static struct json *parsed(const char *text)
{
	struct json *value = NULL;

	ck_assert_int_eq(json_parse(text, strlen(text), 0, &value, NULL), 0);
	return value;
}

static const struct {
	const char *text;
	size_t len; /* 0: up to the NUL */
	size_t offset;
	const char *what;
} bad[] = {
	{"", 0, 0, "the text ends too early"},
	{"  ", 0, 2, "the text ends too early"},
	{"{\"a\":1", 0, 6, "the text ends too early"},
	{"nul", 0, 0, "a value is expected"},
	{"True", 0, 0, "a value is expected"},
	{"[1,]", 0, 3, "a value is expected"},
	{"{\"a\":1,}", 0, 7, "a key is expected"},
	{"{a:1}", 0, 1, "a key is expected"},
	{"{\"a\" 1}", 0, 5, "a colon is expected"},
	{"[1 2]", 0, 3, "a comma or ] is expected"},
	{"{\"a\":1]", 0, 6, "a comma or } is expected"},
	{"[1}", 0, 2, "a comma or ] is expected"},
	{"{} x", 0, 3, "text after the end"},
	{"{}\0", 3, 2, "a NUL"},
	{"[\0]", 3, 1, "a NUL"},
	{"\"a\0b\"", 5, 2, "a NUL"},
	{"\"a\tb\"", 0, 2, "a control character in a text"},
	{"\"a", 0, 2, "a text without its end"},
	{"\"a\\\"", 0, 4, "a text without its end"},
	{"\"a\\x41\"", 0, 2, "no such escape"},
	{"\"\\u12g4\"", 0, 1, "no such escape"},
	{"\"\\u0000\"", 0, 1, "a NUL"},
	{"\"\\ud800\"", 0, 1, "a lone surrogate"},
	{"\"\\ud800\\u0041\"", 0, 1, "a lone surrogate"},
	{"\"\\udc00\"", 0, 1, "a lone surrogate"},
	{"\"\xff\"", 0, 1, "not UTF-8"},
	{"\"\xc0\xaf\"", 0, 1, "not UTF-8"},
	{"\"\xed\xa0\x80\"", 0, 1, "not UTF-8"},
	{"[\"\xe2\x82\"]", 0, 2, "not UTF-8"},
	{"[1e999]", 0, 1, "a number too large"},
	{"-1e999", 0, 0, "a number too large"},
	{"01", 0, 1, "text after the end"},
	{"1.", 0, 2, "a digit is missing"},
	{"1e", 0, 2, "a digit is missing"},
	{"-", 0, 1, "a digit is missing"},
	{"+1", 0, 0, "a value is expected"},
	{".5", 0, 0, "a value is expected"},
	{"NaN", 0, 0, "a value is expected"},
	{"1111111111111111111111111111111111111111111111111111111111111111", 0, 0,
		"a number too long"},
	{"{\"a\":1,\"b\":2,\"a\":3}", 0, 13, "a key twice"},
	{"[{\"x\":{\"a\":1}},{\"a\":{\"b\":1,\"b\":2}}]", 0, 27, "a key twice"},
	{"{\"a\":1,\"\\u0061\":2}", 0, 7, "a key twice"},
	{"\xef\xbb\xbf{}", 0, 0, "a value is expected"},
};

START_TEST(what_is_no_json_is_refused_at_the_very_byte)
{
	size_t len = bad[_i].len ? bad[_i].len : strlen(bad[_i].text);
	struct json_error error = {0};
	struct json *value = NULL;

	ck_assert_int_eq(json_parse(bad[_i].text, len, 0, &value, &error), -EBADMSG);

	ck_assert_ptr_null(value);
	ck_assert_str_eq(error.what, bad[_i].what);
	ck_assert_uint_eq(error.offset, bad[_i].offset);
}
END_TEST

START_TEST(a_document_ends_where_its_length_says)
{
	static const char *const texts[] = {"1", "-0.5e-3", "true", "null", "\"\"", "[]", "{}",
		" [ 1 , 2 ] ", "{\"\":0}", "\"\\ud83d\\ude00\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		size_t len = strlen(texts[i]);
		char *copy = malloc(len); /* no NUL: a read beyond is seen */
		struct json *value = NULL;

		memcpy(copy, texts[i], len);
		ck_assert_msg(!json_parse(copy, len, 0, &value, NULL), "%s", texts[i]);
		json_free(value);
		free(copy);
	}
}
END_TEST

/* `n` times `open`, and as many `close`. */
static struct text nested(size_t n, const char *open, const char *close)
{
	struct text text = {0};

	for (size_t i = 0; i < n; i++)
		text_add(&text, open);
	text_add(&text, "1");
	for (size_t i = 0; i < n; i++)
		text_add(&text, close);
	return text;
}

START_TEST(depth_is_32_and_no_more)
{
	struct json_error error;
	struct json *value = NULL;
	struct text text = nested(32, "{\"a\":", "}");

	ck_assert_int_eq(json_parse(text.bytes, text.len, 0, &value, NULL), 0);
	json_free(value);
	text_done(&text);
	text = nested(100000, "[", "]");
	ck_assert_int_eq(json_parse(text.bytes, text.len, 0, &value, &error), -EBADMSG);
	ck_assert_uint_eq(error.offset, 32);
	ck_assert_str_eq(error.what, "nested too deep");
	text_done(&text);
}
END_TEST

START_TEST(the_number_of_values_can_be_bounded)
{
	struct json_error error;
	struct json *value = NULL;

	ck_assert_int_eq(json_parse("[1,2,3]", 7, 4, &value, NULL), 0);
	json_free(value);
	ck_assert_int_eq(json_parse("[1,2,3]", 7, 3, &value, &error), -EBADMSG);
	ck_assert_str_eq(error.what, "too many values");
	ck_assert_uint_eq(error.offset, 5);
}
END_TEST

/* Also where keys are many enough to be looked for in another way. */
START_TEST(a_key_twice_is_found_at_any_place_and_no_other_is)
{
	struct json_error error;
	struct json *value = NULL;
	struct text text = {0};
	size_t offset;

	for (int n = 1; n <= 80; n++) {
		for (int twice = 0; twice <= n; twice++) {
			for (int i = 0; i < n; i++)
				text_printf(&text, "%s\"k%d\":%d", i ? "," : "{", i, i);
			offset = text.len + 1;
			if (twice < n)
				text_printf(&text, ",\"k%d\":0", twice);
			text_add(&text, "}");
			ck_assert_int_eq(json_parse(text.bytes, text.len, 0, &value, &error),
				twice < n ? -EBADMSG : 0);
			if (twice < n)
				ck_assert_uint_eq(error.offset, offset);
			else
				json_free(value);
			text_done(&text);
		}
	}
}
END_TEST

START_TEST(a_key_twice_is_found_among_a_hundred_thousand)
{
	struct json_error error;
	struct json *value = NULL;
	struct text text = {0};
	size_t offset;

	text_add(&text, "{");
	for (int i = 0; i < 100000; i++)
		text_printf(&text, "\"k%d\":{\"k\":0},", i);
	offset = text.len;
	text_add(&text, "\"k77\":1}");

	ck_assert_int_eq(json_parse(text.bytes, text.len, 0, &value, &error), -EBADMSG);

	ck_assert_str_eq(error.what, "a key twice");
	ck_assert_uint_eq(error.offset, offset);
	text_done(&text);
}
END_TEST

START_TEST(what_is_built_prints_in_order)
{
	struct json *object = json_object();
	struct json *array = json_array();
	char *text;

	(void)json_add(array, json_int(-7));
	(void)json_add(array, json_number(0.25));
	(void)json_add(array, json_int(INT64_C(4503599627370497)));
	(void)json_set(object, "a", array);
	(void)json_set(object, "t", json_text("x\"\\\n\x01y"));
	(void)json_set(object, "b", json_bool(true));
	(void)json_set(object, "n", json_null());
	(void)json_set(object, "none", json_text(NULL));
	(void)json_set(object, "nan", json_number(NAN));
	(void)json_set(object, "inf", json_number(-INFINITY));

	text = json_print(object);

	ck_assert_str_eq(text,
		"{\"a\":[-7,0.25,4503599627370497],\"t\":\"x\\\"\\\\\\n\\u0001y\",\"b\":true,\"n\":null,"
		"\"none\":null,\"nan\":null,\"inf\":null}");
	free(text);
	json_free(object);
}
END_TEST

START_TEST(bytes_that_are_no_utf8_become_hexadecimal)
{
	struct json *value = json_text_bytes("a\xff\xe2\x82z\xc3\xa4", 7);
	char *text = json_print(value);

	ck_assert_str_eq(text, "\"a\\\\xFF\\\\xE2\\\\x82z\xc3\xa4\"");
	free(text);
	json_free(value);
}
END_TEST

START_TEST(members_are_read_by_key_and_type)
{
	struct json *v = parsed(
		"{\"t\":\"x\",\"i\":3,\"d\":2.5,\"b\":true,\"z\":null,\"a\":[1,2],\"big\":1e300}");

	ck_assert_str_eq(json_get_text(v, "t", "-"), "x");
	ck_assert_str_eq(json_get_text(v, "i", "-"), "-");
	ck_assert_int_eq(json_get_int(v, "i", -1), 3);
	ck_assert_int_eq(json_get_int(v, "d", -1), -1);
	ck_assert_int_eq(json_get_int(v, "big", -1), -1);
	ck_assert_double_eq(json_get_number(v, "d", 0), 2.5);
	ck_assert(json_get_bool(v, "b", false));
	ck_assert(!json_get_bool(v, "i", false));
	ck_assert_int_eq(json_type(json_get(v, "z")), JSON_NULL);
	ck_assert_int_eq(json_type(json_get(v, "T")), JSON_NONE);
	ck_assert_uint_eq(json_count(json_get(v, "a")), 2);
	ck_assert_str_eq(json_key(json_first(v)), "t");
	ck_assert_ptr_null(json_get(json_get(v, "a"), "t"));
	ck_assert_ptr_null(json_first(NULL));
	json_free(v);
}
END_TEST

START_TEST(a_member_taken_out_is_the_callers)
{
	static const char *const left[] = {
		"{\"b\":2,\"c\":3}", "{\"a\":1,\"c\":3}", "{\"a\":1,\"b\":2}"};
	char key[2] = {(char)('a' + _i), '\0'};
	struct json *v = parsed("{\"a\":1,\"b\":2,\"c\":3}");
	struct json *taken = json_take(v, key);
	char *text = json_print(v);

	ck_assert_str_eq(text, left[_i]);
	free(text);
	ck_assert_ptr_null(json_take(v, key));
	/* It goes elsewhere, and what it left still grows at its end. */
	ck_assert_int_eq(json_set(v, "z", taken), 0);
	ck_assert_int_eq(json_get_int(v, "z", 0), _i + 1);
	ck_assert_uint_eq(json_count(v), 3);
	json_free(v);
}
END_TEST

/* Build and print one document. NULL when memory ran out. */
static char *build(void)
{
	struct json *object = json_object();
	struct json *array = json_array();
	struct json *inner = json_object();
	char *text;

	(void)json_set(inner, "text", json_text("a"));
	(void)json_add(array, inner);
	(void)json_set(object, "array", array);
	(void)json_set(object, "last", json_int(1));
	text = json_print(object);
	json_free(object);
	return text;
}

/* What is added to a whole that is gone is freed with it; the sweep runs under the sanitizers. */
START_TEST(whatever_allocation_fails_nothing_half_built_prints)
{
	uint64_t n = 1;
	char *text;

	for (;; n++) {
		alloc_fail_after(n);
		text = build();
		if (text)
			break;
	}
	alloc_fail_after(0);

	ck_assert_str_eq(text, "{\"array\":[{\"text\":\"a\"}],\"last\":1}");
	ck_assert_uint_gt(n, 8);
	free(text);
}
END_TEST

START_TEST(a_long_array_is_built_and_read_in_linear_time)
{
	struct json *array = json_array();
	struct json *again = NULL;
	char *text;

	for (int i = 0; i < 300000; i++)
		(void)json_add(array, json_int(i % 10));
	text = json_print(array);
	ck_assert_int_eq(json_parse(text, strlen(text), 0, &again, NULL), 0);

	ck_assert_uint_eq(json_count(again), 300000);
	free(text);
	json_free(array);
	json_free(again);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("json");
	TCase *tcase = tcase_create("json");

	test_leak_guard(tcase);
	tcase_add_loop_test(tcase, what_is_no_json_is_refused_at_the_very_byte, 0,
		sizeof(bad) / sizeof(*bad));
	tcase_add_test(tcase, a_document_ends_where_its_length_says);
	tcase_add_test(tcase, depth_is_32_and_no_more);
	tcase_add_test(tcase, the_number_of_values_can_be_bounded);
	tcase_add_test(tcase, a_key_twice_is_found_at_any_place_and_no_other_is);
	tcase_add_test(tcase, a_key_twice_is_found_among_a_hundred_thousand);
	tcase_add_test(tcase, what_is_built_prints_in_order);
	tcase_add_test(tcase, bytes_that_are_no_utf8_become_hexadecimal);
	tcase_add_test(tcase, members_are_read_by_key_and_type);
	tcase_add_loop_test(tcase, a_member_taken_out_is_the_callers, 0, 3);
	tcase_add_test(tcase, whatever_allocation_fails_nothing_half_built_prints);
	tcase_add_test(tcase, a_long_array_is_built_and_read_in_linear_time);
	suite_add_tcase(suite, tcase);
	return suite;
}
