/* SPDX-License-Identifier: MIT */
/* Cron's five fields. The next instant is found by walking the days of the calendar, then the minutes of a day that is
 * chosen; what an instant is, the zone says. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/calendar.h"
#include "base/date.h"

/* A 29 February of a given weekday comes after forty years at most: 2100 is no leap year. */
enum { N_FIELDS = 5, YEARS_MOST = 40, REPEAT_MOST = 4 * 3600 };
#define SECOND_MOST (INT64_MAX / EFF_S(1))
#define ALL_HOURS 0xffffffU

struct range {
	int least, most;
	const char *const *names; /* of the values from `least` on; NULL: none */
};

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
	"aug", "sep", "oct", "nov", "dec", NULL};
static const char *const day_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const struct range ranges[N_FIELDS] = {
	{0, 59, NULL}, {0, 23, NULL}, {1, 31, NULL}, {1, 12, month_names}, {0, 7, day_names}};

/* ── reading ── */

/* A number or a name; -1: neither. */
static int value_read(const char **at, const struct range *range)
{
	const char *s = *at;
	int n = 0, digits = 0;

	for (int i = 0; range->names && range->names[i]; i++) {
		size_t len = strlen(range->names[i]);

		if (strncasecmp(s, range->names[i], len) == 0) {
			*at = s + len;
			return range->least + i;
		}
	}
	for (; *s >= '0' && *s <= '9' && digits < 4; s++, digits++)
		n = n * 10 + (*s - '0');
	*at = s;
	return digits ? n : -1;
}

/* One item of a list: a value, a range or a star, and a step. Returns NULL, or why not. */
static const char *item_read(const char **at, const struct range *range, uint64_t *set)
{
	int from = range->least, to = range->most, step = 1;
	bool is_alone = false;

	if (**at == '*') {
		(*at)++;
	} else {
		from = to = value_read(at, range);
		is_alone = **at != '-';
		if (from >= 0 && !is_alone) {
			(*at)++;
			to = value_read(at, range);
		}
	}
	if (from < 0 || to < 0)
		return "is no number";
	if (**at == '/') {
		(*at)++;
		step = value_read(at, &(struct range){0, 59, NULL});
		if (step <= 0)
			return "has a step that is no number from 1 on";
		/* 5/10: from five on. */
		if (is_alone)
			to = range->most;
	}
	if (from < range->least || to > range->most)
		return "is out of its range";
	if (from > to)
		return "ends before it begins";
	for (int i = from; i <= to; i += step)
		*set |= UINT64_C(1) << i;
	return NULL;
}

static const char *field_read(const char *text, size_t len, const struct range *range, uint64_t *set)
{
	const char *at = text;
	const char *why;

	for (;;) {
		why = item_read(&at, range, set);
		if (why)
			return why;
		if (at == text + len)
			return NULL;
		if (*at++ != ',')
			return "is none of a number, a range, a list or a star";
	}
}

static bool day_can_come(const struct cron *cron)
{
	static const int most[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (!cron->any_weekday || cron->any_day)
		return true;
	for (int month = 1; month <= 12; month++)
		for (int day = 1; day <= most[month - 1]; day++)
			if (cron->months >> month & 1 && cron->days >> day & 1)
				return true;
	return false;
}

int cron_parse(const char *text, struct cron *ret_cron, uint32_t *ret_at, const char **ret_why)
{
	uint64_t sets[N_FIELDS] = {0};
	uint32_t at[N_FIELDS + 1] = {0};
	bool stars[N_FIELDS] = {false};
	const char *s = text + strspn(text, " \t");
	const char *why = NULL;
	int n = 0;

	for (; *s && n < N_FIELDS && !why; n++) {
		size_t len = strcspn(s, " \t");

		at[n] = (uint32_t)(s - text);
		stars[n] = *s == '*';
		why = field_read(s, len, &ranges[n], &sets[n]);
		s += len;
		s += strspn(s, " \t");
	}
	*ret_at = n ? at[n - 1] : 0;
	if (!why && (n < N_FIELDS || *s)) {
		*ret_at = (uint32_t)(s - text);
		why = *s ? "is a sixth field: there are minute hour day month weekday"
			 : "needs five fields: minute hour day month weekday";
	}
	*ret_why = why;
	if (why)
		return -EINVAL;
	*ret_cron = (struct cron){.minutes = sets[0],
		.hours = (uint32_t)sets[1],
		.days = (uint32_t)sets[2],
		.months = (uint16_t)sets[3],
		.weekdays = (uint8_t)((sets[4] | sets[4] >> 7) & 0x7f),
		.any_hour = sets[1] == ALL_HOURS,
		.any_day = stars[2],
		.any_weekday = stars[4]};
	if (day_can_come(ret_cron))
		return 0;
	*ret_at = at[2];
	*ret_why = "is a day that never comes";
	return -EINVAL;
}

/* ── choosing ── */

static bool day_is_chosen(const struct cron *cron, const struct date *date)
{
	bool by_day, by_weekday;

	if (!(cron->months >> date->month & 1))
		return false;
	by_day = cron->days >> date->day & 1;
	by_weekday = cron->weekdays >> date_weekday(date->year, date->month, date->day) & 1;
	return cron->any_day || cron->any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

static void day_next(struct date *date)
{
	if (++date->day <= date_days(date->year, date->month))
		return;
	date->day = 1;
	if (++date->month <= 12)
		return;
	date->month = 1;
	date->year++;
}

/* The first minute of the day that is chosen and later than `after`; INT64_MAX: none. */
static int64_t second_of_day(
	const struct cron *cron, const char *zone, struct date date, int64_t after)
{
	for (date.hour = 0; date.hour < 24; date.hour++) {
		struct date last = date;

		if (!(cron->hours >> date.hour & 1))
			continue;
		/* An hour that is over is passed over whole. */
		last.minute = 59;
		if (date_second(zone, &last) <= after)
			continue;
		for (date.minute = 0; date.minute < 60; date.minute++) {
			int64_t second;

			if (!(cron->minutes >> date.minute & 1))
				continue;
			second = date_second(zone, &date);
			if (second > after)
				return second;
		}
	}
	return INT64_MAX;
}

/* In an hour that comes again, for those whom any hour will do: the clock shows what it showed before. */
static int64_t second_of_repeat(
	const struct cron *cron, const char *zone, int64_t after, int64_t until)
{
	struct date date;

	for (int64_t second = after - after % 60 + 60; second < until; second += 60) {
		date_of(zone, second, &date);
		if (cron->minutes >> date.minute & 1 && day_is_chosen(cron, &date) &&
			date_second(zone, &date) != second)
			return second;
	}
	return until;
}

/* Does an hour come again between these two? They are a few hours apart at most, or it does not matter. */
static bool clock_goes_back(const char *zone, int64_t from, int64_t to)
{
	return zone_offset(zone, from - 7200) > zone_offset(zone, to);
}

eff_ns cron_next(const struct cron *cron, const char *zone, eff_ns after)
{
	int64_t from = after / EFF_S(1), second = INT64_MAX;
	struct date date;
	int last_year;

	date_of(zone, from, &date);
	last_year = date.year + YEARS_MOST;
	for (; second == INT64_MAX && date.year <= last_year; day_next(&date))
		if (day_is_chosen(cron, &date))
			second = second_of_day(cron, zone, date, from);
	if (second > SECOND_MOST)
		return EFF_FOREVER;
	if (cron->any_hour && second - from <= REPEAT_MOST && clock_goes_back(zone, from, second))
		second = second_of_repeat(cron, zone, from, second);
	return EFF_S(second);
}
