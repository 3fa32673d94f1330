/* SPDX-License-Identifier: MIT */
/* Globs over names with slashes. Two points to come back to are enough: the last `*`, which may take one character more
 * as long as that is no slash, and the last `**`, which may take any. A `*` before the last one never has to give
 * anything back, because the last one could have taken it; so the work is bounded by the product of the lengths. */
#include <stddef.h>
#include <string.h>

#include "base/text.h"

/* Whether `c` is in the set that begins at `p`, before its `end`. */
static bool set_has(const char *p, const char *end, char c)
{
	bool is_range;

	for (; p < end; p += is_range ? 3 : 1) {
		is_range = p[1] == '-' && p + 2 < end;
		if ((unsigned char)c >= (unsigned char)*p &&
			(unsigned char)c <= (unsigned char)p[is_range ? 2 : 0])
			return true;
	}
	return false;
}

/* Matches one character against the `?`, set or letter at `p`; returns what follows it in the pattern, or NULL. */
static const char *match_one(const char *p, char c)
{
	const char *end = *p == '[' && p[1] ? strchr(p + 2, ']') : NULL;
	bool inverse;

	if (*p == '?')
		return c != '/' ? p + 1 : NULL;
	if (end) {
		inverse = p[1] == '!' || p[1] == '^';
		return c != '/' && set_has(p + 1 + inverse, end, c) != inverse ? end + 1 : NULL;
	}
	if (*p == '\\' && p[1])
		p++;
	return *p == c ? p + 1 : NULL;
}

enum { NARROW, WIDE };

struct retry {
	const char *pattern; /* what follows the star; NULL: none was met */
	const char *name;    /* where the rest began when last tried */
	bool whole;          /* of a double star before a slash: begins after slashes only */
};

/* Lets a double star take more; false when the name is used up. */
static bool retry_wide(struct retry *wide)
{
	const char *next;

	if (!wide->pattern || *wide->name == '\0')
		return false;
	if (!wide->whole) {
		wide->name++;
		return true;
	}
	next = strchr(wide->name, '/');
	if (!next)
		return false;
	wide->name = next + 1;
	return true;
}

/* Takes the star at `p`, and notes where to come back to; returns what follows it. */
static const char *take_star(const char *pattern, const char *p, const char *s, struct retry *stars)
{
	bool is_wide = p[1] == '*',
	     whole = is_wide && p[2] == '/' && (p == pattern || p[-1] == '/');

	p += is_wide + 1 + whole;
	if (is_wide)
		stars[NARROW].pattern = NULL;
	stars[is_wide ? WIDE : NARROW] = (struct retry){p, s, whole};
	return p;
}

/* Lets the last star that can take one more; false when none can. */
static bool retry(struct retry *stars, const char **p, const char **s)
{
	struct retry *star = &stars[NARROW];

	if (star->pattern && *star->name && *star->name != '/') {
		star->name++;
	} else {
		star = &stars[WIDE];
		stars[NARROW].pattern = NULL;
		if (!retry_wide(star))
			return false;
	}
	*p = star->pattern;
	*s = star->name;
	return true;
}

bool glob_match(const char *pattern, const char *name)
{
	struct retry stars[2] = {0};
	const char *p = pattern, *s = name, *next;

	while (*p || *s) {
		if (*p == '*') {
			p = take_star(pattern, p, s, stars);
			continue;
		}
		next = *s && *p ? match_one(p, *s) : NULL;
		if (next) {
			p = next;
			s++;
		} else if (!retry(stars, &p, &s)) {
			return false;
		}
	}
	return true;
}
