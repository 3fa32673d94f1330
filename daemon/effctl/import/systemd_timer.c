/* SPDX-License-Identifier: MIT */
/* Timers. What OnCalendar chooses becomes five fields of cron where those can say the same. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/calendar.h"
#include "effctl/import/systemd.h"

static const char *const shorthands[] = {"minutely", "* * * * *", "hourly", "0 * * * *",
	"daily", "0 0 * * *", "midnight", "0 0 * * *", "weekly", "0 0 * * 1", "monthly",
	"0 0 1 * *", "quarterly", "0 0 1 1,4,7,10 *", "semiannually", "0 0 1 1,7 *", "yearly",
	"0 0 1 1 *", "annually", "0 0 1 1 *", NULL};

/* A number without the zeros before it. */
static size_t number_add(struct text *to, const char *s)
{
	size_t n = strspn(s, "0123456789");
	size_t zeros = strspn(s, "0");

	text_add_bytes(to, s + (zeros < n ? zeros : n - 1), n - (zeros < n ? zeros : n - 1));
	return n;
}

/* `5`, or `1..5`; with steps behind it, `0/15`, it goes on to `last`. */
static const char *range_add(struct text *to, const char *s, const char *end, const char *last)
{
	s += number_add(to, s);
	if (end - s > 2 && s[0] == '.' && s[1] == '.' && isdigit((unsigned char)s[2])) {
		text_add(to, "-");
		s += 2;
		return s + number_add(to, s);
	}
	if (s < end && *s == '/')
		text_printf(to, "-%s", last);
	return s;
}

/* One part of a date or a time: `*`, `5`, `1,15`, `1..5`, `0/15`. */
static bool part_add(struct text *to, const char *s, size_t len, const char *last)
{
	const char *end = s + len;

	while (s < end) {
		if (*s != '*' && !isdigit((unsigned char)*s))
			return false;
		if (*s == '*')
			text_add_bytes(to, s++, 1);
		else
			s = range_add(to, s, end, last);
		if (end - s > 1 && *s == '/' && isdigit((unsigned char)s[1])) {
			text_add(to, "/");
			s++;
			s += number_add(to, s);
		}
		if (s == end)
			return true;
		if (*s != ',')
			return false;
		text_add_bytes(to, s++, 1);
	}
	return false;
}

/* "Mon..Fri", "Sat,Sun": cron knows the names by three letters. */
static bool days_add(struct text *to, const char *s)
{
	static const char *const names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

	while (*s) {
		int day = 0;

		while (day < 7 && strncasecmp(s, names[day], 3) != 0)
			day++;
		if (day == 7)
			return false;
		text_printf(to, "%d", day);
		while (isalpha((unsigned char)*s))
			s++;
		if (!strncmp(s, "..", 2) && s[2]) {
			text_add(to, "-");
			s += 2;
		} else if (*s == ',' && s[1]) {
			text_add(to, ",");
			s++;
		} else if (*s) {
			return false;
		}
	}
	return true;
}

/* "*-*-* 04:00:00", its parts by their separators. */
struct moment {
	const char *days, *date, *time, *zone; /* NULL: not given */
};

static bool moment_split(const char **words, struct moment *ret)
{
	*ret = (struct moment){0};
	for (; *words; words++) {
		if (strchr(*words, ':') && !ret->time)
			ret->time = *words;
		else if (isalpha((unsigned char)**words) && !ret->days && !ret->date && !ret->time)
			ret->days = *words;
		else if (isalpha((unsigned char)**words) && !ret->zone && (ret->time || ret->date))
			ret->zone = *words;
		else if (strchr(*words, '-') && !ret->date && !ret->time)
			ret->date = *words;
		else
			return false;
	}
	return ret->days || ret->date || ret->time;
}

/* Minute and hour. Seconds but 0 cron has not. */
static bool time_add(struct text *to, const char *time)
{
	size_t hours, minutes;
	const char *rest;

	if (!time)
		time = "0:0";
	hours = strcspn(time, ":");
	minutes = strcspn(time + hours + 1, ":");
	rest = time + hours + 1 + minutes;
	if (*rest && strcmp(rest, ":00") != 0 && strcmp(rest, ":0") != 0)
		return false;
	if (!part_add(to, time + hours + 1, minutes, "59"))
		return false;
	text_add(to, " ");
	return part_add(to, time, hours, "23");
}

static bool date_add(struct text *to, const char *date)
{
	size_t month;
	struct text months = {0};
	bool good;

	if (!date)
		date = "*-*";
	if (!strncmp(date, "*-", 2) && strchr(date + 2, '-'))
		date += 2;
	month = strcspn(date, "-");
	text_add(to, " ");
	good = date[month] && part_add(&months, date, month, "12") &&
		part_add(to, date + month + 1, strlen(date + month + 1), "31");
	text_add(to, " ");
	if (months.bytes)
		text_add(to, months.bytes);
	text_done(&months);
	return good;
}

