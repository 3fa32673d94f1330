/* SPDX-License-Identifier: MIT */
/* Brackets, restored masks, and what is left behind. */
#include <errno.h>

#include <eff/effect.h>
#include <eff/scope.h>

#include "internal.h"
#include "leak.h"
#include "run.h"

Suite *test_suite(void);

/* Takes the exit. */
static void ck_text(eff_exit e, const char *want)
{
	char buf[128];

	ck_assert_str_eq(eff_exit_text(e, buf, sizeof(buf)), want);
	eff_exit_drop(e);
}

static eff_exit sleep_for(void *arg)
{
	return eff_exit_of(eff_sleep(*(int64_t *)arg));
}

/* ── brackets ── */

/* How long each part takes, in seconds, and how it ends when it was not cut short. */
struct bracket {
	int acquire_s, use_s, release_s;
	eff_exit acquired, used, released;
};

static eff_exit part(const char *name, int seconds, eff_exit exit)
{
	int r = eff_sleep(EFF_S(seconds));

	say("%s%s", name, r < 0 ? " cut" : "");
	return r < 0 ? eff_exit_of(r) : eff_exit_keep(exit);
}

static eff_exit acquire(void *arg)
{
	const struct bracket *b = arg;

	return part("acquire", b->acquire_s, b->acquired);
}

static eff_exit use(void *arg)
{
	const struct bracket *b = arg;

	return part("use", b->use_s, b->used);
}

static eff_exit release(void *arg, eff_exit exit)
{
	const struct bracket *b = arg;
	char text[64];

	say("shown %s", eff_exit_text(exit, text, sizeof(text)));
	return part("release", b->release_s, b->released);
}

static eff_exit bracket(void *arg)
{
	return eff_bracket(acquire, use, release, arg);
}

static eff_exit whole_brackets(void *arg)
{
	struct bracket b = {1, 1, 1, eff_ok(NULL), eff_ok_number(42), eff_ok(NULL)};
	eff_exit exit = bracket(&b);

	(void)arg;
	ck_assert_int_eq(exit.value.number, 42);
	ck_text(exit, "ok");
	b.used = eff_failf(3, "why");
	ck_text(bracket(&b), "fail 3: why");
	b.released = eff_die("worse");
	ck_text(bracket(&b), "fail 3: why; and die: worse");
	eff_exit_drop(b.used);
	b.used = eff_ok(NULL);
	ck_text(bracket(&b), "die: worse");
	eff_exit_drop(b.released);
	b.acquired = eff_failf(5, "none");
	ck_text(bracket(&b), "fail 5: none");
	eff_exit_drop(b.acquired);
	return eff_ok(NULL);
}

START_TEST(a_bracket_acquires_uses_and_releases_with_the_exit)
{
	run_ok(whole_brackets, NULL);
	ck_assert_str_eq(run_trace,
		"acquire@1 use@2 shown ok@2 release@3 "
		"acquire@4 use@5 shown fail 3: why@5 release@6 "
		"acquire@7 use@8 shown fail 3: why@8 release@9 "
		"acquire@10 use@11 shown ok@11 release@12 "
		"acquire@13 ");
}
END_TEST

struct interruption {
	int at_s;
	const char *trace, *exit;
};

static eff_exit interrupt_a_bracket(void *arg)
{
	const struct interruption *it = arg;
	struct bracket b = {2, 2, 2, eff_ok(NULL), eff_ok(NULL), eff_failf(5, "late")};
	struct eff_fiber *child = forked(bracket, &b);

	ck_assert_int_eq(eff_sleep(EFF_S(it->at_s)), 0);
	eff_interrupt_async(child);
	ck_assert_str_eq(end_of(child), it->exit);
	eff_exit_drop(b.released);
	return eff_ok(NULL);
}

START_TEST(only_the_use_of_a_bracket_is_interrupted_and_what_was_acquired_is_released)
{
	static const struct interruption at[] = {
		{1, "acquire@2 shown interrupt@2 release@4 ", "interrupt; and fail 5: late"},
		{3, "acquire@2 use cut@3 shown interrupt@3 release@5 ", "interrupt; and fail 5: late"},
		{5, "acquire@2 use@4 shown ok@4 release@6 ", "fail 5: late"},
	};

	run_ok(interrupt_a_bracket, (void *)&at[_i]);
	ck_assert_str_eq(run_trace, at[_i].trace);
}
END_TEST

