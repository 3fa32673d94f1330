/* SPDX-License-Identifier: MIT */
/* What effd answers to Status, as it is read. */
#include <string.h>

#include <check.h>

#include "base/alloc.h"
#include "effctl/answer.h"
#include "leak.h"

Suite *test_suite(void);

static const char one[] = "{\"parameters\":{\"units\":[{\"name\":\"web\",\"state\":\"backoff\",\"pid\":null,"
			  "\"next_start_s\":3.5,\"cause\":{\"kind\":\"exit\",\"code\":1}}]}}";

static uint64_t allocations(bool judges)
{
	const uint64_t many = UINT64_C(1) << 40;
	struct answer answer;

	(void)alloc_fail_after(many);
	answer_init(&answer, judges);
	ck_assert_int_eq(answer_read(&answer, one, strlen(one)), 0);
	ck_assert(!answer.grid.failed);
	ck_assert(answer.all_well == !judges);
	answer_done(&answer);
	return many - alloc_fail_after(0);
}

/* To judge it takes nothing that is not read anyhow. */
START_TEST(a_unit_with_a_remark_is_read_once)
{
	ck_assert_uint_gt(allocations(false), 0);
	ck_assert_uint_eq(allocations(true), allocations(false));
}
END_TEST

/* Each allocation fails once. */
START_TEST(an_answer_that_lacks_memory_says_so)
{
	for (uint64_t n = 1; n <= allocations(true); n++) {
		struct answer answer;

		(void)alloc_fail_after(n);
		answer_init(&answer, true);
		if (answer_read(&answer, one, strlen(one)) == 0)
			ck_assert_msg(answer.grid.failed, "allocation %d", (int)n);
		(void)alloc_fail_after(0);
		answer_done(&answer);
	}
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("answer");
	TCase *tcase = tcase_create("answer");

	test_leak_guard(tcase);
	tcase_add_test(tcase, a_unit_with_a_remark_is_read_once);
	tcase_add_test(tcase, an_answer_that_lacks_memory_says_so);
	suite_add_tcase(suite, tcase);
	return suite;
}
