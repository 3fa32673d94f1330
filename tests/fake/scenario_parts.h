/* SPDX-License-Identifier: MIT */
/* What can be left out of a scenario: the list of its parts. A part that is left out is zero. */
#ifndef TESTS_SCENARIO_PARTS_H
#define TESTS_SCENARIO_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct scenario;

enum { PARTS_MOST = 4096 };

struct part {
	size_t at; /* in the scenario: these bytes … */
	unsigned size;
	uint32_t mask;  /* … or, of a uint32_t, these bits; 0: all of it */
	unsigned owner; /* the part without which it is nothing; its own number: none */
	enum part_kind { PART_STEP, PART_NODE, PART_DETAIL, PART_KINDS } kind;
};

struct parts {
	struct part list[PARTS_MOST];
	unsigned n;
};

/* All that is there to be left out. The same scenario has the same parts in the same order. */
void parts_of(const struct scenario *s, struct parts *parts);
/* The scenario with those alone. */
void parts_keep(const struct scenario *s, const struct parts *parts, const bool *kept,
	struct scenario *ret_scenario);
/* Those that are kept, as "0,4-7,9"; "-" for none. */
void parts_text(const struct parts *parts, const bool *kept, struct text *text);
/* And back; false: that is no such text. */
bool parts_parse(const struct parts *parts, const char *text, bool *ret_kept);

#endif
