/* SPDX-License-Identifier: MIT */
/* Pieces of a JSON text: what they give is what its tree has. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/text.h"
#include "leak.h"
#include "wire/json.h"
#include "wire/json_piece.h"

Suite *test_suite(void);

static struct json_piece piece(const char *text)
{
	struct json_piece piece;

	ck_assert_int_eq(piece_check(text, strlen(text), &piece), 0);
	return piece;
}

/* The same members or elements, in their order, each with the same in it. */
static void same(const struct json *tree, struct json_piece whole, unsigned depth)
{
	struct json_piece inside = piece_inside(whole), key, value;

	ck_assert_uint_lt(depth, 32);
	for (const struct json *v = json_first(tree); v; v = json_next(v)) {
		struct json *copy;
		char *one, *other;

		ck_assert(piece_next(&inside, &key, &value));
		ck_assert_int_eq(key.len > 0, json_key(v) != NULL);
		if (json_key(v) && !memchr(key.text, '\\', key.len))
			ck_assert(piece_is(key, json_key(v)));
		copy = piece_read(value);
		ck_assert_ptr_nonnull(copy);
		one = json_print(v);
		other = json_print(copy);
		ck_assert_str_eq(one, other);
		free(one);
		free(other);
		json_free(copy);
		same(v, value, depth + 1);
	}
	ck_assert(!piece_next(&inside, &key, &value));
}

static const char *const documents[] = {"{}", "[]", "1", "null", "\"\"", " { } ",
	"[[],{},[{}]]", "{\"a\":1,\"b\":[1,2,3],\"c\":{\"d\":null}}",
	" { \"a\" : 1 , \"b\" : [ 1 , 2.5e3 , -3 ] ,\n\t\"c\" : { \"d\" : true } } ",
	"{\"a\":\"]}\",\"b\":\"\\\"\",\"c\":\"\\\\\",\"d\":\"a\\\\\\\"}{\",\"e\":[\"\",\"\\\\\"]}",
	"[\"\\u0061\",{\"\\u0061\":\"x\"},\"\xc3\xa4\"]", "[1]", "[\"a\"]", "{\"\":\"\"}",
	"[true,false,null,0,-0.5,[\"[\",\"{\"],{\"]\":\"}\"}]"};

START_TEST(pieces_are_what_the_tree_has)
{
	const char *text = documents[_i];
	struct json *tree = NULL;

	ck_assert_int_eq(json_parse(text, strlen(text), 0, &tree, NULL), 0);
	same(tree, piece(text), 0);
	json_free(tree);
}
END_TEST

START_TEST(a_member_is_found_by_its_key)
{
	struct json_piece whole = piece("{\"xab\":0,\"a\":{\"ab\":1},\"ab\":2,\"abc\":3,\"\":4}");

	ck_assert_double_eq(piece_number(piece_get(whole, "ab")), 2);
	ck_assert_double_eq(piece_number(piece_get(piece_get(whole, "a"), "ab")), 1);
	ck_assert_double_eq(piece_number(piece_get(whole, "")), 4);
	ck_assert_uint_eq(piece_get(whole, "b").len, 0);
	ck_assert_uint_eq(piece_get(piece("[\"ab\",2]"), "ab").len, 0);
	ck_assert_uint_eq(piece_get((struct json_piece){0}, "ab").len, 0);
}
END_TEST

START_TEST(a_piece_says_what_it_is)
{
	struct text text = {0};

	ck_assert(piece_is(piece("\"up\""), "up"));
	ck_assert(!piece_is(piece("\"up\""), "u"));
	ck_assert(!piece_is(piece("\"up\""), "upper"));
	ck_assert(!piece_is(piece("\"up\""), ""));
	ck_assert(piece_is(piece("\"\""), ""));
	ck_assert(!piece_is(piece("12"), "1"));
	ck_assert(piece_is_null(piece("null")));
	ck_assert(piece_is_null((struct json_piece){0}));
	ck_assert(!piece_is_null(piece("\"null\"")));
	ck_assert_double_eq(piece_number(piece("12.5")), 12.5);
	ck_assert_double_eq(piece_number(piece("-1")), -1);
	ck_assert_double_eq(piece_number(piece("\"1\"")), -1);
	ck_assert_double_eq(piece_number(piece("null")), -1);
	piece_add(&text, piece("\"a b\""));
	piece_add(&text, piece("17"));
	piece_add(&text, piece("\"\\u0041\\\"\""));
	ck_assert_str_eq(text.bytes, "a bA\"");
	text_done(&text);
}
END_TEST

START_TEST(what_is_no_json_is_no_piece)
{
	static const char *const bad[] = {
		"", " ", "{", "[1", "{\"a\"}", "\"", "[1,]", "{} x", "\"\\\""};
	struct json_piece unused;

	ck_assert_int_eq(piece_check(bad[_i], strlen(bad[_i]), &unused), -EBADMSG);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("json_piece");
	TCase *tcase = tcase_create("json_piece");

	test_leak_guard(tcase);
	tcase_add_loop_test(tcase, pieces_are_what_the_tree_has, 0,
		(int)(sizeof(documents) / sizeof(documents[0])));
	tcase_add_test(tcase, a_member_is_found_by_its_key);
	tcase_add_test(tcase, a_piece_says_what_it_is);
	tcase_add_loop_test(tcase, what_is_no_json_is_no_piece, 0, 9);
	suite_add_tcase(suite, tcase);
	return suite;
}
