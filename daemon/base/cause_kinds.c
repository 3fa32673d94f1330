/* SPDX-License-Identifier: MIT */
/* The kinds of causes by their table: apart from causes themselves, for who only shows them. */
#include <errno.h>
#include <string.h>

#include "base/cause.h"

static const char *const names[] = {
#define CAUSE(symbol, name, class, meaning) name,
#include "base/causes.def"
#undef CAUSE
};

static const enum cause_class classes[] = {
#define CAUSE(symbol, name, class, meaning) CAUSE_CLASS_##class,
#include "base/causes.def"
#undef CAUSE
};

const char *cause_kind_name(enum cause_kind kind)
{
	return names[kind];
}

int cause_kind_parse(const char *name)
{
	int kind;

	for (kind = 0; kind < CAUSE_N_KINDS; kind++)
		if (strcmp(names[kind], name) == 0)
			return kind;
	return -EINVAL;
}

enum cause_class cause_kind_class(enum cause_kind kind)
{
	return classes[kind];
}

bool cause_kind_never_clean(enum cause_kind kind)
{
	return kind == CAUSE_PROBE || kind == CAUSE_WATCHDOG || kind == CAUSE_START_TIMEOUT ||
		kind == CAUSE_MAX_RUNTIME;
}
