/* SPDX-License-Identifier: MIT */
/* Work on log files by threads: alone in a folder, beside others, and what becomes of work that hangs. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#include <eff/effect.h>
#include <eff/fiber.h>

#include "daemon/os_world.h"

struct work {
	const char *folder;
	int gate[2]; /* it hangs until this has something, if it is a pipe */
	int r;
	unsigned n_ran, n_done;
	bool elsewhere, overlapped;
};

static pthread_t loop;
static atomic_int n_at_one;

static void work(void *arg)
{
	struct work *w = arg;
	char c;

	w->overlapped = atomic_fetch_add(&n_at_one, 1) > 0;
	w->elsewhere = !pthread_equal(pthread_self(), loop);
	if (w->gate[0] > 0)
		ck_assert_int_ge(read(w->gate[0], &c, 1), 0);
	w->n_ran++;
	atomic_fetch_sub(&n_at_one, 1);
}

static void work_done(void *arg)
{
	struct work *w = arg;

	w->n_done++;
}

static eff_exit do_work(void *arg)
{
	struct work *w = arg;

	w->r = os->ops->with_logs(os, w->folder, work, w, work_done);
	return eff_ok(NULL);
}

static void let_hang(struct work *w, const char *folder)
{
	*w = (struct work){.folder = folder};
	ck_assert_int_eq(pipe2(w->gate, O_CLOEXEC), 0);
}

static void let_go(struct work *w)
{
	ck_assert_int_eq(close(w->gate[1]), 0);
}

static void end(struct work *w, struct eff_fiber *fiber)
{
	ck_assert_int_eq(eff_await(fiber, NULL), 0);
	eff_fiber_unref(fiber);
	ck_assert_int_eq(w->r, 0);
	ck_assert_uint_eq(w->n_ran, 1);
	ck_assert_uint_eq(w->n_done, 0);
	ck_assert(w->elsewhere);
	if (w->gate[0] > 0)
		ck_assert_int_eq(close(w->gate[0]), 0);
}

static struct eff_fiber *begin(struct work *w)
{
	struct eff_fiber *fiber;

	ck_assert_int_eq(eff_fork(EFF(do_work, w), &fiber), 0);
	ck_assert_int_eq(eff_yield(), 0);
	return fiber;
}

OS_TEST(a_folder_that_hangs_holds_up_itself_alone)
{
	struct work hung, same = {.folder = "/a"}, other = {.folder = "/b"};
	struct eff_fiber *fibers[3];

	loop = pthread_self();
	let_hang(&hung, "/a");
	fibers[0] = begin(&hung);
	fibers[1] = begin(&same);
	fibers[2] = begin(&other);
	end(&other, fibers[2]);
	ck_assert_uint_eq(same.n_ran, 0);
	let_go(&hung);
	end(&hung, fibers[0]);
	end(&same, fibers[1]);
	ck_assert(!same.overlapped);
}

OS_TEST(folders_that_hang_leave_a_thread_to_others)
{
	static const char *const folders[] = {"/a", "/b", "/c", "/d"};
	struct work hung[4], blocking = {.gate = {0}};
	struct eff_fiber *fibers[4];

	loop = pthread_self();
	for (int i = 0; i < 4; i++) {
		let_hang(&hung[i], folders[i]);
		fibers[i] = begin(&hung[i]);
	}
	ck_assert_int_eq(eff_blocking(work, &blocking, NULL), 0);
	ck_assert_uint_eq(blocking.n_ran, 1);
	for (int i = 0; i < 4; i++)
		let_go(&hung[i]);
	for (int i = 0; i < 4; i++)
		end(&hung[i], fibers[i]);
}

/* As many as are worked on at once, and more; one comes before that can be known of them, one after it. */
OS_TEST(folders_that_hang_do_not_hold_up_other_folders)
{
	enum { MANY = 10 };
	static char names[MANY][16];
	struct work hung[MANY], waits = {.folder = "/y"}, later = {.folder = "/z"};
	struct eff_fiber *fibers[MANY];

	loop = pthread_self();
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "/%d", i);
		let_hang(&hung[i], names[i]);
		fibers[i] = begin(&hung[i]);
	}
	end(&waits, begin(&waits));
	end(&later, begin(&later));
	for (int i = 0; i < MANY; i++) {
		ck_assert_uint_eq(hung[i].n_ran, 0);
		let_go(&hung[i]);
		end(&hung[i], fibers[i]);
	}
}

