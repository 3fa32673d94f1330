/* SPDX-License-Identifier: MIT */
/* A cause in words: one form for the log, for `explain` and for effctl, wherever its parts come from. */
#ifndef EFFD_CAUSE_WORDS_H
#define EFFD_CAUSE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct cause;

/* The parts of one cause; what there is not is NULL, or below 0. */
struct cause_words {
	const char *kind, *text, *signal, *command;
	int64_t code, pid, uid;
	bool core;
};

/* "exit 1", "SIGSEGV (core dumped)", "exit 0: ended before it was ready", "probe: liveness probe: EIO (SIGTERM)", "stop
 * requested by effctl (pid 7, uid 0)". */
void cause_words_add(struct text *to, const struct cause_words *words);
/* The same of one cause, without what is behind it. */
void cause_add_alone(struct text *to, const struct cause *cause);

#endif
