/* SPDX-License-Identifier: MIT */
/* What the examples share. Each runs in real time, or with --virtual on a clock that jumps from one deadline to the next:
 * in no time, the same every time, and each line with the second in which it was said. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eff.h>

/* A number as the argument of an effect, and back: both fit where an exit's value does. A pointer into the forker's frame
 * would have to outlive it. */
#define NUMBER(n) (eff_ok_number(n).value.pointer)
#define NUMBER_OF(arg) ((int)eff_ok(arg).value.number)

static struct eff_testclock *example_clock;

static inline void example_free_clock(void)
{
	eff_testclock_free(example_clock);
}

/* The options of a runtime by the command line. The clock is freed at the end of the process. */
static inline struct eff_rt_opts example_opts(int argc, char **argv)
{
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && strcmp(argv[1], "--virtual") == 0) {
		example_clock = eff_testclock_new(0);
		if (!example_clock)
			abort();
		(void)atexit(example_free_clock);
		eff_testclock_autojump(example_clock, true);
	} else if (argc > 1) {
		(void)fprintf(stderr, "usage: %s [--virtual]\n", argv[0]);
		exit(2);
	}
	return (struct eff_rt_opts){.clock = example_clock};
}

/* Print a line; where time is virtual with the time before it. A format may begin with an empty line. Does not suspend. */
__attribute__((format(printf, 1, 2))) static inline void say(const char *format, ...)
{
	va_list args;

	for (; *format == '\n'; format++)
		(void)putchar('\n');
	if (example_clock && eff_rt_current())
		printf("%6.3f  ", (double)eff_now() / 1e9);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	(void)putchar('\n');
}

/* Await a fiber and give the reference to it back. Suspends. Returns its exit, or INTERRUPT when the caller was. */
static inline EFF_SUSPENDS eff_exit join(struct eff_fiber *fiber)
{
	eff_exit exit;
	int r = eff_await(fiber, &exit);

	eff_fiber_unref(fiber);
	return r < 0 ? eff_exit_of(r) : exit;
}

#endif
