/* SPDX-License-Identifier: MIT */
/* A look inside: what is said of a fiber, the listing and the tree. */
#include <signal.h>
#include <unistd.h>

#include <eff.h>

#include "internal.h"
#include "leak.h"
#include "run.h"

Suite *test_suite(void);

static char dumped[8192];

/* A line without its stack, which the compiler decides. */
static void keep_line(void *context, const char *line)
{
	size_t len = strlen(dumped);
	const char *end = strstr(line, ", stack ");

	ck_assert_ptr_eq(context, dumped);
	(void)snprintf(dumped + len, sizeof(dumped) - len, "%.*s\n",
		end ? (int)(end - line) : (int)strlen(line), line);
}

static const char *dump(enum eff_dump how)
{
	dumped[0] = '\0';
	eff_rt_dump(run_rt, how, keep_line, dumped);
	return dumped;
}

/* ── listing and tree ── */

static struct eff_event never;

static eff_exit wait_for_ever(void *arg)
{
	(void)arg;
	return eff_exit_of(eff_event_await(&never));
}

static eff_exit sleep_under_a_limit(void *arg)
{
	struct eff_scope scope;
	int r;

	eff_scope_open(&scope);
	eff_scope_limit(&scope, eff_now() + EFF_MS(2500));
	r = eff_sleep(EFF_S(60));
	(void)eff_scope_close(&scope);
	(void)arg;
	return eff_exit_of(r);
}

/* Has a child in its body, one in a scope inside, and one that belongs to its own owner. */
static eff_exit own_two(void *arg)
{
	struct eff_scope scope;
	int r;

	ck_assert_int_eq(eff_fork(EFF_NAMED("outer", wait_for_ever, NULL), NULL), 0);
	eff_scope_open(&scope);
	ck_assert_int_eq(eff_fork(EFF_NAMED("inner", sleep_under_a_limit, NULL), NULL), 0);
	ck_assert_int_eq(eff_fork_in(arg, EFF_NAMED("adopted", wait_for_ever, NULL), NULL), 0);
	r = eff_event_await(&never);
	(void)eff_scope_close(&scope);
	return eff_exit_of(r);
}

static eff_exit await_in_one(void *arg)
{
	(void)eff_await(arg, NULL);
	return eff_ok(NULL);
}

static eff_exit family(void *arg)
{
	struct eff_scope scope;
	struct eff_fiber *owner;

	eff_event_init(&never);
	ck_assert_int_eq(eff_fork_daemon(EFF_NAMED("daemon", wait_for_ever, NULL), NULL), 0);
	eff_scope_open(&scope);
	ck_assert_int_eq(eff_fork(EFF_NAMED("owner", own_two, &scope), &owner), 0);
	ck_assert_int_eq(eff_fork(EFF_NAMED("a\tname", await_in_one, owner), NULL), 0);
	ck_assert_int_eq(eff_sleep(EFF_MS(1500)), 0);
	ck_assert_int_eq(eff_fork(EFF_NAMED("young", wait_for_ever, NULL), NULL), 0);
	(*(void (**)(void))arg)();
	eff_fiber_unref(owner);
	(void)eff_scope_close(&scope);
	return eff_ok(NULL);
}

static void check_tree(void)
{
	ck_assert_str_eq(dump(EFF_DUMP_TREE),
		"8 fibers\n"
		"#1 root: running, 1.500 s old\n"
		"  #3 owner: waiting for event, 1.500 s old\n"
		"    #5 outer: waiting for event, 1.500 s old\n"
		"    #6 inner: waiting for sleep, wakes in 58.500 s, limit in 1.000 s, 1.500 s old\n"
		"  #4 a name: waiting for fiber #3, 1.500 s old\n"
		"  #7 adopted: waiting for event, 1.500 s old, forked by #3\n"
		"  #8 young: new, 0.000 s old\n"
		"#2 daemon: waiting for event, 1.500 s old, forked by #1\n");
}

static void check_list(void)
{
	ck_assert_str_eq(dump(EFF_DUMP_LIST),
		"8 fibers\n"
		"#1 root: running, 1.500 s old\n"
		"#2 daemon: waiting for event, 1.500 s old, forked by #1\n"
		"#3 owner: waiting for event, 1.500 s old, owned by #1\n"
		"#4 a name: waiting for fiber #3, 1.500 s old, owned by #1\n"
		"#5 outer: waiting for event, 1.500 s old, owned by #3\n"
		"#6 inner: waiting for sleep, wakes in 58.500 s, limit in 1.000 s, 1.500 s old, "
		"owned by #3\n"
		"#7 adopted: waiting for event, 1.500 s old, owned by #1, forked by #3\n"
		"#8 young: new, 0.000 s old, owned by #1\n");
}

