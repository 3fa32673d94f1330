/* SPDX-License-Identifier: MIT */
/* What a test must leave behind: nothing. */
#ifndef TESTS_LEAK_H
#define TESTS_LEAK_H

#include <check.h>

/* Hold every test of `tcase` to leaving the descriptors as it found them, and no child, be it running or unreaped. Add it
 * before the other fixtures: then it looks after their teardowns. */
void test_leak_guard(TCase *tcase);

#endif
