/* SPDX-License-Identifier: MIT */
/* Children are made a few a turn, each that is wanted, in the order in which they were asked for. */
#include "daemon/os_world.h"
#include "os/internal.h"

enum { N = 5 * SPAWNS_A_TURN };

static struct os_child *children[N];
static unsigned n_made, n_cut;

static eff_exit makes(void *arg)
{
	struct os_child **ret = arg;
	const char *const argv[] = {"true", NULL};
	struct os_spawn spawn = spawn_of(argv);
	struct os_fault fault;
	int r = os->ops->spawn(os, &spawn, ret, &fault);

	n_made += r == 0;
	n_cut += r == -ECANCELED;
	return eff_exit_of(r);
}

static unsigned count_children(void)
{
	struct eff_list *all = &linux_of(os)->children;
	unsigned n = 0;

	for (struct eff_list *link = all->next; link != all; link = link->next)
		n++;
	return n;
}

static void finish_all(void)
{
	for (int i = 0; i < N; i++) {
		if (children[i])
			finish(children[i]);
		children[i] = NULL;
	}
}

OS_TEST(of_many_that_are_wanted_at_once_a_turn_makes_a_few)
{
	unsigned before = 0, turns = 0;
	struct eff_scope scope;

	eff_scope_open(&scope);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(eff_fork(EFF(makes, &children[i]), NULL), 0);
	while (n_made < N) {
		unsigned now;

		ck_assert_int_eq(eff_await_turn(), 0);
		now = count_children();
		/* Its own may be made before this one is told of the turn, or after. */
		ck_assert_uint_le(now, before + 2 * SPAWNS_A_TURN);
		before = now;
		turns++;
	}
	ck_assert_uint_ge(turns, N / SPAWNS_A_TURN / 2);
	ck_assert_uint_eq(linux_of(os)->gate.n_unborn, 0);
	ck_assert(eff_list_empty(&linux_of(os)->gate.line));
	(void)eff_scope_close(&scope);
	finish_all();
}

OS_TEST(who_is_cut_short_in_the_line_holds_up_nobody_behind)
{
	struct eff_fiber *fibers[N];

	for (int i = 0; i < N; i++)
		ck_assert_int_eq(eff_fork(EFF(makes, &children[i]), &fibers[i]), 0);
	ck_assert_int_eq(eff_yield(), 0);
	/* The first in line among them. */
	for (int i = SPAWNS_A_TURN; i < N - 1; i++)
		eff_interrupt_async(fibers[i]);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(eff_await(fibers[i], NULL), 0);
		eff_fiber_unref(fibers[i]);
	}
	ck_assert_uint_eq(n_made, SPAWNS_A_TURN + 1);
	ck_assert_uint_eq(n_cut, N - SPAWNS_A_TURN - 1);
	ck_assert_ptr_nonnull(children[N - 1]);
	finish_all();
}

/* Children that never come to life. */
OS_TEST(those_that_hang_half_made_hold_up_nobody_for_long)
{
	static struct unborn hung[UNBORN_MOST];
	eff_ns before = eff_now();

	for (int i = 0; i < UNBORN_MOST; i++)
		os_gate_made(&linux_of(os)->gate, &hung[i]);
	(void)output_of(shell("true"));
	(void)output_of(shell("true"));
	ck_assert_int_lt(eff_now() - before, EFF_S(60));
	/* One is found to have failed; of the others the gate's end takes leave. */
	os_gate_born(&hung[0]);
	os_gate_born(&hung[0]);
	ck_assert_uint_eq(linux_of(os)->gate.n_unborn, UNBORN_MOST - 1);
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_gate", &tcase);

	tcase_add_test(tcase, of_many_that_are_wanted_at_once_a_turn_makes_a_few);
	tcase_add_test(tcase, who_is_cut_short_in_the_line_holds_up_nobody_behind);
	tcase_add_test(tcase, those_that_hang_half_made_hold_up_nobody_for_long);
	return suite;
}