START_TEST(a_tree_shows_who_owns_whom_what_each_waits_for_and_until_when)
{
	void (*check)(void) = check_tree;

	run_ok(family, &check);
	ck_assert_int_eq(eff_rt_shutdown(run_rt, 0), 0);
	ck_assert_str_eq(dump(EFF_DUMP_TREE), "0 fibers\n");
}
END_TEST

START_TEST(a_listing_is_in_the_order_of_births)
{
	void (*check)(void) = check_list;

	run_ok(family, &check);
	ck_assert_int_eq(eff_rt_shutdown(run_rt, 0), 0);
}
END_TEST

enum { CHAIN = 200 };

static eff_exit chain(void *arg)
{
	if (*(int64_t *)arg > 1)
		ck_assert_int_eq(eff_fork(EFF_NAMED("link", chain, arg), NULL), 0);
	--*(int64_t *)arg;
	return eff_exit_of(eff_event_await(&never));
}

static void count_line(void *context, const char *line)
{
	(void)line;
	++*(int *)context;
}

static eff_exit long_chain(void *arg)
{
	int64_t links = CHAIN;
	int n = 0;

	eff_event_init(&never);
	ck_assert_int_eq(eff_fork(EFF_NAMED("link", chain, &links), NULL), 0);
	while (run_rt->stats.fibers_live < CHAIN + 1)
		(void)eff_yield();
	(void)eff_yield();
	eff_rt_dump(run_rt, EFF_DUMP_TREE, count_line, &n);
	ck_assert_int_eq(n, CHAIN + 2);
	(void)arg;
	return eff_ok(NULL);
}

START_TEST(a_tree_may_be_deep_and_lines_stay_bounded)
{
	static char name[2000];

	memset(name, 'n', sizeof(name) - 1);
	run_ok(long_chain, NULL);
	ck_assert_int_eq(eff_rt_attach(run_rt, EFF_NAMED(name, wait_for_ever, NULL)), 0);
	(void)dump(EFF_DUMP_LIST);
	ck_assert_int_lt((int)strlen(dumped), 200);
	ck_assert_int_eq(eff_rt_shutdown(run_rt, 0), 0);
}
END_TEST

/* A scope of a fiber that is not the one it works in: so layers have theirs. */
static eff_exit own_aside(void *arg)
{
	struct eff_scope aside;

	eff_event_init(&never);
	eff__scope_init(&aside, eff_self(), eff_scope_current());
	ck_assert_int_eq(eff_fork(EFF_NAMED("first", wait_for_ever, NULL), NULL), 0);
	ck_assert_int_eq(eff_fork_in(&aside, EFF_NAMED("aside", wait_for_ever, NULL), NULL), 0);
	ck_assert_int_eq(eff_fork(EFF_NAMED("last", wait_for_ever, NULL), NULL), 0);
	(void)eff_yield();
	ck_assert_str_eq(dump(EFF_DUMP_TREE),
		"4 fibers\n"
		"#1 root: running, 0.000 s old\n"
		"  #2 first: waiting for event, 0.000 s old\n"
		"  #3 aside: waiting for event, 0.000 s old\n"
		"  #4 last: waiting for event, 0.000 s old\n");
	eff_event_set(&never);
	(void)eff_yield();
	return eff_ok(arg);
}

START_TEST(no_scope_of_a_fiber_is_missed)
{
	run_ok(own_aside, NULL);
}
END_TEST

/* ── what is said of one ── */

static eff_exit wait_for_a_descriptor(void *arg)
{
	return eff_exit_of(eff_wait_fd(*(int *)arg, EFF_READ));
}

