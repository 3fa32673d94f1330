/* SPDX-License-Identifier: MIT */
/* Text and the values of the tree's language, both ways. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/alloc.h"
#include "base/text.h"

Suite *test_suite(void);

START_TEST(a_path_loses_what_says_nothing)
{
	static const char *const paths[][2] = {{"/a/b", "/a/b"}, {"//a///b", "/a/b"},
		{"/a/./b/././c", "/a/b/c"}, {"//log/.//web", "/log/web"}, {"./a", "a"},
		{"/a/../b", "/a/../b"}, {"/a/b/", "/a/b/"}, {"/a/.b/c.", "/a/.b/c."},
		{"/", "/"}, {"", ""}, {"/a/.", "/a/."}};
	char path[32];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		(void)strcpy(path, paths[i][0]);
		path_tidy(path);
		ck_assert_str_eq(path, paths[i][1]);
	}
}
END_TEST

START_TEST(a_text_grows)
{
	struct text text = {0};

	for (int i = 0; i < 1000; i++)
		text_printf(&text, "%d,", i % 10);
	text_add(&text, "end");
	text_add_bytes(&text, "xyz", 1);

	ck_assert(!text.failed);
	ck_assert_uint_eq(text.len, 2004);
	ck_assert_str_eq(text.bytes + 1998, "9,endx");
	text_done(&text);
	ck_assert_ptr_null(text.bytes);
}
END_TEST

START_TEST(what_is_written_into_its_room_is_of_the_text)
{
	static const uint64_t numbers[] = {0, 9, 10, 1999, UINT64_MAX};
	struct text text = {0};
	char *to;

	text_add(&text, "of");
	to = text_room(&text, 5 * 21);
	ck_assert_ptr_nonnull(to);
	for (int i = 0; i < 5; i++) {
		*to++ = ' ';
		to = number_write(to, numbers[i]);
	}
	text_wrote(&text, (size_t)(to - text.bytes) - text.len);
	ck_assert_str_eq(text.bytes, "of 0 9 10 1999 18446744073709551615");
	ck_assert_uint_eq(text.len, strlen(text.bytes));

	(void)alloc_fail_after(1);
	ck_assert_ptr_null(text_room(&text, 1000));
	ck_assert(text.failed);
	text_done(&text);
}
END_TEST

START_TEST(seconds_are_written_to_the_millisecond)
{
	static const struct {
		eff_ns ns;
		const char *text;
	} rows[] = {{0, "0"}, {-EFF_S(1), "0"}, {EFF_MS(50), "0.05"}, {EFF_MS(1500), "1.5"},
		{EFF_S(86400), "86400"}, {EFF_MS(7), "0.007"}, {499999, "0"}, {500000, "0.001"},
		{EFF_MS(990), "0.99"}, {EFF_MS(10203), "10.203"},
		{EFF_FOREVER - 1, "9223372036.855"}};
	char text[24];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*seconds_write(text, rows[i].ns) = '\0';
		ck_assert_str_eq(text, rows[i].text);
	}
}
END_TEST

START_TEST(a_text_that_failed_stays_failed)
{
	struct text text = {0};

	(void)alloc_fail_after(1);
	text_add(&text, "lost");
	text_add(&text, "too");

	ck_assert(text.failed);
	ck_assert_uint_eq(text.len, 0);
	text_done(&text);
}
END_TEST

static eff_ns duration(const char *s)
{
	eff_ns ns = -1;

	ck_assert_int_eq(duration_parse(s, &ns), 0);
	return ns;
}

START_TEST(durations_are_pairs_of_number_and_unit)
{
	ck_assert_int_eq(duration("250ms"), EFF_MS(250));
	ck_assert_int_eq(duration("1m30s"), EFF_S(90));
	ck_assert_int_eq(duration("1min30s"), EFF_S(90));
	ck_assert_int_eq(duration("1.5s"), EFF_MS(1500));
	ck_assert_int_eq(duration("1w"), EFF_H(168));
	ck_assert_int_eq(duration("2d1h"), EFF_H(49));
	ck_assert_int_eq(duration("7us"), EFF_US(7));
	ck_assert_int_eq(duration("0.001us"), 1);
	ck_assert_int_eq(duration("0"), 0);
	ck_assert_int_eq(duration("0s"), 0);
	ck_assert_int_eq(duration("infinity"), EFF_FOREVER);
}
END_TEST

START_TEST(durations_are_never_bare_negative_or_too_long)
{
	static const struct {
		const char *s;
		int r;
	} bad[] = {{"30", -EDOM}, {"1.5", -EDOM}, {"", -EINVAL}, {"s", -EINVAL},
		{"-3s", -EINVAL}, {"3 s", -EINVAL}, {"3x", -EINVAL}, {"1.s", -EINVAL},
		{".5s", -EINVAL}, {"3S", -EINVAL}, {"1m30", -EDOM}, {"99999999999w", -ERANGE},
		{"99999999999999999999999s", -ERANGE}, {"infinitys", -EINVAL},
		{"0.0001us", -EINVAL}, {"1.2345us", -EINVAL}};
	eff_ns ns;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(duration_parse(bad[i].s, &ns) == bad[i].r, "%s", bad[i].s);
}
END_TEST

START_TEST(a_duration_is_written_as_it_is_read)
{
	static const char *const texts[] = {"0", "250ms", "1m30s", "1d1h1m1s1ms1us", "500us",
		"infinity", "106751d", "0.001us", "1s0.5us", "10.25us", "1ms100us"};
	char buf[32];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		ck_assert_str_eq(duration_text(duration(texts[i]), buf), texts[i]);
	ck_assert_str_eq(duration_text(INT64_MAX - 1, buf), "106751d23h47m16s854ms775.806us");
}
END_TEST

START_TEST(sizes_say_what_they_mean)
{
	uint64_t bytes;

	ck_assert_int_eq(size_parse("64KiB", &bytes), 0);
	ck_assert_uint_eq(bytes, 65536);
	ck_assert_int_eq(size_parse("50MB", &bytes), 0);
	ck_assert_uint_eq(bytes, 50000000);
	ck_assert_int_eq(size_parse("1.5GiB", &bytes), 0);
	ck_assert_uint_eq(bytes, 1610612736);
	ck_assert_int_eq(size_parse("10B", &bytes), 0);
	ck_assert_uint_eq(bytes, 10);
	ck_assert_int_eq(size_parse("0", &bytes), 0);
	ck_assert_int_eq(size_parse("10", &bytes), -EDOM);
	ck_assert_int_eq(size_parse("10M", &bytes), -EDOM);
	ck_assert_int_eq(size_parse("10k", &bytes), -EDOM);
	ck_assert_int_eq(size_parse("10 MiB", &bytes), -EINVAL);
	ck_assert_int_eq(size_parse("10mb", &bytes), -EINVAL);
	ck_assert_int_eq(size_parse("99999999999GiB", &bytes), -ERANGE);
}
END_TEST

START_TEST(signals_have_names_with_and_without_sig)
{
	char buf[16];

	ck_assert_int_eq(signal_parse("TERM"), SIGTERM);
	ck_assert_int_eq(signal_parse("SIGTERM"), SIGTERM);
	ck_assert_int_eq(signal_parse("9"), SIGKILL);
	ck_assert_int_eq(signal_parse("RTMIN+3"), SIGRTMIN + 3);
	ck_assert_int_eq(signal_parse("SIGRTMAX"), SIGRTMAX);
	ck_assert_int_eq(signal_parse("0"), -EINVAL);
	ck_assert_int_eq(signal_parse("65"), -EINVAL);
	ck_assert_int_eq(signal_parse("sigterm"), -EINVAL);
	ck_assert_int_eq(signal_parse("RTMIN+"), -EINVAL);
	ck_assert_int_eq(signal_parse("RTMAX+1"), -EINVAL);
	ck_assert_int_eq(signal_parse(""), -EINVAL);
	for (int sig = 1; sig < 32; sig++)
		ck_assert_int_eq(signal_parse(signal_text(sig, buf)), sig);
	ck_assert_str_eq(signal_text(40, buf), "SIG40");
}
END_TEST

START_TEST(errors_have_names)
{
	ck_assert_str_eq(errno_name(ENOENT), "ENOENT");
	ck_assert_str_eq(errno_name(9999), "E9999");
}
END_TEST

START_TEST(distance_counts_and_stops_counting)
{
	ck_assert_uint_eq(text_distance("restart", "restart", 2), 0);
	ck_assert_uint_eq(text_distance("restart", "retsart", 2), 1);
	ck_assert_uint_eq(text_distance("comand", "command", 2), 1);
	ck_assert_uint_eq(text_distance("", "ab", 2), 2);
	ck_assert_uint_eq(text_distance("kitten", "sitting", 5), 3);
	ck_assert_uint_eq(text_distance("kitten", "sitting", 2), 3);
	ck_assert_uint_eq(text_distance("abc", "xyzxyzxyzxyz", 2), 3);
}
END_TEST

START_TEST(globs_respect_slashes)
{
	ck_assert(glob_match("*", "web"));
	ck_assert(!glob_match("*", "workers/web"));
	ck_assert(glob_match("workers/*", "workers/web"));
	ck_assert(!glob_match("workers/*", "workers/a/b"));
	ck_assert(glob_match("workers/**", "workers/a/b"));
	ck_assert(glob_match("**", "workers/a/b"));
	ck_assert(glob_match("**/b", "b"));
	ck_assert(glob_match("**/b", "workers/a/b"));
	ck_assert(!glob_match("**/b", "workers/ab"));
	ck_assert(glob_match("a**b", "a/x/b"));
	ck_assert(glob_match("**/x/*.log", "a/x/b/x/c.log"));
	ck_assert(glob_match("LC_*", "LC_ALL"));
	ck_assert(!glob_match("LC_*", "LANG"));
	ck_assert(glob_match("w?b", "web"));
	ck_assert(!glob_match("w?b", "w/b"));
	ck_assert(glob_match("[a-c]x[!0-9]", "bxz"));
	ck_assert(!glob_match("[a-c]x[!0-9]", "bx5"));
	ck_assert(!glob_match("[!a]", "/"));
	ck_assert(glob_match("[]a]", "]"));
	ck_assert(glob_match("[a-]", "-"));
	ck_assert(glob_match("[", "["));
	ck_assert(glob_match("a\\*", "a*"));
	ck_assert(!glob_match("a\\*", "ab"));
	ck_assert(glob_match("", ""));
	ck_assert(!glob_match("", "a"));
	ck_assert(!glob_match("a", ""));
	ck_assert(glob_match("*a*b*c", "xxaxxbxxbxxc"));
}
END_TEST

