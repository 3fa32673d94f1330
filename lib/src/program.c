/* SPDX-License-Identifier: MIT */
/* A program around an effect: what main() calls. */
#include <stdio.h>

#include <eff/effect.h>
#include <eff/signal.h>

#include "internal.h"

static const eff_ns main_grace_ns = EFF_S(10);

struct program {
	eff e;
	struct eff_fiber *fiber;
	struct eff_signals signals;
	int deaf; /* why signals cannot be heard: -errno; 0 */
};

static eff_exit heed_signals(void *arg)
{
	struct program *program = arg;
	int r;

	while ((r = eff_signals_await(&program->signals, NULL, NULL)) > 0)
		eff_interrupt_async(program->fiber);
	/* Blocked and not heard, they could not even end it: then it is not to run. */
	if (r != -ECANCELED) {
		program->deaf = r;
		eff_interrupt_async(program->fiber);
	}
	return eff_ok(NULL);
}

static eff_exit run_program(void *arg)
{
	struct program *program = arg;
	eff_exit exit = eff_interrupted();
	/* First, so that it waits before the other begins: only its first wait can fail. */
	int r = eff_fork(EFF_NAMED("signals", heed_signals, program), NULL);

	if (r >= 0)
		r = eff_fork(program->e, &program->fiber);
	if (r < 0)
		return eff_fail(-r);
	r = eff_await(program->fiber, &exit);
	if (r < 0 && r != -ECANCELED)
		exit = eff_fail(-r);
	if (program->deaf)
		exit = eff_exit_join(eff_fail(-program->deaf), exit);
	eff_fiber_unref(program->fiber);
	return exit;
}

static void tell(const char *name, eff_exit exit)
{
	char text[512];

	(void)fprintf(stderr, "%s: %s\n", name, eff_exit_text(exit, text, sizeof(text)));
}

static void tell_unhandled(void *context, const char *fiber_name, eff_exit exit)
{
	(void)context;
	tell(fiber_name, exit);
}

static int code_of(const char *name, eff_exit exit)
{
	switch (exit.tag) {
	case EFF_OK:
		return 0;
	case EFF_INTERRUPT:
		return 130;
	case EFF_DIE:
		tell(name, exit);
		return 134;
	case EFF_FAIL:
		break;
	}
	tell(name, exit);
	return exit.code >= 1 && exit.code <= 125 ? exit.code : 1;
}

static int run_with_signals(struct eff_rt *rt, struct program *program)
{
	sigset_t set;
	eff_exit exit;
	int code;
	int r;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	r = eff_signals_open(&program->signals, &set);
	if (r < 0) {
		eff_rt_free(rt);
		return code_of(program->e.name, eff_fail(-r));
	}
	exit = eff_rt_run(rt, EFF_NAMED("main", run_program, program));
	r = eff_rt_shutdown(rt, main_grace_ns);
	eff_signals_close(&program->signals);
	code = code_of(program->e.name, exit);
	eff_exit_drop(exit);
	/* Fibers that will not end keep what they use. */
	if (r >= 0)
		eff_rt_free(rt);
	return code;
}

int eff_main(eff e, const struct eff_rt_opts *opts)
{
	struct eff_rt_opts mine = opts ? *opts : (struct eff_rt_opts){0};
	struct program program = {.e = e};
	struct eff_rt *rt;
	int r;

	if (!e.name)
		program.e.name = "main";
	if (!mine.hooks.on_unhandled)
		mine.hooks.on_unhandled = tell_unhandled;
	r = eff_rt_new(&mine, &rt);
	if (r < 0)
		return code_of(program.e.name, eff_fail(-r));
	return run_with_signals(rt, &program);
}
