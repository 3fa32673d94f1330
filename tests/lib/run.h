/* SPDX-License-Identifier: MIT */
/* A runtime for a test: virtual time that jumps, a fixed seed, and a trace of what fibers said, with the time of it. */
#ifndef TESTS_LIB_RUN_H
#define TESTS_LIB_RUN_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include <eff/clock.h>
#include <eff/fiber.h>
#include <eff/runtime.h>

/* A literal as an effect's argument. */
#define TEXT(literal) ((void *)(literal))
/* A number as an argument, by its address. It lives as long as the block it is written in. */
#define NUMBER(n) (&(int64_t){n})

static struct eff_testclock *run_clock;
static struct eff_rt *run_rt;
static char run_trace[4096];

/* "word@3 " in the trace: the word, and the runtime's time in whole seconds (or in ms, "3ms"). */
__attribute__((unused, format(printf, 1, 2))) static void say(const char *format, ...)
{
	size_t len = strlen(run_trace);
	eff_ns now = eff_now();
	va_list args;

	va_start(args, format);
	len += (size_t)vsnprintf(run_trace + len, sizeof(run_trace) - len, format, args);
	va_end(args);
	if (len >= sizeof(run_trace))
		return; /* a test that says that much looks at something else */
	if (now % EFF_S(1))
		snprintf(run_trace + len, sizeof(run_trace) - len, "@%dms ",
			(int)(now / EFF_MS(1)));
	else
		snprintf(run_trace + len, sizeof(run_trace) - len, "@%d ", (int)(now / EFF_S(1)));
}

__attribute__((unused)) static void run_setup(void)
{
	struct eff_rt_opts opts = {.seed = 1};

	run_trace[0] = '\0';
	run_clock = eff_testclock_new(0);
	ck_assert_ptr_nonnull(run_clock);
	eff_testclock_autojump(run_clock, true);
	opts.clock = run_clock;
	ck_assert_int_eq(eff_rt_new(&opts, &run_rt), 0);
}

__attribute__((unused)) static void run_teardown(void)
{
	eff_rt_free(run_rt);
	eff_testclock_free(run_clock);
}

/* Run it as the root; it must end well. */
__attribute__((unused)) static void run_ok(eff_fn *fn, void *arg)
{
	eff_exit exit = eff_rt_run(run_rt, EFF_NAMED("root", fn, arg));
	char text[256];

	ck_assert_str_eq(eff_exit_text(exit, text, sizeof(text)), "ok");
	eff_exit_drop(exit);
}

__attribute__((unused)) static struct eff_fiber *forked(eff_fn *fn, void *arg)
{
	struct eff_fiber *fiber;

	ck_assert_int_eq(eff_fork(EFF_NAMED("child", fn, arg), &fiber), 0);
	return fiber;
}

/* The tag and code of how it ended, as text; valid until the next call. */
__attribute__((unused)) static const char *end_of(struct eff_fiber *fiber)
{
	static char text[256];
	eff_exit exit;

	ck_assert_int_eq(eff_await(fiber, &exit), 0);
	eff_exit_text(exit, text, sizeof(text));
	eff_exit_drop(exit);
	eff_fiber_unref(fiber);
	return text;
}

#endif