OS_TEST(what_nobody_waits_for_any_more_is_told_when_it_has_run)
{
	struct work hung, next = {.folder = "/a"};
	struct eff_fiber *fiber;

	loop = pthread_self();
	let_hang(&hung, "/a");
	fiber = begin(&hung);
	ck_assert_int_eq(eff_interrupt(fiber, NULL), 0);
	eff_fiber_unref(fiber);
	ck_assert_int_eq(hung.r, -EINPROGRESS);
	ck_assert_uint_eq(hung.n_done, 0);
	fiber = begin(&next);
	ck_assert_uint_eq(next.n_ran, 0);
	let_go(&hung);
	end(&next, fiber);
	ck_assert_uint_eq(hung.n_ran, 1);
	ck_assert_uint_eq(hung.n_done, 1);
	ck_assert_int_eq(close(hung.gate[0]), 0);
}

OS_TEST(one_that_gives_up_in_line_never_runs)
{
	struct work hung, waits = {.folder = "/a"};
	struct eff_fiber *fibers[2];

	loop = pthread_self();
	let_hang(&hung, "/a");
	fibers[0] = begin(&hung);
	fibers[1] = begin(&waits);
	ck_assert_int_eq(eff_interrupt(fibers[1], NULL), 0);
	eff_fiber_unref(fibers[1]);
	ck_assert_int_eq(waits.r, -ECANCELED);
	let_go(&hung);
	end(&hung, fibers[0]);
	ck_assert_uint_eq(waits.n_ran + waits.n_done, 0);
}

/* Who always has more does not keep the folder for itself. */
static unsigned turns_before;

static eff_exit go_on_and_on(void *arg)
{
	struct work w = {.folder = "/a"};
	const struct work *other = arg;

	for (; other->r > 0 && turns_before < 1000; turns_before++)
		ck_assert_int_eq(os->ops->with_logs(os, "/a", work, &w, work_done), 0);
	return eff_ok(NULL);
}

OS_TEST(who_waits_longer_goes_first)
{
	struct work other = {.folder = "/a", .r = 1};
	struct eff_fiber *busy, *fiber;

	loop = pthread_self();
	turns_before = 0;
	ck_assert_int_eq(eff_fork(EFF(go_on_and_on, &other), &busy), 0);
	ck_assert_int_eq(eff_yield(), 0);
	fiber = begin(&other);
	end(&other, fiber);
	ck_assert_int_eq(eff_await(busy, NULL), 0);
	eff_fiber_unref(busy);
	ck_assert_uint_le(turns_before, 2);
}

/* Each is woken for its own turn. */
OS_TEST(many_that_wait_do_not_wake_each_other)
{
	enum { MANY = 200 };
	static char names[MANY][16];
	static struct work waits[MANY];
	struct eff_fiber *fibers[MANY], *hanging[3];
	static const char *const folders[] = {"/a", "/b", "/c"};
	struct eff_rt_stats before, after;
	struct work hung[3];

	loop = pthread_self();
	for (int i = 0; i < 3; i++) {
		let_hang(&hung[i], folders[i]);
		hanging[i] = begin(&hung[i]);
	}
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "/%d", i);
		waits[i] = (struct work){.folder = names[i]};
		fibers[i] = begin(&waits[i]);
	}
	eff_rt_stats(eff_rt_current(), &before);
	let_go(&hung[0]);
	for (int i = 0; i < MANY; i++)
		end(&waits[i], fibers[i]);
	eff_rt_stats(eff_rt_current(), &after);
	ck_assert_uint_lt(after.switches - before.switches, 10 * MANY);
	end(&hung[0], hanging[0]);
	for (int i = 1; i < 3; i++) {
		let_go(&hung[i]);
		end(&hung[i], hanging[i]);
	}
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_lanes", &tcase);

	tcase_add_test(tcase, a_folder_that_hangs_holds_up_itself_alone);
	tcase_add_test(tcase, folders_that_hang_leave_a_thread_to_others);
	tcase_add_test(tcase, folders_that_hang_do_not_hold_up_other_folders);
	tcase_add_test(tcase, what_nobody_waits_for_any_more_is_told_when_it_has_run);
	tcase_add_test(tcase, one_that_gives_up_in_line_never_runs);
	tcase_add_test(tcase, who_waits_longer_goes_first);
	tcase_add_test(tcase, many_that_wait_do_not_wake_each_other);
	return suite;
}
