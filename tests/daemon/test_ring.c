/* SPDX-License-Identifier: MIT */
/* The ring of a unit's last lines, held against a plain list that remembers everything. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "unit/ring.h"

static void add(struct ring *ring, uint64_t number, const char *text)
{
	struct ring_line line = {.number = number,
		.wall_at = (eff_ns)number * 7,
		.text = text,
		.len = (uint32_t)strlen(text),
		.stream = number % 2};

	ring_add(ring, &line);
}

START_TEST(an_empty_ring_has_nothing_and_so_has_none)
{
	struct ring *ring = ring_new(1024);
	struct ring_line line;

	ck_assert(!ring_next(ring, 0, &line));
	ck_assert(!ring_next(NULL, 0, &line));
	ck_assert_uint_eq(ring_count(ring), 0);
	ck_assert_uint_eq(ring_count(NULL), 0);
	ck_assert_uint_eq(ring_bytes(ring) + ring_bytes(NULL), 0);
	ring_free(ring);
	ring_free(NULL);
}
END_TEST

START_TEST(lines_come_back_in_order_as_they_were)
{
	struct ring *ring = ring_new(4096);
	struct ring_line line;

	add(ring, 5, "one");
	add(ring, 9, "");
	add(ring, 12, "three");

	ck_assert(ring_next(ring, 0, &line));
	ck_assert_uint_eq(line.number, 5);
	ck_assert_int_eq(line.wall_at, 35);
	ck_assert_int_eq(line.stream, 1);
	ck_assert_mem_eq(line.text, "one", 3);
	ck_assert(ring_next(ring, 6, &line));
	ck_assert_uint_eq(line.number, 9);
	ck_assert_uint_eq(line.len, 0);
	ck_assert(ring_next(ring, 10, &line));
	ck_assert_uint_eq(line.len, 5);
	ck_assert(!ring_next(ring, 13, &line));
	ring_free(ring);
}
END_TEST

START_TEST(old_lines_make_way_for_new_ones)
{
	struct ring *ring = ring_new(1024);
	struct ring_line line;
	char text[32];

	for (uint64_t i = 1; i <= 1000; i++) {
		(void)snprintf(text, sizeof(text), "line %llu", (unsigned long long)i);
		add(ring, i, text);
	}

	ck_assert_uint_gt(ring_count(ring), 5);
	ck_assert_uint_lt(ring_count(ring), 1024 / 8);
	ck_assert(ring_next(ring, 0, &line));
	ck_assert_uint_eq(line.number, 1000 - ring_count(ring) + 1);
	ck_assert(ring_next(ring, 1000, &line));
	ck_assert_mem_eq(line.text, "line 1000", 9);
	ring_free(ring);
}
END_TEST

START_TEST(the_tail_is_the_number_of_the_nth_line_from_the_end)
{
	struct ring *ring = ring_new(4096);

	for (uint64_t i = 10; i <= 50; i += 10)
		add(ring, i, "x");

	ck_assert_uint_eq(ring_tail(ring, 1), 50);
	ck_assert_uint_eq(ring_tail(ring, 3), 30);
	ck_assert_uint_eq(ring_tail(ring, 5), 10);
	ck_assert_uint_eq(ring_tail(ring, 99), 10);
	ring_free(ring);
}
END_TEST

START_TEST(the_tail_of_a_run_passes_the_lines_of_others)
{
	static const uint16_t runs[] = {1, 1, 2, 1, 2, 3};
	struct ring *ring = ring_new(4096);

	for (uint64_t i = 0; i < 6; i++)
		ring_add(ring, &(struct ring_line){.number = i, .text = "", .run = runs[i]});

	ck_assert_uint_eq(ring_run_tail(ring, 1, 1), 3);
	ck_assert_uint_eq(ring_run_tail(ring, 1, 2), 1);
	ck_assert_uint_eq(ring_run_tail(ring, 1, 99), 0);
	ck_assert_uint_eq(ring_run_tail(ring, 2, 2), 2);
	ck_assert_uint_eq(ring_run_tail(ring, 3, 10), 5);
	ck_assert_uint_eq(ring_run_tail(ring, 4, 10), UINT64_MAX);
	ck_assert_uint_eq(ring_run_tail(ring, 1, 0), UINT64_MAX);
	ck_assert_uint_eq(ring_run_tail(NULL, 1, 1), UINT64_MAX);
	ring_free(ring);
}
END_TEST

START_TEST(a_line_that_does_not_fit_at_all_is_not_kept_and_costs_no_other)
{
	struct ring *ring = ring_new(256);
	char big[512];
	struct ring_line line;

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	add(ring, 1, "small");
	add(ring, 2, big);

	ck_assert_uint_eq(ring_count(ring), 1);
	ck_assert(ring_next(ring, 0, &line));
	ck_assert_uint_eq(line.number, 1);
	ring_free(ring);
}
END_TEST

START_TEST(a_smaller_limit_keeps_the_newest)
{
	struct ring *ring = ring_new(8192);
	struct ring_line line;
	uint32_t count;

	for (uint64_t i = 1; i <= 100; i++)
		add(ring, i, "some words of text");
	ring_limit(ring, 1024);

	count = ring_count(ring);
	ck_assert_uint_gt(count, 0);
	ck_assert_uint_lt(count, 100);
	ck_assert(ring_next(ring, 0, &line));
	ck_assert_uint_eq(line.number, 100 - count + 1);
	add(ring, 101, "after");
	ck_assert(ring_next(ring, 101, &line));
	ck_assert_mem_eq(line.text, "after", 5);
	ring_free(ring);
}
END_TEST

START_TEST(a_ring_of_nothing_keeps_nothing)
{
	struct ring *ring = ring_new(0);

	add(ring, 1, "");
	add(ring, 2, "x");

	ck_assert_uint_eq(ring_count(ring), 0);
	ring_free(ring);
}
END_TEST

static bool is_as_it_was(const struct ring_line *line)
{
	char expected[300];
	uint32_t len = (uint32_t)(line->number * 37 % 200);

	memset(expected, 'a' + (int)(line->number % 26), len);
	return line->len == len && memcmp(line->text, expected, len) == 0;
}

/* Walk the ring: what is there must be the newest lines without a gap, each as it was put in. */
static void check_all(const struct ring *ring, uint64_t last)
{
	struct ring_line line;
	uint64_t number = last + 1 - ring_count(ring);
	uint32_t n = 0;

	for (; ring_next(ring, n ? number : 0, &line); n++, number++)
		ck_assert(line.number == number && is_as_it_was(&line));
	ck_assert_uint_eq(n, ring_count(ring));
}

