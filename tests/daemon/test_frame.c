/* SPDX-License-Identifier: MIT */
/* Messages out of bytes in whatever pieces, and bytes out of messages. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/alloc.h"
#include "base/text.h"
#include "leak.h"
#include "wire/frame.h"
#include "wire/json.h"

Suite *test_suite(void);

static void feed(struct frame_in *in, const char *bytes, size_t n)
{
	while (n) {
		char *room;
		size_t size;

		ck_assert_int_eq(frame_in_room(in, &room, &size), 0);
		ck_assert_uint_gt(size, 0);
		size = size < n ? size : n;
		memcpy(room, bytes, size);
		frame_in_came(in, size);
		bytes += size;
		n -= size;
	}
}

static void expect(struct frame_in *in, const char *text)
{
	char *got = NULL;
	size_t len = 0;

	ck_assert_int_eq(frame_in_next(in, &got, &len), 1);
	ck_assert_uint_eq(len, strlen(text));
	ck_assert_str_eq(got, text);
}

static void expect_none(struct frame_in *in)
{
	char *got;
	size_t len;

	ck_assert_int_eq(frame_in_next(in, &got, &len), 0);
}

START_TEST(a_message_in_single_bytes_is_whole_at_its_nul)
{
	static const char bytes[] = "{\"method\":\"a.B\"}";
	struct frame_in in;

	frame_in_init(&in, FRAME_LIMIT);
	ck_assert(!frame_in_is_partial(&in));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		expect_none(&in);
		feed(&in, bytes + i, 1);
		ck_assert(frame_in_is_partial(&in));
	}

	expect(&in, bytes);
	expect_none(&in);
	ck_assert(!frame_in_is_partial(&in));
	frame_in_done(&in);
}
END_TEST

START_TEST(messages_that_come_together_are_given_in_order)
{
	struct frame_in in;

	frame_in_init(&in, FRAME_LIMIT);
	feed(&in, "one\0\0three\0fo", 13);

	expect(&in, "one");
	expect(&in, "");
	expect(&in, "three");
	expect_none(&in);
	ck_assert(frame_in_is_partial(&in));
	feed(&in, "ur\0", 3);
	expect(&in, "four");
	frame_in_done(&in);
}
END_TEST

START_TEST(a_message_of_the_limit_is_given_and_one_byte_more_is_not)
{
	struct frame_in in;
	char bytes[10] = "12345678";
	char *got;
	size_t len;

	frame_in_init(&in, 8);
	feed(&in, bytes, 9);
	expect(&in, bytes);
	feed(&in, bytes, 8);
	expect_none(&in);
	feed(&in, "9", 1);

	ck_assert_int_eq(frame_in_next(&in, &got, &len), -EMSGSIZE);
	feed(&in, "", 1);
	ck_assert_int_eq(frame_in_next(&in, &got, &len), -EMSGSIZE);
	frame_in_done(&in);
}
END_TEST

START_TEST(what_nobody_takes_stops_being_taken_in)
{
	struct frame_in in;
	char *room;
	size_t size;
	int r;

	frame_in_init(&in, 10000);
	while ((r = frame_in_room(&in, &room, &size)) == 0) {
		memset(room, 0, size);
		frame_in_came(&in, size);
	}

	ck_assert_int_eq(r, -ENOBUFS);
	ck_assert_uint_le(in.end, 65536);
	frame_in_done(&in);
}
END_TEST

/* Each byte is looked at once: a scan from the beginning for every piece would take 2^36 looks here. */
START_TEST(a_long_message_in_small_pieces_is_searched_once)
{
	struct frame_in in;
	char piece[16];
	char *got;
	size_t len;

	memset(piece, 'x', sizeof(piece));
	frame_in_init(&in, FRAME_LIMIT);
	for (size_t i = 0; i < FRAME_LIMIT / sizeof(piece); i++) {
		feed(&in, piece, sizeof(piece));
		expect_none(&in);
		ck_assert_uint_eq(in.seen, in.end);
	}
	feed(&in, "", 1);
	ck_assert_int_eq(frame_in_next(&in, &got, &len), 1);
	ck_assert_uint_eq(len, FRAME_LIMIT);

	/* An idle connection keeps little. */
	feed(&in, "a", 2);
	expect(&in, "a");
	ck_assert_uint_le(in.room, 65536);
	frame_in_done(&in);
}
END_TEST

