/* SPDX-License-Identifier: MIT */
/* When cron's five fields choose an instant, in zones whose clocks jump too. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <check.h>

#include "base/calendar.h"

static eff_ns at(const char *utc)
{
	struct tm tm = {0};

	ck_assert_ptr_nonnull(strptime(utc, "%Y-%m-%d %H:%M:%S", &tm));
	return EFF_S(timegm(&tm));
}

static const char *text_of(eff_ns ns)
{
	static char buf[32];
	time_t second = (time_t)(ns / EFF_S(1));
	struct tm tm;

	if (ns == EFF_FOREVER)
		return "never";
	(void)gmtime_r(&second, &tm);
	(void)strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S", &tm);
	return buf;
}

static struct cron cron_of(const char *text)
{
	struct cron cron;
	uint32_t where;
	const char *why;

	ck_assert_msg(cron_parse(text, &cron, &where, &why) == 0, "%s: %u: %s", text, where, why);
	return cron;
}

/* The next ones in turn, until the list ends. */
static void expect(const char *text, const char *zone, const char *after, const char *const *wanted)
{
	struct cron cron = cron_of(text);
	eff_ns now = at(after);

	for (; *wanted; wanted++) {
		now = cron_next(&cron, zone, now);
		ck_assert_str_eq(text_of(now), *wanted);
	}
}
#define EXPECT(text, zone, after, ...) \
	expect(text, zone, after, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(the_fields_choose_minutes_hours_days_months_and_weekdays)
{
	EXPECT("*/15 * * * *", "UTC", "2026-01-01 00:00:00", "2026-01-01 00:15:00",
		"2026-01-01 00:30:00", "2026-01-01 00:45:00", "2026-01-01 01:00:00");
	EXPECT("30 4 * * *", "UTC", "2026-01-01 04:29:59", "2026-01-01 04:30:00",
		"2026-01-02 04:30:00");
	EXPECT("0 0 31 * *", "UTC", "2026-01-31 00:00:00", "2026-03-31 00:00:00",
		"2026-05-31 00:00:00");
	EXPECT("0 0 29 2 *", "UTC", "2026-01-01 00:00:00", "2028-02-29 00:00:00",
		"2032-02-29 00:00:00");
	EXPECT("5,10-12 1 1 jan,JUL *", "UTC", "2026-01-01 01:05:00", "2026-01-01 01:10:00",
		"2026-01-01 01:11:00", "2026-01-01 01:12:00", "2026-07-01 01:05:00");
	EXPECT("0 12 * * mon-fri", "UTC", "2026-11-20 12:00:00", "2026-11-23 12:00:00",
		"2026-11-24 12:00:00");
	EXPECT("0 12 * * 7", "UTC", "2026-11-20 12:00:00", "2026-11-22 12:00:00",
		"2026-11-29 12:00:00");
	EXPECT("10/20 3 * * *", "UTC", "2026-01-01 00:00:00", "2026-01-01 03:10:00",
		"2026-01-01 03:30:00", "2026-01-01 03:50:00", "2026-01-02 03:10:00");
	EXPECT("10-10/20 3 * * *", "UTC", "2026-01-01 00:00:00", "2026-01-01 03:10:00",
		"2026-01-02 03:10:00");
	EXPECT("0 0 29 2 */7", "UTC", "2032-01-01 00:00:00", "2032-02-29 00:00:00",
		"2060-02-29 00:00:00", "2088-02-29 00:00:00", "2128-02-29 00:00:00",
		"2156-02-29 00:00:00", "2184-02-29 00:00:00", "2224-02-29 00:00:00",
		"2252-02-29 00:00:00", "never");
}
END_TEST

START_TEST(when_both_kinds_of_day_are_restricted_either_will_do)
{
	EXPECT("0 0 13 * 5", "UTC", "2026-11-01 00:00:00", "2026-11-06 00:00:00",
		"2026-11-13 00:00:00", "2026-11-20 00:00:00", "2026-11-27 00:00:00",
		"2026-12-04 00:00:00", "2026-12-11 00:00:00", "2026-12-13 00:00:00");
}
END_TEST

START_TEST(a_zone_has_its_own_clock)
{
	EXPECT("0 3 * * *", "America/New_York", "2026-01-10 00:00:00", "2026-01-10 08:00:00");
	EXPECT("0 3 * * *", "America/New_York", "2026-07-10 00:00:00", "2026-07-10 07:00:00");
	EXPECT("0 3 * * *", "Asia/Kolkata", "2026-07-10 00:00:00", "2026-07-10 21:30:00");
	EXPECT("0 0 * * *", "Pacific/Kiritimati", "2026-07-10 00:00:00", "2026-07-10 10:00:00");
}
END_TEST

START_TEST(an_hour_that_the_clock_skips_runs_once_right_after)
{
	/* Berlin, 2026-03-29: 02:00 CET becomes 03:00 CEST at 01:00 UTC. */
	EXPECT("30 2 * * *", "Europe/Berlin", "2026-03-28 00:00:00", "2026-03-28 01:30:00",
		"2026-03-29 01:00:00", "2026-03-30 00:30:00");
	EXPECT("*/20 2 * * *", "Europe/Berlin", "2026-03-28 22:00:00", "2026-03-29 01:00:00",
		"2026-03-30 00:00:00", "2026-03-30 00:20:00");
}
END_TEST

START_TEST(an_hour_that_comes_twice_runs_once)
{
	/* Berlin, 2026-10-25: 03:00 CEST becomes 02:00 CET at 01:00 UTC. */
	EXPECT("30 2 * * *", "Europe/Berlin", "2026-10-24 12:00:00", "2026-10-25 00:30:00",
		"2026-10-26 01:30:00");
	EXPECT("*/30 2 * * *", "Europe/Berlin", "2026-10-24 12:00:00", "2026-10-25 00:00:00",
		"2026-10-25 00:30:00", "2026-10-26 01:00:00");
}
END_TEST

/* New York, 2026-11-01: 02:00 EDT becomes 01:00 EST at 06:00 UTC. */
START_TEST(nor_is_it_one_of_those_that_were_left_out)
{
	EXPECT("30 */2 * * *", "America/New_York", "2026-11-01 04:00:00", "2026-11-01 04:30:00",
		"2026-11-01 07:30:00");
	EXPECT("30 0-23 * * *", "America/New_York", "2026-11-01 05:00:00",
		"2026-11-01 05:30:00", "2026-11-01 06:30:00", "2026-11-01 07:30:00");
}
END_TEST

START_TEST(where_any_hour_will_do_it_goes_on)
{
	EXPECT("*/30 * * * *", "Europe/Berlin", "2026-10-25 00:00:00", "2026-10-25 00:30:00",
		"2026-10-25 01:00:00", "2026-10-25 01:30:00", "2026-10-25 02:00:00",
		"2026-10-25 02:30:00");
	EXPECT("*/30 * * * *", "Europe/Berlin", "2026-03-29 00:30:00", "2026-03-29 01:00:00",
		"2026-03-29 01:30:00", "2026-03-29 02:00:00");
}
END_TEST

/* UTC is not asked of the C library; it is what it would say of a zone by another name. */
START_TEST(utc_is_a_zone_like_others)
{
	static const char *const texts[] = {
		"* * * * *", "59 23 31 12 *", "0 0 29 2 *", "30 12 * * 1"};
	eff_ns at = EFF_S(951782400); /* 29 February 2000 */

	ck_assert(zone_is_known("Etc/UTC"));
	for (int i = 0; i < 200; i++, at += EFF_S(86400 * 37 + 12345)) {
		struct cron cron;
		uint32_t where;
		const char *why;

		ck_assert_int_eq(cron_parse(texts[i % 4], &cron, &where, &why), 0);
		ck_assert_int_eq(cron_next(&cron, "UTC", at), cron_next(&cron, "Etc/UTC", at));
	}
}
END_TEST

START_TEST(tz_is_as_it_was)
{
	char **before;
	const char *tz;

	(void)setenv("TZ", "Asia/Tokyo", 1);
	tz = getenv("TZ");
	EXPECT("0 3 * * *", "Europe/Berlin", "2026-01-10 00:00:00", "2026-01-10 02:00:00");
	/* The very same: others may be reading it. */
	ck_assert_ptr_eq(getenv("TZ"), tz);
	ck_assert_str_eq(tz, "Asia/Tokyo");
	(void)unsetenv("TZ");
	before = environ;
	EXPECT("0 3 * * *", "Europe/Berlin", "2026-01-10 00:00:00", "2026-01-10 02:00:00");
	ck_assert_ptr_null(getenv("TZ"));
	ck_assert_ptr_eq(environ, before);
}
END_TEST

START_TEST(what_is_wrong_is_told_by_its_field)
{
	static const struct {
		const char *text;
		uint32_t at;
		const char *why;
	} bad[] = {
		{"", 0, "needs five fields: minute hour day month weekday"},
		{"* * * *", 7, "needs five fields: minute hour day month weekday"},
		{"* * * * * *", 10, "is a sixth field: there are minute hour day month weekday"},
		{"60 * * * *", 0, "is out of its range"},
		{"* 24 * * *", 2, "is out of its range"},
		{"* * 0 * *", 4, "is out of its range"},
		{"* * * 13 *", 6, "is out of its range"},
		{"* * * * 8", 8, "is out of its range"},
		{"*/0 * * * *", 0, "has a step that is no number from 1 on"},
		{"*/x * * * *", 0, "has a step that is no number from 1 on"},
		{"5-1 * * * *", 0, "ends before it begins"},
		{"a * * * *", 0, "is no number"},
		{"1, * * * *", 0, "is no number"},
		{"1;2 * * * *", 0, "is none of a number, a range, a list or a star"},
		{"0 0 30 2 *", 4, "is a day that never comes"},
		{"0 0 31 4,6,9,11 *", 4, "is a day that never comes"},
		{"99999999999999999999 * * * *", 0, "is out of its range"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cron cron;
		uint32_t where = 99;
		const char *why = NULL;

		ck_assert_int_eq(cron_parse(bad[i].text, &cron, &where, &why), -EINVAL);
		ck_assert_str_eq(why, bad[i].why);
		ck_assert_msg(where == bad[i].at, "%s: %u", bad[i].text, where);
	}
}
END_TEST

START_TEST(zones_are_known_by_the_machine)
{
	ck_assert(zone_is_known("UTC"));
	ck_assert(zone_is_known("Europe/Berlin"));
	ck_assert(!zone_is_known("Europe"));
	ck_assert(!zone_is_known("Europe/"));
	ck_assert(!zone_is_known("zone.tab"));
	ck_assert(!zone_is_known("Nowhere/Land"));
	ck_assert(!zone_is_known(""));
	ck_assert(!zone_is_known("../../../etc/passwd"));
	ck_assert(!zone_is_known("/etc/passwd"));
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/base/cron");
	TCase *tcase = tcase_create("cron");

	tcase_add_test(tcase, the_fields_choose_minutes_hours_days_months_and_weekdays);
	tcase_add_test(tcase, when_both_kinds_of_day_are_restricted_either_will_do);
	tcase_add_test(tcase, a_zone_has_its_own_clock);
	tcase_add_test(tcase, an_hour_that_the_clock_skips_runs_once_right_after);
	tcase_add_test(tcase, an_hour_that_comes_twice_runs_once);
	tcase_add_test(tcase, nor_is_it_one_of_those_that_were_left_out);
	tcase_add_test(tcase, where_any_hour_will_do_it_goes_on);
	tcase_add_test(tcase, utc_is_a_zone_like_others);
	tcase_add_test(tcase, tz_is_as_it_was);
	tcase_add_test(tcase, what_is_wrong_is_told_by_its_field);
	tcase_add_test(tcase, zones_are_known_by_the_machine);
	suite_add_tcase(suite, tcase);
	return suite;
}
