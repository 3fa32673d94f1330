/* SPDX-License-Identifier: MIT */
/* Causes: their names, their lines, their chains. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include <check.h>

#include "base/alloc.h"
#include "base/cause.h"

Suite *test_suite(void);

START_TEST(every_kind_is_found_by_its_name)
{
	for (int kind = 0; kind < CAUSE_N_KINDS; kind++)
		ck_assert_int_eq(cause_kind_parse(cause_kind_name((enum cause_kind)kind)), kind);
	ck_assert_int_eq(cause_kind_parse("boredom"), -EINVAL);
	ck_assert_int_eq(cause_kind_class(CAUSE_EXIT), CAUSE_CLASS_FAILURE);
	ck_assert_int_eq(cause_kind_class(CAUSE_OOM), CAUSE_CLASS_ABNORMAL);
	ck_assert_int_eq(cause_kind_class(CAUSE_DEPENDENCY), CAUSE_CLASS_NEITHER);
}
END_TEST

START_TEST(a_cause_is_one_line)
{
	struct cause *end = cause_new(CAUSE_EXIT, 0, NULL, "%s", ""), *gave_up;
	char buf[128], small[8];

	end->code = 1;
	ck_assert_str_eq(cause_line(end, buf, sizeof(buf)), "exit 1");
	gave_up = cause_new(CAUSE_MAX_RESTARTS, 0, end, "%d in a row\n", 5);
	ck_assert_str_eq(cause_line(gave_up, buf, sizeof(buf)),
		"max restarts: 5 in a row ; because of exit 1");
	ck_assert_str_eq(cause_line(gave_up, small, sizeof(small)), "max res");
	cause_unref(gave_up);

	end->kind = CAUSE_SIGNAL;
	end->code = -1;
	end->signal = SIGKILL;
	end->core = true;
	ck_assert_str_eq(cause_line(end, buf, sizeof(buf)), "SIGKILL (core dumped)");
	end->kind = CAUSE_PROBE;
	end->core = false;
	ck_assert_str_eq(cause_line(end, buf, sizeof(buf)), "probe (SIGKILL)");
	cause_unref(end);
	end = cause_new(CAUSE_EXEC_ERROR, 0, NULL, "exec: ENOENT (No such file or directory): ./x");
	ck_assert_str_eq(cause_line(end, buf, sizeof(buf)),
		"exec error: exec: ENOENT (No such file or directory): ./x");
	cause_unref(end);
	end = cause_new(CAUSE_EXIT, 0, NULL, "ended before it was ready");
	end->code = 0;
	end->by = (struct asker){.pid = 7, .uid = 0, .command = "effctl"};
	ck_assert_str_eq(cause_line(end, buf, sizeof(buf)),
		"exit 0: ended before it was ready by effctl (pid 7, uid 0)");
	end->by = (struct asker){.unseen = true, .uid = 5};
	ck_assert_str_eq(cause_line(end, buf, sizeof(buf)),
		"exit 0: ended before it was ready by a program that is not seen from here (uid 5)");
	cause_unref(end);
	ck_assert_str_eq(cause_line(NULL, buf, sizeof(buf)), "unknown");
}
END_TEST

/* A service manager takes no status that is no UTF-8. */
START_TEST(a_line_that_is_cut_ends_with_a_whole_character)
{
	struct cause *end = cause_new(CAUSE_HOOK, 0, NULL, "%s", "a\u20ac\xff");
	char buf[16];

	ck_assert_str_eq(cause_line(end, buf, sizeof("hook: a") + 4), "hook: a\u20ac\xff");
	ck_assert_str_eq(cause_line(end, buf, sizeof("hook: a") + 3), "hook: a\u20ac");
	ck_assert_str_eq(cause_line(end, buf, sizeof("hook: a") + 2), "hook: a");
	ck_assert_str_eq(cause_line(end, buf, sizeof("hook: a") + 1), "hook: a");
	cause_unref(end);
}
END_TEST

static int links(const struct cause *cause)
{
	int n = 0;

	for (; cause; cause = cause->because)
		n++;
	return n;
}

START_TEST(a_year_of_failures_is_eight_causes)
{
	struct cause *cause = NULL, *next;

	for (int i = 0; i < 1000; i++) {
		next = cause_new(CAUSE_EXIT, i, cause, "%d", i);
		cause_unref(cause);
		cause = next;
		ck_assert_int_eq(links(cause), i < 8 ? i + 1 : 8);
	}
	ck_assert_str_eq(cause->text, "999");
	ck_assert_str_eq(cause->because->because->text, "997");
	cause_unref(cause);
}
END_TEST

START_TEST(a_cause_lives_as_long_as_someone_has_it)
{
	struct cause *cause = cause_new(CAUSE_OOM, 5, NULL, "x"),
		     *behind = cause_new(CAUSE_DEPENDENCY, 6, cause, "y");

	cause_unref(cause);
	ck_assert_ptr_eq(cause_ref(behind), behind);
	cause_unref(behind);
	ck_assert_int_eq(behind->because->kind, CAUSE_OOM);
	cause_unref(behind);
	cause_unref(cause_ref(NULL));
}
END_TEST

START_TEST(without_memory_a_cause_is_null)
{
	(void)alloc_fail_after(1);
	ck_assert_ptr_null(cause_new(CAUSE_OOM, 0, NULL, "x"));
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("cause");
	TCase *tcase = tcase_create("cause");

	tcase_add_test(tcase, every_kind_is_found_by_its_name);
	tcase_add_test(tcase, a_cause_is_one_line);
	tcase_add_test(tcase, a_line_that_is_cut_ends_with_a_whole_character);
	tcase_add_test(tcase, a_year_of_failures_is_eight_causes);
	tcase_add_test(tcase, a_cause_lives_as_long_as_someone_has_it);
	tcase_add_test(tcase, without_memory_a_cause_is_null);
	suite_add_tcase(suite, tcase);
	return suite;
}