static eff_exit look_at_waits(void *arg)
{
	struct eff_fiber_info info;
	struct eff_fiber *child;
	struct eff_scope scope;
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(eff_fork(EFF(wait_for_a_descriptor, &ends[0]), &child), 0);
	(void)eff_yield();
	eff_fiber_info(child, &info);
	ck_assert_str_eq(info.waits_for, "fd");
	ck_assert_int_eq(info.waits_on, ends[0]);
	ck_assert_uint_eq(info.owner_id, eff_fiber_id(eff_self()));
	ck_assert_int_eq(info.wakes_at, EFF_FOREVER);
	ck_assert_int_eq(eff_interrupt(child, NULL), 0);
	eff_fiber_info(child, &info);
	ck_assert_str_eq(info.state, "ended");
	ck_assert_uint_eq(info.owner_id, 0);
	ck_assert_uint_eq(info.stack_used + eff_fiber_stack_peak(child), 0);
	eff_fiber_unref(child);
	/* A limit that a mask hides is none; one that is opened inside is. */
	eff_scope_open(&scope);
	eff_scope_limit(&scope, EFF_H(1));
	eff_fiber_info(eff_self(), &info);
	ck_assert_int_eq(info.limit_at, EFF_H(1));
	(void)eff_mask();
	eff_fiber_info(eff_self(), &info);
	ck_assert_int_eq(info.limit_at, EFF_FOREVER);
	(void)eff_scope_close(&scope);
	eff_fd_close(ends[0]);
	close(ends[1]);
	(void)arg;
	return eff_ok(NULL);
}

START_TEST(a_wait_says_on_what_and_a_limit_is_told_if_it_is_seen)
{
	run_ok(look_at_waits, NULL);
}
END_TEST

/* NOLINTNEXTLINE(misc-no-recursion): 20 KiB in frames of the usual size. */
__attribute__((noinline)) static int use_stack(volatile char *above, int depth)
{
	volatile char here[200];

	here[0] = (char)(above[0] + 1);
	return depth > 0 ? use_stack(here, depth - 1) + here[0] : 0;
}

static eff_exit use_stack_and_wait(void *arg)
{
	volatile char here[1] = {0};

	(void)use_stack(here, 100);
	(void)arg;
	return eff_exit_of(eff_event_await(&never));
}

static eff_exit look_at_stacks(void *arg)
{
	struct eff_fiber_info info;
	struct eff_fiber *child;

	eff_event_init(&never);
	ck_assert_int_eq(eff_fork(EFF(use_stack_and_wait, NULL), &child), 0);
	eff_fiber_info(child, &info);
	ck_assert_uint_eq(info.stack_used, 0);
	ck_assert_uint_eq(eff_fiber_stack_peak(child), 0);
	(void)eff_yield();
	eff_fiber_info(child, &info);
	ck_assert_uint_gt(info.stack_used, 100);
	ck_assert_uint_lt(info.stack_used, 8192);
	ck_assert_uint_ge(eff_fiber_stack_peak(child), 20000);
	ck_assert_uint_le(eff_fiber_stack_peak(child), eff__stack_size(&child->stack));
	/* One's own, while it runs. */
	eff_fiber_info(eff_self(), &info);
	ck_assert_uint_gt(info.stack_used, 100);
	ck_assert_uint_lt(info.stack_used, 16384);
	eff_fiber_unref(child);
	(void)arg;
	return eff_ok(NULL);
}

START_TEST(the_stack_in_use_is_told_and_the_most_that_ever_was)
{
	run_ok(look_at_stacks, NULL);
}
END_TEST

static void dump_now(struct eff_post *post)
{
	(void)post;
	(void)dump(EFF_DUMP_TREE);
	eff_event_set(&never);
}

static struct eff_post dump_post = {.fn = dump_now};

static void on_signal(int sig)
{
	(void)sig;
	eff_rt_post(run_rt, &dump_post);
}

static eff_exit be_asked_by_signal(void *arg)
{
	eff_event_init(&never);
	ck_assert_ptr_ne(signal(SIGUSR1, on_signal), SIG_ERR);
	ck_assert_int_eq(raise(SIGUSR1), 0);
	(void)arg;
	return eff_exit_of(eff_event_await(&never));
}

START_TEST(a_signal_handler_has_it_dumped_by_a_post)
{
	run_ok(be_asked_by_signal, NULL);
	ck_assert_str_eq(dumped, "1 fibers\n#1 root: waiting for event, 0.000 s old\n");
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("look");
	TCase *tcase = tcase_create("look");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, run_setup, run_teardown);
	tcase_add_test(tcase, a_tree_shows_who_owns_whom_what_each_waits_for_and_until_when);
	tcase_add_test(tcase, a_listing_is_in_the_order_of_births);
	tcase_add_test(tcase, a_tree_may_be_deep_and_lines_stay_bounded);
	tcase_add_test(tcase, no_scope_of_a_fiber_is_missed);
	tcase_add_test(tcase, a_wait_says_on_what_and_a_limit_is_told_if_it_is_seen);
	tcase_add_test(tcase, the_stack_in_use_is_told_and_the_most_that_ever_was);
	tcase_add_test(tcase, a_signal_handler_has_it_dumped_by_a_post);
	suite_add_tcase(suite, tcase);
	return suite;
}
