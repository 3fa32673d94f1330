/* SPDX-License-Identifier: MIT */
/* What a fiber unit sees of effd: `<effd/fiber.h>`. The face lives as long as the child; the values of `with` are the
 * plan's. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <effd/fiber.h>

#include "base/text.h"
#include "unit/internal.h"

eff_exit task_run(void *arg)
{
	struct effd_fiber *self = arg;
	eff_exit (*entry)(struct effd_fiber * self) = (eff_exit(*)(struct effd_fiber *))(
		void (*)(void))self->entry;

	return entry(self);
}

struct unit *fiber_unit(const struct effd_fiber *self)
{
	return self->unit;
}

const char *effd_fiber_name(const struct effd_fiber *self)
{
	return self->unit->name;
}

uint32_t effd_fiber_instance(const struct effd_fiber *self)
{
	const char *at = strrchr(self->unit->name, '@');

	return at ? (uint32_t)strtoul(at + 1, NULL, 10) : 0;
}

static const char *face_value(const struct effd_fiber *self, const char *key)
{
	for (uint32_t i = 0; i < self->spec->n_with; i++)
		if (strcmp(self->spec->with[i].name, key) == 0)
			return self->spec->with[i].value;
	return NULL;
}

/* A value of another type than the fiber asked for is the author's to hear of. */
static void face_complain(
	const struct effd_fiber *self, const char *key, const char *value, const char *wanted)
{
	char line[256];
	int n = snprintf(line, sizeof(line), "with.%s: \"%s\" is not %s", key, value, wanted);

	if (n > 0)
		output_line(self->unit, line,
			(size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

const char *effd_fiber_text(const struct effd_fiber *self, const char *key, const char *otherwise)
{
	const char *value = face_value(self, key);

	return value ? value : otherwise;
}

int64_t effd_fiber_number(const struct effd_fiber *self, const char *key, int64_t otherwise)
{
	const char *value = face_value(self, key);
	char *end;
	long long number;

	if (!value)
		return otherwise;
	errno = 0;
	number = strtoll(value, &end, 10);
	if (errno == 0 && end != value && *end == '\0')
		return number;
	face_complain(self, key, value, "a whole number");
	return otherwise;
}

double effd_fiber_real(const struct effd_fiber *self, const char *key, double otherwise)
{
	const char *value = face_value(self, key);
	char *end;
	double number;

	if (!value)
		return otherwise;
	number = strtod(value, &end);
	if (end != value && *end == '\0')
		return number;
	face_complain(self, key, value, "a number");
	return otherwise;
}

bool effd_fiber_bool(const struct effd_fiber *self, const char *key, bool otherwise)
{
	const char *value = face_value(self, key);

	if (!value)
		return otherwise;
	if (strcmp(value, "true") == 0)
		return true;
	if (strcmp(value, "false") == 0)
		return false;
	face_complain(self, key, value, "true or false");
	return otherwise;
}

eff_ns effd_fiber_duration(const struct effd_fiber *self, const char *key, eff_ns otherwise)
{
	const char *value = face_value(self, key);
	eff_ns ns;

	if (!value)
		return otherwise;
	if (duration_parse(value, &ns) == 0)
		return ns;
	face_complain(self, key, value, "a duration such as 5s");
	return otherwise;
}

void effd_fiber_ready(struct effd_fiber *self)
{
	eff_event_set(&self->child->ready);
}

void effd_fiber_alive(struct effd_fiber *self)
{
	eff_pulse_send(&self->child->alive);
}

void effd_fiber_status(struct effd_fiber *self, const char *format, ...)
{
	char text[1024];
	va_list args;
	char *copy;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	copy = strdup(text);
	if (copy)
		unit_say(self->unit, copy);
}

void effd_fiber_log(struct effd_fiber *self, const char *format, ...)
{
	char line[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n > 0)
		output_line(self->unit, line,
			(size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}
