/* SPDX-License-Identifier: MIT */
/* The main() of every unit test program: it runs the one suite that the program defines, each test in a process of its
 * own, and ends with the line that scripts/run-tests adds up. check's variables work as ever: CK_FORK=no for a debugger,
 * CK_RUN_CASE=NAME, CK_VERBOSITY=verbose, CK_DEFAULT_TIMEOUT. */
#include <stdio.h>
#include <stdlib.h>

#include <check.h>

#include "folder.h"

Suite *test_suite(void);

int main(void)
{
	SRunner *runner;
	int n_run;
	int n_failed;

	/* Four seconds, check's own limit, are short for a sanitized build on a busy machine: this is only for what hangs. */
	(void)setenv("CK_DEFAULT_TIMEOUT", "600", 0);
	test_folder_begin();
	runner = srunner_create(test_suite());
	srunner_run_all(runner, CK_ENV);
	n_run = srunner_ntests_run(runner);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	test_folder_end();
	/* A suite that forgot to add its tests has not passed. */
	if (!n_run && !getenv("CK_RUN_CASE") && !getenv("CK_RUN_SUITE") && !getenv("CK_INCLUDE_TAGS"))
		n_failed = 1;
	printf("%d passed, %d failed\n", n_run > n_failed ? n_run - n_failed : 0, n_failed);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