START_TEST(what_is_to_be_sent_goes_in_any_pieces)
{
	struct frame_out out = {0};
	struct json *message = json_object();
	char got[64];
	size_t n = 0;

	ck_assert_uint_eq(frame_out_pending(&out), 0);
	(void)json_set(message, "a", json_int(1));
	ck_assert_int_eq(frame_out_add(&out, message), 0);
	while (frame_out_pending(&out)) {
		if (n == 3)
			ck_assert_int_eq(frame_out_add_text(&out, "{}"), 0);
		got[n++] = *frame_out_bytes(&out);
		frame_out_sent(&out, 1);
	}

	ck_assert_uint_eq(n, 11);
	ck_assert_mem_eq(got, "{\"a\":1}\0{}\0", 11);
	json_free(message);
	frame_out_done(&out);
}
END_TEST

START_TEST(a_text_that_is_taken_is_sent_as_it_is_or_behind_what_waits)
{
	struct frame_out out = {0};
	struct text text = {0};
	const char *bytes;

	text_add(&text, "{\"a\":1}");
	bytes = text.bytes;
	ck_assert_int_eq(frame_out_take(&out, &text), 0);
	ck_assert_ptr_null(text.bytes);
	ck_assert_ptr_eq(frame_out_bytes(&out), bytes);
	text_add(&text, "{}");
	frame_out_sent(&out, 3);
	ck_assert_int_eq(frame_out_take(&out, &text), 0);
	ck_assert_ptr_null(text.bytes);
	ck_assert_uint_eq(frame_out_pending(&out), 8);
	ck_assert_mem_eq(frame_out_bytes(&out), "\":1}\0{}\0", 8);

	ck_assert_int_eq(frame_out_take(&out, &text), -ENOMEM);
	ck_assert_uint_eq(frame_out_pending(&out), 8);
	frame_out_done(&out);
}
END_TEST

START_TEST(the_room_of_what_was_sent_is_lent_for_the_next_text)
{
	struct frame_out out = {0};
	struct text text = frame_out_lend(&out), other;
	const char *bytes;

	ck_assert_ptr_null(text.bytes);
	text_add(&text, "{\"a\":1}");
	bytes = text.bytes;
	ck_assert_int_eq(frame_out_take(&out, &text), 0);
	text = frame_out_lend(&out);
	ck_assert_ptr_null(text.bytes);
	frame_out_sent(&out, 8);

	text = frame_out_lend(&out);
	ck_assert_ptr_eq(text.bytes, bytes);
	ck_assert_str_eq(text.bytes, "");
	other = frame_out_lend(&out);
	ck_assert_ptr_null(other.bytes);
	ck_assert_int_eq(frame_out_add_text(&out, "{}"), 0);
	text_add(&text, "{\"b\":2}");
	ck_assert_int_eq(frame_out_take(&out, &text), 0);
	ck_assert_uint_eq(frame_out_pending(&out), 11);
	ck_assert_mem_eq(frame_out_bytes(&out), "{}\0{\"b\":2}\0", 11);
	frame_out_done(&out);
}
END_TEST

START_TEST(a_message_that_does_not_print_is_out_of_memory)
{
	struct frame_out out = {0};
	struct frame_in in;
	char *room;
	size_t size;

	ck_assert_int_eq(frame_out_add(&out, NULL), -ENOMEM);
	alloc_fail_after(1);
	ck_assert_int_eq(frame_out_add_text(&out, "{}"), -ENOMEM);
	frame_in_init(&in, FRAME_LIMIT);
	alloc_fail_after(1);
	ck_assert_int_eq(frame_in_room(&in, &room, &size), -ENOMEM);
	ck_assert_uint_eq(frame_out_pending(&out), 0);
	ck_assert_str_eq(frame_out_bytes(&out), "");
	frame_in_done(&in);
	frame_out_done(&out);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("frame");
	TCase *tcase = tcase_create("frame");

	test_leak_guard(tcase);
	tcase_add_test(tcase, a_message_in_single_bytes_is_whole_at_its_nul);
	tcase_add_test(tcase, messages_that_come_together_are_given_in_order);
	tcase_add_test(tcase, a_message_of_the_limit_is_given_and_one_byte_more_is_not);
	tcase_add_test(tcase, what_nobody_takes_stops_being_taken_in);
	tcase_add_test(tcase, a_long_message_in_small_pieces_is_searched_once);
	tcase_add_test(tcase, what_is_to_be_sent_goes_in_any_pieces);
	tcase_add_test(tcase, a_text_that_is_taken_is_sent_as_it_is_or_behind_what_waits);
	tcase_add_test(tcase, the_room_of_what_was_sent_is_lent_for_the_next_text);
	tcase_add_test(tcase, a_message_that_does_not_print_is_out_of_memory);
	suite_add_tcase(suite, tcase);
	return suite;
}
