/* SPDX-License-Identifier: MIT */
/* The states' table, read both ways. */
#include <errno.h>

#include <check.h>

#include "wire/states.h"

Suite *test_suite(void);

START_TEST(every_state_is_found_by_its_name)
{
	for (int i = 0; i < UNIT_N_STATES; i++)
		ck_assert_int_eq(state_parse(state_name((enum unit_state)i)), i);
}
END_TEST

START_TEST(what_is_no_state_is_not_found)
{
	ck_assert_int_eq(state_parse("running"), -EINVAL);
	ck_assert_int_eq(state_parse("UP"), -EINVAL);
	ck_assert_int_eq(state_parse(""), -EINVAL);
}
END_TEST

START_TEST(only_down_done_and_failed_rest)
{
	int n = 0;

	for (int i = 0; i < UNIT_N_STATES; i++)
		n += state_rests((enum unit_state)i);

	ck_assert_int_eq(n, 3);
	ck_assert(state_rests(UNIT_DOWN) && state_rests(UNIT_DONE) && state_rests(UNIT_FAILED));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("states");
	TCase *tcase = tcase_create("states");

	tcase_add_test(tcase, every_state_is_found_by_its_name);
	tcase_add_test(tcase, what_is_no_state_is_not_found);
	tcase_add_test(tcase, only_down_done_and_failed_rest);
	suite_add_tcase(suite, tcase);
	return suite;
}
