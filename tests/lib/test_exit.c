/* SPDX-License-Identifier: MIT */
/* Exits: what they say, and who holds what. Leaks are LeakSanitizer's to find. */
#include <errno.h>
#include <string.h>

#include <check.h>

#include <eff/exit.h>

Suite *test_suite(void);

/* Takes the exit. */
static void ck_text(eff_exit e, const char *want)
{
	char buf[128];

	ck_assert_str_eq(eff_exit_text(e, buf, sizeof(buf)), want);
	eff_exit_drop(e);
}

START_TEST(an_exit_is_a_tag_with_a_value_or_a_code)
{
	int thing;

	ck_assert_int_le(sizeof(eff_exit), 3 * sizeof(void *));
	ck_assert_ptr_eq(eff_ok(&thing).value.pointer, &thing);
	ck_assert_int_eq(eff_ok_number(-5).value.number, -5);
	ck_assert_int_eq(eff_fail(3).code, 3);
	ck_assert(eff_is_ok(eff_ok(NULL)) && !eff_is_ok(eff_fail(1)) &&
		!eff_is_ok(eff_interrupted()));
	ck_text(eff_ok_number(1), "ok");
	ck_text(eff_fail(3), "fail 3");
	ck_text(eff_interrupted(), "interrupt");
}
END_TEST

START_TEST(texts_stand_behind_the_tag)
{
	ck_text(eff_failf(3, "no %s", "bread"), "fail 3: no bread");
	ck_text(eff_die("signal %d", 9), "die: signal 9");
	ck_text(eff_exit_note(eff_exit_note(eff_fail(2), "a"), "b%d", 1), "fail 2: a, b1");
}
END_TEST

START_TEST(what_a_wait_returned_becomes_an_exit)
{
	ck_assert_int_eq(eff_exit_of(0).tag, EFF_OK);
	ck_assert_int_eq(eff_exit_of(7).value.number, 7);
	ck_assert_int_eq(eff_exit_of(-ECANCELED).tag, EFF_INTERRUPT);
	ck_assert_int_eq(eff_exit_of(-ETIMEDOUT).tag, EFF_FAIL);
	ck_assert_int_eq(eff_exit_of(-EIO).code, EIO);
}
END_TEST

START_TEST(joining_keeps_the_first_and_puts_the_second_behind_it)
{
	ck_text(eff_exit_join(eff_die("text"), eff_fail(2)), "die: text; and fail 2");
	ck_text(eff_exit_join(eff_fail(1), eff_ok(NULL)), "fail 1");
	ck_text(eff_exit_join(eff_ok(NULL), eff_failf(2, "late")), "ok; and fail 2: late");
	ck_text(eff_exit_join(eff_failf(1, "a"), eff_exit_join(eff_failf(2, "b"), eff_die("c"))),
		"fail 1: a; and fail 2: b; and die: c");
	ck_text(eff_exit_join(eff_fail(1), eff_exit_note(eff_ok(NULL), "gone with its OK")),
		"fail 1");
}
END_TEST

START_TEST(a_note_on_one_reference_does_not_change_the_other)
{
	eff_exit one = eff_failf(1, "shared");
	eff_exit two = eff_exit_note(eff_exit_keep(one), "own");

	ck_text(two, "fail 1: shared, own");
	ck_text(one, "fail 1: shared");
}
END_TEST

START_TEST(dropping_one_of_two_references_leaves_the_other)
{
	eff_exit one = eff_failf(1, "shared");

	eff_exit_drop(eff_exit_keep(one));
	ck_assert_str_eq(eff_exit_words(one), "shared");
	eff_exit_drop(one);
}
END_TEST

START_TEST(the_words_are_the_first_text)
{
	eff_exit e = eff_exit_note(eff_failf(1, "first"), "second");

	ck_assert_str_eq(eff_exit_words(e), "first");
	eff_exit_drop(e);
	ck_assert_str_eq(eff_exit_words(eff_fail(1)), "");
	e = eff_exit_join(eff_fail(1), eff_die("of the cause"));
	ck_assert_str_eq(eff_exit_words(e), "of the cause");
	eff_exit_drop(e);
}
END_TEST

START_TEST(a_text_fits_its_buffer_and_is_cut_between_characters)
{
	eff_exit e = eff_die("a\xc3\xa4\xe2\x82\xac!");
	char buf[16];

	memset(buf, 'x', sizeof(buf));
	ck_assert_str_eq(eff_exit_text(e, buf, 1), "");
	ck_assert_str_eq(eff_exit_text(e, buf, 3), "di");
	ck_assert_str_eq(eff_exit_text(e, buf, 7), "die: a");
	ck_assert_str_eq(eff_exit_text(e, buf, 8), "die: a");
	ck_assert_str_eq(eff_exit_text(e, buf, 9), "die: a\xc3\xa4");
	ck_assert_str_eq(eff_exit_text(e, buf, 10), "die: a\xc3\xa4");
	ck_assert_str_eq(eff_exit_text(e, buf, 11), "die: a\xc3\xa4");
	ck_assert_str_eq(eff_exit_text(e, buf, 12), "die: a\xc3\xa4\xe2\x82\xac");
	ck_assert_str_eq(eff_exit_text(e, buf, 13), "die: a\xc3\xa4\xe2\x82\xac!");
	ck_assert_int_eq(buf[14], 'x');
	ck_assert_ptr_eq(eff_exit_text(e, buf, 0), buf);
	eff_exit_drop(e);
}
END_TEST

START_TEST(control_characters_do_not_reach_a_log)
{
	ck_text(eff_die("a\nb\x1b[1m\x7f"), "die: a b [1m ");
}
END_TEST

START_TEST(a_long_chain_of_causes_needs_no_stack)
{
	eff_exit e = eff_fail(1);

	for (int i = 0; i < 3000; i++)
		e = eff_exit_note(e, "%d", i);
	e = eff_exit_join(eff_fail(2), e);
	ck_assert_str_eq(eff_exit_words(e), "0");
	eff_exit_drop(e);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("exit");
	TCase *tcase = tcase_create("exit");

	tcase_add_test(tcase, an_exit_is_a_tag_with_a_value_or_a_code);
	tcase_add_test(tcase, texts_stand_behind_the_tag);
	tcase_add_test(tcase, what_a_wait_returned_becomes_an_exit);
	tcase_add_test(tcase, joining_keeps_the_first_and_puts_the_second_behind_it);
	tcase_add_test(tcase, a_note_on_one_reference_does_not_change_the_other);
	tcase_add_test(tcase, dropping_one_of_two_references_leaves_the_other);
	tcase_add_test(tcase, the_words_are_the_first_text);
	tcase_add_test(tcase, a_text_fits_its_buffer_and_is_cut_between_characters);
	tcase_add_test(tcase, control_characters_do_not_reach_a_log);
	tcase_add_test(tcase, a_long_chain_of_causes_needs_no_stack);
	suite_add_tcase(suite, tcase);
	return suite;
}
