/* SPDX-License-Identifier: MIT */
/* Work, counted: every basic block of effd and libeff that runs is a step. What is built with STEPS=1 counts them; a count is
 * the same on every machine, however busy it is, and no loop escapes it. */
#ifndef TESTS_SCALE_STEPS_H
#define TESTS_SCALE_STEPS_H

#include <stdint.h>

extern uint64_t *steps_taken; /* so far */

#endif
