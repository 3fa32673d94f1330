/* SPDX-License-Identifier: MIT */
/* An effect that waits for nothing needs neither fiber nor runtime: to run it is to call it. */
#include "example.h"

static eff_exit calculate(void *arg)
{
	int answer = 42 * 2;

	(void)arg;
	return eff_ok_number(answer);
}

int main(int argc, char **argv)
{
	eff_exit result;

	(void)example_opts(argc, argv);
	result = eff_call(EFF(calculate, NULL));
	say("Simple calculation: %d", (int)result.value.number);
	return 0;
}
