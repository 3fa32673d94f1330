/* SPDX-License-Identifier: MIT */
/* A date and a minute, as a clock on the wall shows them. For calendar.c and cron.c. */
#ifndef EFFD_DATE_H
#define EFFD_DATE_H

#include <stdint.h>

struct date {
	int year, month, day, hour, minute; /* month and day from 1 */
};

/* What the clock of the zone shows at that second since 1970. */
void date_of(const char *zone, int64_t second, struct date *ret);
/* The first second at which it shows that date, or has skipped it. */
int64_t date_second(const char *zone, const struct date *date);
/* By how many seconds its clock is ahead of UTC at that second. */
int64_t zone_offset(const char *zone, int64_t second);
/* Days of a month; the day of the week of a date, Sunday being 0. */
int date_days(int year, int month);
int date_weekday(int year, int month, int day);

#endif
