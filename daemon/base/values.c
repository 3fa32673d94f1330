/* SPDX-License-Identifier: MIT */
/* The values of the tree's language, both ways: durations, sizes, signals, and the names of errors. Nothing is ever
 * bare: 30 may be seconds or milliseconds, 10M may be a million or 2^20, so both are refused with an error of its own. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct unit_of {
	const char *name;
	uint64_t factor;
};

/* Longer names first where one begins with another. */
static const struct unit_of durations[] = {{"us", 1000}, {"ms", 1000000}, {"min", 60000000000},
	{"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}, {"d", 86400000000000},
	{"w", 604800000000000}};

static const struct unit_of sizes[] = {{"B", 1}, {"KiB", 1024}, {"MiB", 1048576},
	{"GiB", 1073741824}, {"kB", 1000}, {"MB", 1000000}, {"GB", 1000000000}};

static const char *const signal_names[] = {
#define NAME(name) [SIG##name] = "SIG" #name
	NAME(HUP), NAME(INT), NAME(QUIT), NAME(ILL), NAME(TRAP), NAME(ABRT), NAME(BUS),
	NAME(FPE), NAME(KILL), NAME(USR1), NAME(SEGV), NAME(USR2), NAME(PIPE), NAME(ALRM),
	NAME(TERM), NAME(STKFLT), NAME(CHLD), NAME(CONT), NAME(STOP), NAME(TSTP), NAME(TTIN),
	NAME(TTOU), NAME(URG), NAME(XCPU), NAME(XFSZ), NAME(VTALRM), NAME(PROF), NAME(WINCH),
	NAME(POLL), NAME(PWR), NAME(SYS)
#undef NAME
};

#define N_SIGNALS ((int)(sizeof(signal_names) / sizeof(signal_names[0])))

/* Digits with at most one point among them, as a count of `unit` times `factor`; stops at the first other character. */
static int number_parse(const char **s, uint64_t *ret_whole, uint64_t *ret_part, uint64_t *ret_scale)
{
	const char *p = *s;
	uint64_t whole = 0, part = 0, scale = 1;

	if (!isdigit((unsigned char)*p))
		return -EINVAL;
	for (; isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
			__builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole))
			return -ERANGE;
	if (*p == '.') {
		if (!isdigit((unsigned char)*++p))
			return -EINVAL;
		for (; isdigit((unsigned char)*p); p++) {
			if (scale > 100000)
				return -EINVAL;
			part = part * 10 + (uint64_t)(*p - '0');
			scale *= 10;
		}
	}
	*s = p;
	*ret_whole = whole;
	*ret_part = part;
	*ret_scale = scale;
	return 0;
}

static const struct unit_of *unit_find(
	const struct unit_of *units, size_t n, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strlen(units[i].name) == len && strncmp(units[i].name, s, len) == 0)
			return &units[i];
	return NULL;
}

int duration_parse(const char *s, eff_ns *ret_ns)
{
	uint64_t total = 0, whole, part, scale, one;
	const struct unit_of *unit;
	size_t len;
	int r;

	if (strcmp(s, "infinity") == 0) {
		*ret_ns = EFF_FOREVER;
		return 0;
	}
	if (strcmp(s, "0") == 0) {
		*ret_ns = 0;
		return 0;
	}
	do {
		r = number_parse(&s, &whole, &part, &scale);
		if (r < 0)
			return r;
		len = strspn(s, "abcdefghijklmnopqrstuvwxyz");
		if (len == 0)
			return *s ? -EINVAL : -EDOM;
		unit = unit_find(durations, sizeof(durations) / sizeof(durations[0]), s, len);
		/* There is nothing finer than a nanosecond, and what would become 0 might mean something else. */
		if (!unit || scale > unit->factor)
			return -EINVAL;
		if (__builtin_mul_overflow(whole, unit->factor, &one) ||
			__builtin_add_overflow(one, unit->factor / scale * part, &one) ||
			__builtin_add_overflow(total, one, &total) || total >= INT64_MAX)
			return -ERANGE;
		s += len;
	} while (*s);
	*ret_ns = (eff_ns)total;
	return 0;
}

/* Microseconds, and what is left of one behind a point. */
static void add_us(char *to, size_t size, uint64_t ns)
{
	char part[8] = "";

	(void)snprintf(part, sizeof(part), ".%03u", (unsigned)(ns % 1000));
	for (size_t i = 4; i > 0 && strchr(".0", part[i - 1]); i--)
		part[i - 1] = '\0';
	(void)snprintf(to, size, "%llu%sus", (unsigned long long)(ns / 1000), part);
}

