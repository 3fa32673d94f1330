/* SPDX-License-Identifier: MIT */
/* Views of the files on the real kernel: who shares one, what ends it, and what is told when there is none. */
#include "daemon/os_world.h"

static struct os_view *view;

static bool is_root(void)
{
	return geteuid() == 0;
}

static struct os_spawn in_view(const char *script)
{
	struct os_spawn spawn = shell(script);

	spawn.working_dir = "/";
	spawn.view = &view;
	spawn.private_tmp = true;
	return spawn;
}

static void close_view(void)
{
	char what[128];

	ck_assert_int_eq(os->ops->close_view(view, what, sizeof(what)), 0);
	view = NULL;
}

OS_TEST(children_share_a_view_until_it_is_closed)
{
	if (!is_root())
		return;
	ck_assert_str_eq(output_of(in_view("echo it >/tmp/it; echo var >/var/tmp/var")), "");
	ck_assert_ptr_nonnull(view);
	ck_assert_str_eq(output_of(in_view("cat /tmp/* /var/tmp/*")), "it\nvar\n");
	close_view();
	ck_assert_ptr_null(view);
	ck_assert_str_eq(output_of(in_view("ls /tmp /var/tmp")), "/tmp:\n\n/var/tmp:\n");
	close_view();
}

OS_TEST(who_is_in_it_keeps_it)
{
	struct os_child *child;
	char text[8];

	if (!is_root())
		return;
	child = started(in_view(
		"trap 'cat /tmp/it; exit' USR1; echo it >/tmp/it; echo; while :; do :; done"));
	(void)read_lines(child, text, sizeof(text), 1);
	close_view();
	(void)os->ops->signal(child, SIGUSR1, OS_MAIN);
	(void)read_lines(child, text, sizeof(text), 1);
	ck_assert_str_eq(text, "it\n");
	(void)ended(child);
	finish(child);
}

OS_TEST(it_comes_after_what_tells_that_it_is_ready)
{
	struct os_spawn spawn = in_view("echo >&5; echo /proc/self/fd/*");
	struct os_child *child;
	char text[128];

	if (!is_root())
		return;
	spawn.ready_fd = 5;
	child = started(spawn);
	ck_assert_int_eq(os->ops->await_ready(child), 0);
	(void)read_lines(child, text, sizeof(text), 1);
	ck_assert_str_eq(text,
		"/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3 /proc/self/fd/5\n");
	(void)ended(child);
	finish(child);
	close_view();
}

OS_TEST(a_root_without_a_tmp_has_none_of_its_own)
{
	struct os_spawn spawn = in_view("true");
	struct os_fault fault;

	spawn.root_dir = world_path("");
	fault = fault_of(spawn);
	ck_assert_str_eq(fault.stage, "security");
	ck_assert_int_eq(fault.error, is_root() ? ENOENT : EPERM);
	ck_assert_str_eq(fault.what, is_root() ? "/tmp" : "private_tmp");
	close_view();
}

OS_TEST(what_cannot_be_written_is_so_but_for_what_is_its_own)
{
	static const char *const own[] = {"own", NULL};
	const char *paths[] = {NULL, "?/nowhere", NULL};
	static char script[512];
	struct os_spawn spawn;

	if (!is_root())
		return;
	(void)snprintf(script, sizeof(script),
		"cd %s && : >state/own/x && (: >state/x) 2>/dev/null || echo no", world_dir);
	paths[0] = world_dir;
	spawn = in_view(script);
	spawn.private_tmp = false;
	spawn.read_only = paths;
	spawn.directories[OS_STATE] = own;
	spawn.directories_mode = 0755;
	ck_assert_str_eq(output_of(spawn), "no\n");
	ck_assert_int_eq(access(world_path("state/own/x"), F_OK), 0);
	close_view();
}

OS_TEST(what_cannot_be_written_has_to_be_there)
{
	static const char *const paths[] = {"/nowhere", NULL};
	struct os_spawn spawn = in_view("true");
	struct os_fault fault;

	spawn.private_tmp = false;
	spawn.read_only = paths;
	fault = fault_of(spawn);
	ck_assert_str_eq(fault.stage, "security");
	ck_assert_int_eq(fault.error, is_root() ? ENOENT : EPERM);
	ck_assert_str_eq(fault.what, is_root() ? "/nowhere" : "read_only_paths");
	close_view();
}

static eff_exit spawn_it(void *arg)
{
	struct os_spawn spawn = in_view("true");
	struct os_child *child = NULL;
	struct os_fault fault;

	(void)os->ops->spawn(os, &spawn, &child, &fault);
	ck_assert_ptr_null(child);
	return eff_ok(arg);
}

OS_TEST(nothing_stays_of_one_that_nobody_waits_for)
{
	struct eff_scope within;

	eff_scope_open(&within);
	ck_assert_int_eq(eff_fork(EFF(spawn_it, NULL), NULL), 0);
	eff_yield();
	eff_scope_cancel(&within);
	(void)eff_scope_close(&within);
	close_view();
}

struct beginning {
	struct os_child *child;
	int result;
};

static eff_exit begin_it(void *arg)
{
	struct beginning *b = arg;
	struct os_spawn spawn = in_view("ls /tmp; echo it >/tmp/it");
	struct os_fault fault;

	b->result = os->ops->spawn(os, &spawn, &b->child, &fault);
	return eff_ok(NULL);
}

/* A command that outlasts its unit's run begins while another run comes and goes. */
OS_TEST(one_that_is_closed_while_it_is_made_is_made_all_the_same)
{
	struct beginning b = {.result = 1};
	struct eff_fiber *fiber;

	if (!is_root())
		return;
	ck_assert_int_eq(eff_fork(EFF(begin_it, &b), &fiber), 0);
	while (!view && b.result == 1)
		ck_assert_int_eq(eff_yield(), 0);
	ck_assert_int_eq(b.result, 1);
	close_view();
	ck_assert_int_eq(eff_await(fiber, NULL), 0);
	eff_fiber_unref(fiber);
	ck_assert_int_eq(b.result, 0);
	(void)ended(b.child);
	finish(b.child);
	ck_assert_str_eq(output_of(in_view("cat /tmp/it")), "it\n");
	close_view();
}

Suite *test_suite(void)
{
	TCase *tcase;
	Suite *suite = world_suite("os_view", &tcase);

	tcase_add_test(tcase, children_share_a_view_until_it_is_closed);
	tcase_add_test(tcase, who_is_in_it_keeps_it);
	tcase_add_test(tcase, it_comes_after_what_tells_that_it_is_ready);
	tcase_add_test(tcase, a_root_without_a_tmp_has_none_of_its_own);
	tcase_add_test(tcase, what_cannot_be_written_is_so_but_for_what_is_its_own);
	tcase_add_test(tcase, what_cannot_be_written_has_to_be_there);
	tcase_add_test(tcase, nothing_stays_of_one_that_nobody_waits_for);
	tcase_add_test(tcase, one_that_is_closed_while_it_is_made_is_made_all_the_same);
	return suite;
}
