/* SPDX-License-Identifier: MIT */
/* The instant that a date of a time zone means. The C library knows zones only by the variable TZ: for the length
 * of a question the environment is another one, with nothing but that. The real one is left alone, so that other threads, which may
 * look for something in it, find it whole or not at all, and no memory is needed. All of effd that asks is one thread, and
 * nothing else of it looks at local time. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/date.h"

#define ZONES "/usr/share/zoneinfo/"

/* The preset, which needs no question to the C library. */
static bool zone_is_utc(const char *zone)
{
	return strcmp(zone, "UTC") == 0;
}

/* Lists of zones lie there too, and folders. */
static bool is_zone_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char magic[4];
	bool is_one;

	if (fd < 0)
		return false;
	is_one = read(fd, magic, sizeof(magic)) == sizeof(magic) &&
		memcmp(magic, "TZif", sizeof(magic)) == 0;
	close(fd);
	return is_one;
}

bool zone_is_known(const char *zone)
{
	char path[300];
	size_t len = strlen(zone);

	if (zone_is_utc(zone))
		return true;
	if (len == 0 || len > 200 || zone[0] == '/' || zone[0] == '.' || strstr(zone, ".."))
		return false;
	(void)snprintf(path, sizeof(path), ZONES "%s", zone);
	return is_zone_file(path);
}

/* What is asked in. */
struct surroundings {
	char tz[256];
	char *all[2];
	char **before;
};

static void zone_enter(struct surroundings *s, const char *zone)
{
	(void)snprintf(s->tz, sizeof(s->tz), "TZ=%s", zone);
	s->all[0] = s->tz;
	s->all[1] = NULL;
	s->before = environ;
	environ = s->all;
	tzset();
}

static void zone_leave(const struct surroundings *s)
{
	environ = s->before;
	tzset();
}

/* What the clock of the zone shows. */
static struct tm zone_shows(const char *zone, int64_t second)
{
	time_t at = (time_t)second;
	struct surroundings around;
	struct tm tm = {0};

	if (zone_is_utc(zone)) {
		(void)gmtime_r(&at, &tm);
		return tm;
	}
	zone_enter(&around, zone);
	(void)localtime_r(&at, &tm);
	zone_leave(&around);
	return tm;
}

void date_of(const char *zone, int64_t second, struct date *ret)
{
	struct tm tm = zone_shows(zone, second);

	*ret = (struct date){.year = tm.tm_year + 1900,
		.month = tm.tm_mon + 1,
		.day = tm.tm_mday,
		.hour = tm.tm_hour,
		.minute = tm.tm_min};
}

static bool is_at_or_after(const struct tm *tm, const struct date *date)
{
	const int shown[] = {
		tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday, tm->tm_hour, tm->tm_min};
	const int wanted[] = {date->year, date->month, date->day, date->hour, date->minute};

	for (int i = 0; i < 5; i++)
		if (shown[i] != wanted[i])
			return shown[i] > wanted[i];
	return true;
}

/* The earliest second at which the clock shows the date or, when it skips that, something later. The answer lies within a
 * day of what the date would be by UTC, and offsets change at most once in that time. */
int64_t date_second(const char *zone, const struct date *date)
{
	struct tm utc = {.tm_year = date->year - 1900,
		.tm_mon = date->month - 1,
		.tm_mday = date->day,
		.tm_hour = date->hour,
		.tm_min = date->minute};
	const int64_t most = INT64_C(26) * 3600;
	int64_t guess = (int64_t)timegm(&utc);
	int64_t low = guess - most, high = guess + most;
	struct surroundings around;

	if (zone_is_utc(zone))
		return guess;
	zone_enter(&around, zone);
	/* Where an hour comes twice the predicate is not monotonic: step back over the first time afterwards. */
	while (low < high) {
		int64_t middle = low + (high - low) / 2;
		time_t at = (time_t)middle;
		struct tm tm;

		(void)localtime_r(&at, &tm);
		if (is_at_or_after(&tm, date))
			high = middle;
		else
			low = middle + 1;
	}
	for (int64_t back = 900; back <= 10800; back += 900) {
		time_t at = (time_t)(low - back);
		struct tm tm;

		(void)localtime_r(&at, &tm);
		if (tm.tm_hour == date->hour && tm.tm_min == date->minute &&
			tm.tm_mday == date->day) {
			low -= back;
			break;
		}
	}
	zone_leave(&around);
	return low - low % 60;
}

int64_t zone_offset(const char *zone, int64_t second)
{
	return zone_shows(zone, second).tm_gmtoff;
}

int date_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

int date_weekday(int year, int month, int day)
{
	struct tm utc = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = 12};

	(void)timegm(&utc);
	return utc.tm_wday;
}
