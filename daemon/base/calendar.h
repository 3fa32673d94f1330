/* SPDX-License-Identifier: MIT */
/* Dates of a time zone, as the C library knows them; and cron's way of choosing some. Nothing here suspends or logs. */
#ifndef EFFD_CALENDAR_H
#define EFFD_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include <eff/time.h>

/* Is there a time zone of this name ("UTC", "Europe/Berlin")? Looks at the machine's files. */
bool zone_is_known(const char *zone);

/* Five fields of cron as sets: minute, hour, day of the month, month, day of the week. (As cron(8) has them: lists, ranges,
 * steps, names of months and days, 7 is Sunday too; when both kinds of day are restricted either will do.) */
struct cron {
	uint64_t minutes;
	uint32_t hours, days;
	uint16_t months;
	uint8_t weekdays;
	bool any_hour, any_day, any_weekday;
};

/* Returns 0; or -EINVAL, and where and why: `ret_at` is the offset of the field, `ret_why` static words. */
int cron_parse(const char *text, struct cron *ret_cron, uint32_t *ret_at, const char **ret_why);
/* The first instant after `after` (both ns since 1970) that is chosen by the clock of the zone. What falls into an hour that the clock
 * skips is chosen once, right after it; what comes twice is chosen the first time, but where any hour will do. EFF_FOREVER:
 * none within forty years. */
eff_ns cron_next(const struct cron *cron, const char *zone, eff_ns after);

#endif