const char *duration_text(eff_ns ns, char buf[static 32])
{
	static const struct unit_of shown[] = {{"d", 86400000000000}, {"h", 3600000000000},
		{"m", 60000000000}, {"s", 1000000000}, {"ms", 1000000}};
	uint64_t rest = ns > 0 ? (uint64_t)ns : 0, n;
	size_t i, len = 0;

	(void)snprintf(buf, 32, "%s", ns == EFF_FOREVER ? "infinity" : "0");
	if (ns == EFF_FOREVER)
		return buf;
	for (i = 0; i < sizeof(shown) / sizeof(shown[0]) && len < 32; i++) {
		n = rest / shown[i].factor;
		rest %= shown[i].factor;
		if (n)
			len += (size_t)snprintf(buf + len, 32 - len, "%llu%s",
				(unsigned long long)n, shown[i].name);
	}
	if (rest && len < 32)
		add_us(buf + len, 32 - len, rest);
	return buf;
}

int size_parse(const char *s, uint64_t *ret_bytes)
{
	uint64_t whole, part, scale, bytes;
	const struct unit_of *unit;
	int r = number_parse(&s, &whole, &part, &scale);

	if (r < 0)
		return r;
	if (*s == '\0' && whole == 0 && part == 0) {
		*ret_bytes = 0;
		return 0;
	}
	if (*s == '\0' || strcmp(s, "K") == 0 || strcmp(s, "k") == 0 || strcmp(s, "M") == 0 ||
		strcmp(s, "G") == 0)
		return -EDOM;
	unit = unit_find(sizes, sizeof(sizes) / sizeof(sizes[0]), s, strlen(s));
	if (!unit)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, unit->factor, &bytes) ||
		__builtin_add_overflow(bytes, unit->factor * part / scale, &bytes))
		return -ERANGE;
	*ret_bytes = bytes;
	return 0;
}

/* "RTMIN+3", "RTMAX-1". */
static int realtime_parse(const char *s)
{
	int base = strncmp(s, "RTMIN", 5) == 0 ? SIGRTMIN
		: strncmp(s, "RTMAX", 5) == 0  ? SIGRTMAX
					       : 0;
	int sig = base;
	char *end;

	if (!base)
		return -EINVAL;
	if (s[5] != '\0') {
		if ((s[5] != '+' && s[5] != '-') || !isdigit((unsigned char)s[6]))
			return -EINVAL;
		sig = base + (int)strtol(s + 5, &end, 10);
		if (*end != '\0')
			return -EINVAL;
	}
	return sig >= SIGRTMIN && sig <= SIGRTMAX ? sig : -EINVAL;
}

int signal_parse(const char *s)
{
	const char *name = strncmp(s, "SIG", 3) == 0 ? s + 3 : s;
	int sig;

	if (isdigit((unsigned char)*s)) {
		if (strlen(s) > 2 || strspn(s, "0123456789") != strlen(s))
			return -EINVAL;
		sig = atoi(s);
		return sig >= 1 && sig <= 64 ? sig : -EINVAL;
	}
	for (sig = 1; sig < N_SIGNALS; sig++)
		if (signal_names[sig] && strcmp(signal_names[sig] + 3, name) == 0)
			return sig;
	return realtime_parse(name);
}

const char *signal_nearest(const char *s)
{
	uint32_t least = strlen(s) < 5 ? 2 : 3;
	const char *nearest = NULL;
	char upper[16];
	size_t i;

	/* Nobody means another signal by small letters. */
	for (i = 0; s[i] && i + 1 < sizeof(upper); i++)
		upper[i] = (char)toupper((unsigned char)s[i]);
	upper[i] = '\0';
	for (int sig = 1; sig < N_SIGNALS; sig++) {
		/* With SIG, and without. */
		for (size_t skip = 0; signal_names[sig] && skip <= 3; skip += 3) {
			uint32_t distance = text_distance(upper, signal_names[sig] + skip, least);

			if (distance >= least)
				continue;
			least = distance;
			nearest = signal_names[sig] + skip;
		}
	}
	return nearest;
}

const char *signal_text(int sig, char buf[static 16])
{
	if (sig > 0 && sig < N_SIGNALS && signal_names[sig])
		return signal_names[sig];
	(void)snprintf(buf, 16, "SIG%d", sig);
	return buf;
}

const char *errno_name(int err)
{
	static _Thread_local char buf[16];
	const char *name = strerrorname_np(err);

	if (name)
		return name;
	(void)snprintf(buf, sizeof(buf), "E%d", err);
	return buf;
}