static eff_exit cancelled_before(void *arg)
{
	struct bracket b = {1, 1, 1, eff_ok(NULL), eff_ok(NULL), eff_ok(NULL)};
	struct eff_scope scope;

	(void)arg;
	eff_scope_open(&scope);
	eff_scope_limit(&scope, 0);
	ck_text(bracket(&b), "fail 110");
	ck_assert_int_eq(eff_scope_close(&scope), -ETIMEDOUT);
	eff_scope_open(&scope);
	eff_scope_cancel(&scope);
	ck_text(bracket(&b), "interrupt");
	ck_assert_int_eq(eff_scope_close(&scope), -ECANCELED);
	return eff_ok(NULL);
}

START_TEST(a_bracket_in_a_cancelled_scope_acquires_nothing)
{
	run_ok(cancelled_before, NULL);
	ck_assert_str_eq(run_trace, "");
}
END_TEST

static eff_exit lingering(void *arg)
{
	int r = eff_sleep(EFF_H(1));
	eff_masked masked = eff_mask();

	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	eff_unmask(masked);
	say("%s ended", (const char *)arg);
	return eff_exit_of(r);
}

static eff_exit use_with_a_fiber(void *arg)
{
	ck_assert_int_eq(eff_fork(EFF(lingering, TEXT("user")), NULL), 0);
	ck_assert_int_eq(eff_yield(), 0);
	return use(arg);
}

static eff_exit bracket_with_a_fiber(void *arg)
{
	struct bracket b = {0, 0, 0, eff_ok(NULL), eff_ok(NULL), eff_ok(NULL)};

	(void)arg;
	ck_text(eff_bracket(acquire, use_with_a_fiber, release, &b), "ok");
	return eff_ok(NULL);
}

START_TEST(fibers_forked_in_the_use_have_ended_before_the_release)
{
	run_ok(bracket_with_a_fiber, NULL);
	ck_assert_str_eq(run_trace, "acquire@0 use@0 user ended@1 shown ok@1 release@1 ");
}
END_TEST

/* ── restore ── */

static eff_exit restore_in(void *arg)
{
	eff_masked outer = arg ? eff_mask() : 0;
	eff_masked masked = eff_mask();

	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	ck_text(eff_restore(masked, EFF(sleep_for, NUMBER(EFF_S(2)))), arg ? "ok" : "interrupt");
	say("restored");
	/* Now at the boundary. */
	ck_text(eff_restore(masked, EFF(lingering, TEXT("never"))), arg ? "ok" : "interrupt");
	ck_assert_int_eq(eff_check(), 0);
	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	eff_unmask(masked);
	ck_assert_int_eq(eff_check(), arg ? 0 : -ECANCELED);
	if (arg)
		eff_unmask(outer);
	return eff_exit_of(eff_check());
}

static eff_exit interrupt_restored(void *arg)
{
	struct eff_fiber *child = forked(restore_in, arg);

	ck_assert_int_eq(eff_sleep(EFF_S(2)), 0);
	eff_interrupt_async(child);
	ck_assert_str_eq(end_of(child), "interrupt");
	say("ended");
	return eff_ok(NULL);
}

START_TEST(a_restored_effect_can_be_interrupted_and_the_mask_goes_on_behind_it)
{
	run_ok(interrupt_restored, NULL);
	ck_assert_str_eq(run_trace, "restored@2 ended@3 ");
}
END_TEST

START_TEST(restoring_is_the_outer_state_and_not_off)
{
	run_ok(interrupt_restored, TEXT("masked outside"));
	ck_assert_str_eq(run_trace, "restored@3 never ended@3604 ended@3605 ");
}
END_TEST

/* ── disconnect ── */

static void say_name(void *context, const struct eff_fiber_info *info)
{
	(void)context;
	say("[%s]", info->name);
}

