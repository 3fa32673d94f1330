/* SPDX-License-Identifier: MIT */
/* The arena: pieces, their alignment, what it holds, and allocations that fail. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/alloc.h"
#include "base/arena.h"

Suite *test_suite(void);

START_TEST(pieces_are_zeroed_aligned_and_apart)
{
	struct arena *arena = arena_new();
	unsigned char *before = NULL;

	for (size_t size = 0; size < 300; size++) {
		unsigned char *piece = arena_alloc(arena, size);

		ck_assert_uint_eq((uintptr_t)piece % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			ck_assert_uint_eq(piece[i], 0);
		memset(piece, 0xff, size);
		ck_assert_ptr_ne(piece, before);
		before = piece;
	}
	arena_free(arena);
}
END_TEST

START_TEST(a_large_piece_wastes_no_room_of_the_small_ones)
{
	struct arena *arena = arena_new();
	char *first = arena_alloc(arena, 16), *large = arena_alloc(arena, 1000000),
	     *second = arena_alloc(arena, 16);

	memset(large, 1, 1000000);
	ck_assert_ptr_eq(second, first + 16);
	ck_assert_uint_lt(arena_bytes(arena), 1010000);
	arena_free(arena);
}
END_TEST

START_TEST(texts_are_copied_and_printed)
{
	struct arena *arena = arena_new();

	ck_assert_str_eq(arena_strdup(arena, "one"), "one");
	ck_assert_str_eq(arena_strndup(arena, "one two", 3), "one");
	ck_assert_str_eq(arena_printf(arena, "%s-%d", "x", 42), "x-42");
	arena_free(arena);
}
END_TEST

START_TEST(short_texts_take_no_more_than_they_are)
{
	struct arena *arena = arena_new();
	char *texts[1000];
	size_t before;

	(void)arena_alloc(arena, 1);
	before = arena_bytes(arena);
	for (size_t i = 0; i < 1000; i++) {
		uint64_t *number = arena_alloc(arena, sizeof(*number));

		ck_assert_uint_eq((uintptr_t)number % _Alignof(max_align_t), 0);
		*number = UINT64_MAX;
		texts[i] = arena_printf(arena, "%zu", i % 10);
	}
	for (size_t i = 0; i < 1000; i++)
		ck_assert_int_eq(atoi(texts[i]), (int)(i % 10));
	/* The next chunk, which is twice as large, may be begun. */
	ck_assert_uint_le(arena_bytes(arena) - before, (size_t)2 * 1000 * (16 + 2));
	arena_free(arena);
}
END_TEST

START_TEST(what_cannot_be_had_is_null)
{
	struct arena *arena = arena_new();

	ck_assert_ptr_null(arena_alloc(arena, SIZE_MAX));
	(void)alloc_fail_after(2);
	ck_assert_ptr_nonnull(arena_alloc(arena, 1));
	ck_assert_ptr_null(arena_alloc(arena, 1));
	ck_assert_ptr_nonnull(arena_alloc(arena, 1));
	(void)alloc_fail_after(1);
	ck_assert_ptr_null(arena_new());
	arena_free(NULL);
	arena_free(arena);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("arena");
	TCase *tcase = tcase_create("arena");

	tcase_add_test(tcase, pieces_are_zeroed_aligned_and_apart);
	tcase_add_test(tcase, a_large_piece_wastes_no_room_of_the_small_ones);
	tcase_add_test(tcase, texts_are_copied_and_printed);
	tcase_add_test(tcase, short_texts_take_no_more_than_they_are);
	tcase_add_test(tcase, what_cannot_be_had_is_null);
	suite_add_tcase(suite, tcase);
	return suite;
}