/* Five fields; NULL: cron cannot say it. */
static const char *cron_of(struct systemd *s, const char *value)
{
	const char **words = systemd_words(s->im, value);
	struct text text = {0};
	struct moment moment;
	struct cron cron;
	const char *made, *why;
	uint32_t at;
	bool good;

	for (int i = 0; shorthands[i]; i += 2) {
		if (!strcasecmp(value, shorthands[i]))
			return shorthands[i + 1];
	}
	if (!words || !moment_split(words, &moment))
		return NULL;
	good = time_add(&text, moment.time) && date_add(&text, moment.date);
	text_add(&text, " ");
	if (!moment.days)
		text_add(&text, "*");
	else
		good = good && days_add(&text, moment.days);
	made = im_text(s->im, &text);
	if (!good || !made || cron_parse(made, &cron, &at, &why) < 0)
		return NULL;
	/* cron takes either day, systemd both. */
	if (!cron.any_day && !cron.any_weekday)
		return NULL;
	if (moment.zone)
		item_set(s->im, s->unit->item, "schedule.timezone", literal(s->im, moment.zone));
	return made;
}

static void take_calendar(struct systemd *s, const char *value)
{
	struct item *schedule = item_map(s->im, s->unit->item, "schedule");
	const char *cron = cron_of(s, value);

	if (!*value)
		return;
	if (!cron)
		no_equal(s->im, "five fields of cron cannot say `%s`", value);
	else if (item_find(s->im, schedule, "cron") || item_find(s->im, schedule, "every"))
		no_equal(s->im, "a unit has one schedule");
	else
		item_set(s->im, schedule, "cron", cron);
	if (cron && !item_find(s->im, schedule, "timezone"))
		assumed(s->im, "its clock is UTC's; `schedule: {timezone: …}` takes another");
}

static void take_every(struct systemd *s, const char *value)
{
	struct item *schedule = item_map(s->im, s->unit->item, "schedule");
	const char *text = systemd_span(s->im, value);

	if (text && (item_find(s->im, schedule, "cron") || item_find(s->im, schedule, "every")))
		no_equal(s->im, "a unit has one schedule");
	else if (text && strcmp(text, "0") != 0)
		item_set(s->im, schedule, "every", text);
	assumed(s->im, "it goes from start to start, the first so long after effd's own");
}

static void setting_take(struct systemd *s, const struct setting *v)
{
	const char *jitter;

	s->im->line = v->line;
	s->im->setting = v->key;
	if (!strcmp(v->key, "OnCalendar")) {
		take_calendar(s, v->value);
	} else if (!strcmp(v->key, "OnUnitActiveSec")) {
		take_every(s, v->value);
	} else if (!strcmp(v->key, "Persistent")) {
		if (truth(v->value) > 0)
			item_set(s->im, s->unit->item, "schedule.catch_up", "once");
	} else if (!strcmp(v->key, "RandomizedDelaySec")) {
		jitter = systemd_span(s->im, v->value);
		item_set(s->im, s->unit->item, "schedule.jitter", jitter);
	} else if (strcmp(v->key, "Unit") != 0 && strcmp(v->key, "Description") != 0) {
		no_equal(s->im, "effd has no such setting");
	}
}

static struct systemd_unit *target_of(struct systemd *s, const struct systemd_unit *timer)
{
	const char *name = im_printf(s->im, "%s.service", timer->stem);
	struct systemd_unit *target;

	for (const struct section *section = timer->first;
		section && section->file == timer->first->file; section = section->next) {
		const struct setting *named = setting_find(section, "Unit");

		if (named && !strcmp(section->name, "Timer"))
			name = named->value;
	}
	target = name ? table_get(&s->names, NULL, name) : NULL;
	if (!target || !target->item)
		refused(s->im, "`%s`, which it starts, is not among these files", name ? name : "");
	return target && target->item ? target : NULL;
}

void systemd_timer(struct systemd *s)
{
	const struct systemd_unit *timer = s->unit;
	struct systemd_unit *target = target_of(s, timer);
	const struct item *schedule;

	if (!target)
		return;
	s->unit = target;
	for (const struct section *section = timer->first;
		section && section->file == timer->first->file; section = section->next) {
		for (const struct setting *v = section->first; v && !s->im->failed; v = v->next)
			if (!strcmp(section->name, "Timer"))
				setting_take(s, v);
	}
	s->im->line = 0;
	s->im->setting = NULL;
	schedule = item_find(s->im, target->item, "schedule");
	if (item_find(s->im, schedule, "cron") || item_find(s->im, schedule, "every")) {
		target->by_timer = true;
		return;
	}
	item_drop(s->im, target->item, "schedule");
	refused(s->im, "it has no time that effd could keep");
}
