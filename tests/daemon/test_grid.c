/* SPDX-License-Identifier: MIT */
/* Tables to the very blank. */
#include <stdlib.h>

#include <check.h>

#include "base/alloc.h"
#include "effctl/columns.h"
#include "effctl/grid.h"
#include "effctl/words.h"

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

START_TEST(times_are_short_and_have_an_end_only_where_there_is_one)
{
	static const struct {
		double seconds;
		const char *text;
	} rows[] = {{0, "0.0s"}, {9.94, "9.9s"}, {9.96, "10s"}, {59.6, "1m"}, {3599, "59m59s"},
		{86400 + 59, "1d"}, {14 * 86400.0, "2w"}, {1e9, "1653w3d"},
		{(double)EFF_FOREVER / 1e9, "infinity"}, {-1, ""}};
	struct text text = {0};

	add_seconds(&text, rows[_i].seconds);

	ck_assert_str_eq(text.bytes ? text.bytes : "", rows[_i].text);
	text_done(&text);
}
END_TEST

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

/* A line of a table that is narrow, and its title. */
static const char *narrow(unsigned width, const char *name)
{
	static const char *const five[] = {"UNIT", "STATE", "PID", "UPTIME", "CAUSE"};
	static const unsigned char spared[] = {3, 2, 0};
	static char text[256];
	struct grid grid;
	FILE *out = fmemopen(text, sizeof(text), "w");

	grid_init(&grid, 5, five);
	grid.spared = spared;
	grid_add(&grid, PLAIN, name);
	grid_add(&grid, BAD, "backoff");
	grid_add(&grid, PLAIN, "4711");
	grid_add(&grid, PLAIN, "1m30s");
	grid_add(&grid, PLAIN, "next try in 20s; exit 3, and more of it");
	ck_assert_int_eq(grid_print(&grid, out, width, false), 0);
	grid_done(&grid);
	(void)fclose(out);
	return text;
}

START_TEST(where_it_is_narrow_the_last_column_has_the_room_of_others)
{
	ck_assert_str_eq(narrow(53, "web"),
		"UNIT  STATE    PID   UPTIME  CAUSE\n"
		"web   backoff  4711  1m30s   next try in 20s; exit 3>\n");
	ck_assert_str_eq(narrow(52, "web"),
		"UNIT  STATE    PID   CAUSE\n"
		"web   backoff  4711  next try in 20s; exit 3, and m>\n");
	ck_assert_str_eq(narrow(42, "web"),
		"UNIT  STATE    CAUSE\n"
		"web   backoff  next try in 20s; exit 3, a>\n");
}
END_TEST

/* Letters of the East are two columns wide, a mark above a letter has none. */
START_TEST(wide_letters_take_two_columns)
{
	static const char *const two[] = {"UNIT", "STATE"};
	static char text[256];
	struct grid grid;
	FILE *out = fmemopen(text, sizeof(text), "w");

	grid_init(&grid, 2, two);
	grid_add(&grid, PLAIN, "\u65e5\u672c");
	grid_add(&grid, PLAIN, "up");
	grid_add(&grid, PLAIN, "e\u0301te");
	grid_add(&grid, PLAIN, "\u65e5\u672c\u65e5\u672c\u65e5\u672c");
	ck_assert_int_eq(grid_print(&grid, out, 15, false), 0);
	grid_done(&grid);
	(void)fclose(out);

	ck_assert_str_eq(
		text, "UNIT  STATE\n\u65e5\u672c  up\ne\u0301te   \u65e5\u672c\u65e5\u672c>\n");
}
END_TEST

static const char *cut(const char *text, size_t columns, void (*how)(char *, size_t))
{
	static char copy[64];

	(void)snprintf(copy, sizeof(copy), "%s", text);
	how(copy, columns);
	return copy;
}

START_TEST(what_is_cut_fits_and_no_letter_is_torn)
{
	ck_assert_str_eq(cut("\u65e5\u672c\u65e5", 6, text_cut), "\u65e5\u672c\u65e5");
	ck_assert_str_eq(cut("\u65e5\u672c\u65e5", 5, text_cut), "\u65e5\u672c>");
	ck_assert_str_eq(cut("\u65e5\u672c\u65e5", 4, text_cut), "\u65e5>");
	ck_assert_str_eq(cut("\u65e5\u672c\u65e5", 1, text_cut), ">");
	ck_assert_str_eq(cut("\u65e5\u672c\u65e5", 5, name_cut), "<\u672c\u65e5");
	ck_assert_str_eq(cut("\u65e5\u672c\u65e5", 4, name_cut), "<\u65e5");
	ck_assert_str_eq(cut("ae\u0301b", 2, text_cut), "a>");
	ck_assert_str_eq(cut("xe\u0301ab", 3, text_cut), "xe\u0301>");
	/* The mark goes with its letter. */
	ck_assert_str_eq(cut("xe\u0301ab", 3, name_cut), "<ab");
	/* What is no UTF-8 counts, too. */
	ck_assert_uint_eq(text_columns("\xff\xfe"), 2);
	ck_assert_uint_eq(text_columns("\u65e5\xe6\x97"), 3);
}
END_TEST

START_TEST(where_nothing_can_be_spared_names_are_cut)
{
	ck_assert_str_eq(narrow(39, "workers/a-name-of-a-unit@1"),
		"UNIT                  STATE    CAUSE\n"
		"</a-name-of-a-unit@1  backoff  next tr>\n");
	ck_assert_str_eq(narrow(10, "workers/a-name-of-a-\xc3\xbcnit@1"),
		"UNIT          STATE    CAUSE\n"
		"<of-a-\xc3\xbcnit@1  backoff  next tr>\n");
	ck_assert_str_eq(narrow(10, "web"), "UNIT  STATE    CAUSE\nweb   backoff  next tr>\n");
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

	tcase_add_loop_test(tcase, times_are_short_and_have_an_end_only_where_there_is_one, 0, 10);
	tcase_add_test(tcase, columns_are_aligned_by_characters);
	tcase_add_test(tcase, the_last_column_is_cut_to_the_width);
	tcase_add_test(tcase, where_it_is_narrow_the_last_column_has_the_room_of_others);
	tcase_add_test(tcase, wide_letters_take_two_columns);
	tcase_add_test(tcase, what_is_cut_fits_and_no_letter_is_torn);
	tcase_add_test(tcase, where_nothing_can_be_spared_names_are_cut);
	tcase_add_test(tcase, colours_do_not_move_columns);
	tcase_add_test(tcase, without_memory_nothing_is_printed);
	suite_add_tcase(suite, tcase);
	return suite;
}