static eff_exit disconnected(void *arg)
{
	eff_exit exit = eff_disconnect(EFF_NAMED("behind", lingering, arg));
	char text[64];

	say("%s", eff_exit_text(exit, text, sizeof(text)));
	return exit;
}

static eff_exit leave_behind(void *arg)
{
	struct eff_fiber *child = forked(disconnected, arg);

	ck_assert_int_eq(eff_sleep(EFF_S(1)), 0);
	ck_assert_int_eq(eff_interrupt(child, NULL), 0);
	eff_fiber_unref(child);
	eff_rt_each(run_rt, say_name, NULL);
	/* As long as the runtime lives it has time to end. */
	ck_assert_int_eq(eff_sleep(EFF_S(2)), 0);
	eff_rt_each(run_rt, say_name, NULL);
	return eff_ok(NULL);
}

START_TEST(a_disconnected_effect_is_interrupted_and_ends_in_the_background)
{
	run_ok(leave_behind, TEXT("work"));
	ck_assert_str_eq(run_trace, "interrupt@1 [root]@1 [behind]@1 work ended@2 [root]@3 ");
}
END_TEST

static eff_exit within_a_limit(void *arg)
{
	ck_text(eff_timeout(EFF_S(1), EFF(disconnected, arg)), "fail 110");
	ck_assert_int_eq(eff_now(), EFF_S(1));
	ck_text(eff_timeout(0, EFF(disconnected, arg)), "fail 110");
	ck_text(eff_disconnect(EFF(sleep_for, NUMBER(EFF_S(5)))), "ok");
	ck_assert_int_eq(eff_now(), EFF_S(6));
	ck_text(eff_disconnect((eff){.fn = sleep_for, .stack_bytes = (size_t)1 << 50}), "fail 12");
	return eff_ok(NULL);
}

START_TEST(a_limit_leaves_a_disconnected_effect_behind_and_one_that_ends_in_time_is_awaited)
{
	ck_assert_int_eq(ENOMEM, 12);
	run_ok(within_a_limit, TEXT("work"));
	/* The second one never started. */
	ck_assert_str_eq(run_trace, "fail 110@1 fail 110@1 work ended@2 ");
}
END_TEST

static eff_exit disconnect_late(void *arg)
{
	int r = eff_sleep(EFF_FOREVER);
	eff_masked masked = eff_mask();

	ck_text(eff_disconnect(EFF(sleep_for, NUMBER(0))), "interrupt");
	eff_unmask(masked);
	(void)arg;
	return eff_exit_of(r);
}

static eff_exit leave_a_daemon(void *arg)
{
	ck_assert_int_eq(eff_fork_daemon(EFF(disconnect_late, arg), NULL), 0);
	return eff_exit_of(eff_sleep(1));
}

START_TEST(a_runtime_that_shuts_down_begins_nothing_disconnected)
{
	run_ok(leave_a_daemon, NULL);
	ck_assert_int_eq(eff_rt_shutdown(run_rt, 0), 0);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("bracket");
	TCase *tcase = tcase_create("bracket");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, a_bracket_acquires_uses_and_releases_with_the_exit);
	tcase_add_loop_test(tcase,
		only_the_use_of_a_bracket_is_interrupted_and_what_was_acquired_is_released, 0, 3);
	tcase_add_test(tcase, a_bracket_in_a_cancelled_scope_acquires_nothing);
	tcase_add_test(tcase, fibers_forked_in_the_use_have_ended_before_the_release);
	tcase_add_test(tcase, a_restored_effect_can_be_interrupted_and_the_mask_goes_on_behind_it);
	tcase_add_test(tcase, restoring_is_the_outer_state_and_not_off);
	tcase_add_test(tcase, a_disconnected_effect_is_interrupted_and_ends_in_the_background);
	tcase_add_test(tcase,
		a_limit_leaves_a_disconnected_effect_behind_and_one_that_ends_in_time_is_awaited);
	tcase_add_test(tcase, a_runtime_that_shuts_down_begins_nothing_disconnected);
	suite_add_tcase(suite, tcase);
	return suite;
}