START_TEST(a_glob_of_many_stars_ends_soon)
{
	static char name[4001];

	memset(name, 'a', sizeof(name) - 1);
	name[4000] = '\0';
	ck_assert(!glob_match("*a*a*a*a*a*a*a*a*a*a*b", name));
}
END_TEST

START_TEST(only_utf8_is_utf8)
{
	ck_assert_uint_eq(utf8_span("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 10), 10);
	ck_assert_uint_eq(utf8_span("a\xff", 2), 1);
	ck_assert_uint_eq(utf8_span("a\xc3", 2), 1);
	ck_assert_uint_eq(utf8_span("\xc0\x80", 2), 0);
	ck_assert_uint_eq(utf8_span("\xed\xa0\x80", 3), 0);
	ck_assert_uint_eq(utf8_span("\xe0\x80\x80", 3), 0);
	ck_assert_uint_eq(utf8_span("\xf4\x90\x80\x80", 4), 0);
	ck_assert_uint_eq(utf8_span("\x80", 1), 0);
	ck_assert_uint_eq(utf8_span("", 0), 0);
}
END_TEST

START_TEST(what_is_not_utf8_is_found_wherever_it_is)
{
	char text[40];

	for (size_t at = 0; at < sizeof(text); at++) {
		memset(text, 'a', sizeof(text));
		text[at] = '\xff';
		ck_assert_uint_eq(utf8_span(text, sizeof(text)), at);
		ck_assert_uint_eq(utf8_span(text, at), at);
		memcpy(text + at, "\xc3\xa4", at + 1 < sizeof(text) ? 2 : 1);
		ck_assert_uint_eq(utf8_span(text, sizeof(text)),
			at + 1 < sizeof(text) ? sizeof(text) : at);
	}
}
END_TEST

START_TEST(an_instant_is_written_in_utc_with_milliseconds)
{
	char buf[32];

	ck_assert_str_eq(wall_text(0, buf), "1970-01-01T00:00:00.000Z");
	ck_assert_str_eq(wall_text(EFF_S(1700000000) + EFF_MS(42), buf), "2023-11-14T22:13:20.042Z");
	ck_assert_str_eq(wall_text(-1, buf), "1969-12-31T23:59:59.999Z");
}
END_TEST

START_TEST(time_saturates)
{
	ck_assert_int_eq(eff_ns_add(EFF_FOREVER, 1), EFF_FOREVER);
	ck_assert_int_eq(eff_ns_add(INT64_MIN, -1), INT64_MIN);
	ck_assert_int_eq(eff_ns_scale(EFF_S(1), 2.5), EFF_MS(2500));
	ck_assert_int_eq(eff_ns_scale(EFF_FOREVER, 2), EFF_FOREVER);
	ck_assert_int_eq(eff_ns_scale(EFF_S(1), -1), 0);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("text");
	TCase *tcase = tcase_create("text");

	tcase_add_test(tcase, a_path_loses_what_says_nothing);
	tcase_add_test(tcase, a_text_grows);
	tcase_add_test(tcase, what_is_written_into_its_room_is_of_the_text);
	tcase_add_test(tcase, seconds_are_written_to_the_millisecond);
	tcase_add_test(tcase, a_text_that_failed_stays_failed);
	tcase_add_test(tcase, durations_are_pairs_of_number_and_unit);
	tcase_add_test(tcase, durations_are_never_bare_negative_or_too_long);
	tcase_add_test(tcase, a_duration_is_written_as_it_is_read);
	tcase_add_test(tcase, sizes_say_what_they_mean);
	tcase_add_test(tcase, signals_have_names_with_and_without_sig);
	tcase_add_test(tcase, errors_have_names);
	tcase_add_test(tcase, distance_counts_and_stops_counting);
	tcase_add_test(tcase, globs_respect_slashes);
	tcase_add_test(tcase, a_glob_of_many_stars_ends_soon);
	tcase_add_test(tcase, only_utf8_is_utf8);
	tcase_add_test(tcase, what_is_not_utf8_is_found_wherever_it_is);
	tcase_add_test(tcase, an_instant_is_written_in_utc_with_milliseconds);
	tcase_add_test(tcase, time_saturates);
	suite_add_tcase(suite, tcase);
	return suite;
}
