/* SPDX-License-Identifier: MIT */
/* Pieces of a JSON text: what they give is what its tree has, and what is no JSON is found to be none. */
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
	struct json_walk walk;
	struct json_piece piece;

	walk_begin(&walk, text, strlen(text));
	piece = walk_take(&walk);
	ck_assert_int_eq(walk_end(&walk), 0);
	return piece;
}

static void same_value(const struct json *value, struct json_piece piece)
{
	struct json *copy = piece_read(piece);
	char *one = json_print(value), *other = json_print(copy);

	ck_assert_ptr_nonnull(copy);
	ck_assert_str_eq(one, other);
	free(one);
	free(other);
	json_free(copy);
}

/* The same members or elements, in their order, each with the same in it. */
static void same(const struct json *tree, struct json_walk *walk, unsigned depth)
{
	size_t at = walk_at(walk);
	struct json_piece key;

	ck_assert_uint_lt(depth, 32);
	if (!walk_enter(walk)) {
		same_value(tree, walk_take(walk));
		return;
	}
	for (const struct json *v = json_first(tree); v; v = json_next(v)) {
		ck_assert(walk_next(walk, &key));
		ck_assert_int_eq(key.len > 0, json_key(v) != NULL);
		if (json_key(v) && !memchr(key.text, '\\', key.len))
			ck_assert(key.len == strlen(json_key(v)) + 2 &&
				!memcmp(key.text + 1, json_key(v), key.len - 2));
		same(v, walk, depth + 1);
	}
	ck_assert(!walk_next(walk, &key));
	same_value(tree, walk_since(walk, at));
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
	struct json_walk walk;

	ck_assert_int_eq(json_parse(text, strlen(text), 0, &tree, NULL), 0);
	walk_begin(&walk, text, strlen(text));
	same(tree, &walk, 0);
	ck_assert_int_eq(walk_end(&walk), 0);
	json_free(tree);
}
END_TEST

START_TEST(what_is_not_taken_is_passed)
{
	static const char text[] = "{\"a\":[1,{\"b\":2}],\"c\":{\"d\":[],\"e\":\"]\",\"f\":3},\"g\":[4,[5],6]}";
	struct text seen = {0};
	struct json_piece key;
	struct json_walk walk;

	walk_begin(&walk, text, strlen(text));
	ck_assert_int_eq(walk_kind(&walk), '{');
	ck_assert(walk_enter(&walk));
	ck_assert(walk_next(&walk, &key)); /* "a" */
	ck_assert(walk_next(&walk, &key)); /* "c" */
	ck_assert(walk_enter(&walk));
	ck_assert(walk_next(&walk, &key)); /* "d" */
	ck_assert(walk_next(&walk, &key)); /* "e" */
	ck_assert(walk_next(&walk, &key)); /* "f" */
	ck_assert_double_eq(piece_number(walk_take(&walk)), 3);
	ck_assert_uint_eq(walk_take(&walk).len, 0);
	ck_assert(!walk_next(&walk, &key));
	ck_assert(walk_next(&walk, &key));
	ck_assert(piece_is(key, PIECE("g")));
	ck_assert(walk_enter(&walk));
	while (walk_next(&walk, &key)) {
		struct json_piece value = walk_kind(&walk) == '[' ? (struct json_piece){0}
								  : walk_take(&walk);

		text_add_bytes(&seen, value.text ? value.text : "", value.len);
	}
	ck_assert(!walk_next(&walk, &key));
	ck_assert_int_eq(walk_end(&walk), 0);
	ck_assert_str_eq(seen.bytes, "46");
	text_done(&seen);
}
END_TEST

START_TEST(a_piece_says_what_it_is)
{
	struct text text = {0};

	ck_assert(piece_is(piece("\"up\""), PIECE("up")));
	ck_assert(!piece_is(piece("\"up\""), PIECE("u")));
	ck_assert(!piece_is(piece("\"up\""), PIECE("upper")));
	ck_assert(!piece_is(piece("\"up\""), PIECE("")));
	ck_assert(piece_is(piece("\"\""), PIECE("")));
	ck_assert(!piece_is(piece("12"), PIECE("12")));
	ck_assert(piece_is_null(piece("null")));
	ck_assert(piece_is_null((struct json_piece){0}));
	ck_assert(!piece_is_null(piece("\"null\"")));
	ck_assert_double_eq(piece_number(piece("12.5")), 12.5);
	ck_assert_double_eq(piece_number(piece("-1")), -1);
	ck_assert_double_eq(piece_number(piece("0.1")), 0.1);
	ck_assert_double_eq(piece_number(piece("572.245")), 572.245);
	ck_assert_double_eq(piece_number(piece("99999999999999.9")), 99999999999999.9);
	ck_assert_double_eq(piece_number(piece("1234567890123456789")), 1234567890123456789.0);
	ck_assert_double_eq(piece_number(piece("1.5e3")), 1500);
	ck_assert_double_eq(piece_number(piece("1E-3")), 1e-3);
	ck_assert_double_eq(piece_number(piece("\"1\"")), -1);
	ck_assert_double_eq(piece_number(piece("null")), -1);
	piece_add(&text, piece("\"a b\""));
	piece_add(&text, piece("17"));
	piece_add(&text, piece("\"\\u0041\\\"\""));
	ck_assert_str_eq(text.bytes, "a bA\"");
	text_done(&text);
}
END_TEST

static const char *const bad[] = {"", " ", "{", "[1", "{\"a\"}", "\"", "[1,]", "{} x", "\"\\\"",
	"[[1}]", "{\"a\":1,}", "[1 2]", "[\"\xff\"]", "[{\"a\":[1,{\"b\":nul}]}]"};

/* Into all that there is, or past it: whichever, its end tells. */
START_TEST(a_walk_through_what_is_no_json_ends_with_an_error)
{
	for (int deep = 0; deep < 2; deep++) {
		struct json_walk walk;
		struct json_piece key;
		unsigned open = 0;

		walk_begin(&walk, bad[_i], strlen(bad[_i]));
		open = deep && walk_enter(&walk);
		while (open > 0)
			if (!walk_next(&walk, &key))
				open--;
			else
				open += walk_enter(&walk);
		ck_assert_int_eq(walk_end(&walk), -EBADMSG);
		ck_assert_uint_eq(walk_take(&walk).len, 0);
		ck_assert(!walk_enter(&walk));
	}
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("json_piece");
	TCase *tcase = tcase_create("json_piece");

	test_leak_guard(tcase);
	tcase_add_loop_test(tcase, pieces_are_what_the_tree_has, 0,
		(int)(sizeof(documents) / sizeof(documents[0])));
	tcase_add_test(tcase, what_is_not_taken_is_passed);
	tcase_add_test(tcase, a_piece_says_what_it_is);
	tcase_add_loop_test(tcase, a_walk_through_what_is_no_json_ends_with_an_error, 0,
		(int)(sizeof(bad) / sizeof(bad[0])));
	suite_add_tcase(suite, tcase);
	return suite;
}