START_TEST(any_mix_of_lines_and_limits_keeps_the_newest_without_a_gap)
{
	unsigned seed = 1;
	struct ring *ring = ring_new(2048);
	uint64_t bytes = 0;
	char text[300];

	for (uint64_t i = 1; i <= 20000; i++) {
		uint32_t len = (uint32_t)(i * 37 % 200);
		struct ring_line line = {.number = i, .text = text, .len = len};

		memset(text, 'a' + (int)(i % 26), len);
		if (rand_r(&seed) % 50 == 0)
			ring_limit(ring, 256 + (size_t)(rand_r(&seed) % 8192));
		ring_add(ring, &line);
		check_all(ring, i);
		ck_assert(ring_next(ring, i, &line));
		ck_assert_uint_eq(line.before, bytes);
		bytes += len + 1;
		ck_assert_uint_eq(ring_bytes(ring), bytes);
	}
	ring_free(ring);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/unit/ring");
	TCase *tcase = tcase_create("ring");

	tcase_add_test(tcase, an_empty_ring_has_nothing_and_so_has_none);
	tcase_add_test(tcase, lines_come_back_in_order_as_they_were);
	tcase_add_test(tcase, old_lines_make_way_for_new_ones);
	tcase_add_test(tcase, the_tail_is_the_number_of_the_nth_line_from_the_end);
	tcase_add_test(tcase, the_tail_of_a_run_passes_the_lines_of_others);
	tcase_add_test(tcase, a_line_that_does_not_fit_at_all_is_not_kept_and_costs_no_other);
	tcase_add_test(tcase, a_smaller_limit_keeps_the_newest);
	tcase_add_test(tcase, a_ring_of_nothing_keeps_nothing);
	tcase_add_test(tcase, any_mix_of_lines_and_limits_keeps_the_newest_without_a_gap);
	suite_add_tcase(suite, tcase);
	return suite;
}
