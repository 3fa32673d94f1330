/* SPDX-License-Identifier: MIT */
/* Tables to the very blank. */
#include <stdlib.h>

#include <check.h>

#include "base/alloc.h"
#include "effctl/grid.h"

Suite *test_suite(void);

static const char *const titles[] = {"NAME", "STATE", "WHY"};
static char *printed;

/* Print a table of two rows. */
static int print(unsigned width, bool colour)
{
	struct grid grid;
	size_t n;
	FILE *out = open_memstream(&printed, &n);
	int r;

	grid_init(&grid, 3, titles);
	grid_add(&grid, PLAIN,
		"gr\xc3\xbc\xc3\x9f"
		"e");
	grid_add(&grid, GOOD, "up");
	grid_add(&grid, PLAIN, "");
	grid_add(&grid, PLAIN, "a");
	grid_add(&grid, BAD, "failed");
	grid_add(&grid, PLAIN, "a l\xc3\xb6ng\nreason");
	r = grid_print(&grid, out, width, colour);
	grid_done(&grid);
	(void)fclose(out);
	return r;
}

START_TEST(columns_are_aligned_by_characters)
{
	ck_assert_int_eq(print(0, false), 0);

	ck_assert_str_eq(printed,
		"NAME   STATE   WHY\n"
		"gr\xc3\xbc\xc3\x9f"
		"e  up      -\n"
		"a      failed  a l\xc3\xb6ng\\x0Areason\n");
	free(printed);
}
END_TEST

START_TEST(the_last_column_is_cut_to_the_width)
{
	ck_assert_int_eq(print(25, false), 0);

	ck_assert_str_eq(printed,
		"NAME   STATE   WHY\n"
		"gr\xc3\xbc\xc3\x9f"
		"e  up      -\n"
		"a      failed  a l\xc3\xb6ng\\x0>\n");
	free(printed);
	/* A terminal so narrow that nothing would be left: something is. */
	ck_assert_int_eq(print(10, false), 0);
	ck_assert_str_eq(printed,
		"NAME   STATE   WHY\n"
		"gr\xc3\xbc\xc3\x9f"
		"e  up      -\n"
		"a      failed  a l\xc3\xb6ng\\>\n");
	free(printed);
}
END_TEST

START_TEST(colours_do_not_move_columns)
{
	ck_assert_int_eq(print(0, true), 0);

	ck_assert_str_eq(printed,
		"\033[1mNAME\033[0m   \033[1mSTATE\033[0m   \033[1mWHY\033[0m\n"
		"gr\xc3\xbc\xc3\x9f"
		"e  \033[32mup\033[0m      -\n"
		"a      \033[31mfailed\033[0m  a l\xc3\xb6ng\\x0Areason\n");
	free(printed);
}
END_TEST

START_TEST(without_memory_nothing_is_printed)
{
	uint64_t n = 1;

	for (;; n++) {
		alloc_fail_after(n);
		if (print(0, false) == 0)
			break;
		ck_assert_str_eq(printed, "");
		free(printed);
	}
	alloc_fail_after(0);

	/* Cells, their texts, which grow, and a line. */
	ck_assert_uint_gt(n, 3);
	free(printed);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("grid");
	TCase *tcase = tcase_create("grid");

	tcase_add_test(tcase, columns_are_aligned_by_characters);
	tcase_add_test(tcase, the_last_column_is_cut_to_the_width);
	tcase_add_test(tcase, colours_do_not_move_columns);
	tcase_add_test(tcase, without_memory_nothing_is_printed);
	suite_add_tcase(suite, tcase);
	return suite;
}
