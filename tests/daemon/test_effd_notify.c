/* SPDX-License-Identifier: MIT */
/* What effd tells its service manager, in virtual time; the manager's socket is real, and short. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <check.h>

#include "effd/effd.h"
#include "fake/world.h"
#include "folder.h"
#include "leak.h"

Suite *test_suite(void);

#define STEADY ((struct script){.lives = EFF_FOREVER})

static char dir[32], path[64];
static int manager;
static struct notify notify;
static struct eff_fiber *fibers[2];

static void manager_open(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)test_folder(dir, sizeof(dir));
	(void)snprintf(path, sizeof(path), "%s/notify", dir);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", path, 1), 0);
	ck_assert_int_eq(notify_init(&notify), 0);
	ck_assert_int_ge(notify.fd, 0);
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
}

static void manager_close(void)
{
	notify_done(&notify);
	(void)close(manager);
	(void)unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

START_TEST(a_manager_that_cannot_be_told_is_an_error_at_once)
{
	struct rlimit before, none = {0};
	struct notify mute;

	ck_assert_int_eq(setenv("NOTIFY_SOCKET", "/nowhere", 1), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none.rlim_max = before.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);

	ck_assert_int_eq(notify_init(&mute), -EMFILE);

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	notify_done(&mute);
}
END_TEST

static struct world *world_that_tells(const char *units)
{
	struct world *w = world_new(units);

	notify.tree = w->tree;
	ck_assert_int_eq(eff_fork_daemon(EFF(notify_run, &notify), &fibers[0]), 0);
	ck_assert_int_eq(eff_fork_daemon(EFF(notify_deliver, &notify), &fibers[1]), 0);
	return w;
}

static void world_tell_no_more(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		eff_interrupt_async(fibers[i]);
		eff_fiber_unref(fibers[i]);
	}
	world_run_for(w, 0);
	world_free(w);
}

/* So many messages that the next finds no room. */
static void fill(void)
{
	while (sendto(notify.fd, "FILLER", 6, MSG_DONTWAIT, (struct sockaddr *)&notify.address,
		       notify.address_len) == 6)
		;
}

/* The first lines of all that has come, but for fillers and what is for people alone. */
static const char *heard(void)
{
	static char all[1024];
	char message[2048];
	ssize_t n;

	all[0] = '\0';
	while ((n = recv(manager, message, sizeof(message) - 1, 0)) >= 0) {
		message[n] = '\0';
		message[strcspn(message, "\n")] = '\0';
		if (!strcmp(message, "FILLER") || !strncmp(message, "STATUS", 6) ||
			!strncmp(message, "EXTEND", 6))
			continue;
		(void)strncat(all, message, sizeof(all) - strlen(all) - 2);
		(void)strcat(all, " ");
	}
	return all;
}

static unsigned heard_status(void)
{
	char message[2048];
	unsigned count = 0;
	ssize_t n;

	while ((n = recv(manager, message, sizeof(message) - 1, 0)) >= 0)
		count += n > 6 && !memcmp(message, "STATUS", 6);
	return count;
}

START_TEST(it_is_ready_when_the_tree_has_settled)
{
	struct world *w = world_that_tells("web: {command: web, type: notify}");

	world_script(w, "web", (struct script){.ready_after = EFF_S(3), .lives = EFF_FOREVER});
	world_run_for(w, EFF_MS(2999));
	ck_assert_str_eq(heard(), "");
	world_run_for(w, EFF_MS(1));
	ck_assert_str_eq(heard(), "READY=1 ");
	world_tell_no_more(w);
}
END_TEST

/* How often more time was asked for since this was last looked at. */
static unsigned heard_extensions(void)
{
	char message[2048];
	unsigned count = 0;
	ssize_t n;

	while ((n = recv(manager, message, sizeof(message) - 1, 0)) >= 0) {
		message[n] = '\0';
		count += strstr(message, "EXTEND_TIMEOUT_USEC=20000000") != NULL;
	}
	return count;
}

START_TEST(more_time_is_asked_for_until_it_is_ready_and_while_it_stops)
{
	struct world *w = world_that_tells(
		"web: {command: web, type: notify, start_timeout: 1h, stop: {timeout: 1h}}");
	unsigned since = 0;

	world_script(w, "web",
		(struct script){
			.ready_after = EFF_S(100), .lives = EFF_FOREVER, .term_takes = EFF_S(100)});
	for (int s = 0; s < 300; s++) {
		bool needed = s < 100 || s > 201;
		unsigned heard;

		if (s == 200)
			world_shutdown(w, false);
		world_run_for(w, EFF_S(1));
		heard = heard_extensions();
		since = heard > 0 || !needed ? 0 : since + 1;
		/* 20 s are asked for; each time long before they are over. */
		ck_assert_msg(since < 7, "at %d s", s);
		if (s > 110 && s < 200)
			ck_assert_uint_eq(heard, 0);
	}
	world_tell_no_more(w);
}
END_TEST

START_TEST(a_failure_holds_no_readiness_back_and_is_named)
{
	struct world *w = world_that_tells(
		"web: {command: bad, type: notify, restart: {backoff: {initial: 10s, jitter: 0}}}\n"
		"job: {command: crash, restart: no}\nok: {command: web}\nlate: {command: web, depends_on: [job]}");
	char message[2048] = "";

	world_script(w, "bad", (struct script){.exits = 1, .ready_after = EFF_FOREVER});
	world_script(w, "crash", (struct script){.exec_error = 2});
	world_run_for(w, 0);
	while (recv(manager, message, sizeof(message) - 1, 0) >= 0 &&
		strncmp(message, "READY=1", 7) != 0)
		;
	ck_assert_str_eq(message,
		"READY=1\nSTATUS=1 of 4 up; web: exit 1: ended before it was ready, next try in 10 s");
	world_tell_no_more(w);
}
END_TEST

START_TEST(what_must_be_heard_waits_for_room)
{
	struct world *w = world_that_tells("web: {command: web}");

	world_script(w, "web", STEADY);
	fill();
	world_run_for(w, EFF_S(10));
	ck_assert_str_eq(heard(), "");
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(heard(), "READY=1 ");
	fill();
	notify_reload(&notify, true);
	notify_reload(&notify, false);
	notify_stopping(&notify);
	world_run_for(w, EFF_S(10));
	ck_assert_str_eq(heard(), "");
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(heard(), "RELOADING=1 READY=1 STOPPING=1 ");
	world_tell_no_more(w);
}
END_TEST

START_TEST(many_reloads_that_nobody_heard_of_are_one)
{
	struct world *w = world_that_tells("web: {command: web}");

	world_script(w, "web", STEADY);
	world_run_for(w, EFF_S(1));
	fill();
	(void)heard();
	fill();
	for (int i = 0; i < 100; i++) {
		notify_reload(&notify, true);
		notify_reload(&notify, true);
		notify_reload(&notify, false);
		notify_reload(&notify, false);
		world_run_for(w, EFF_MS(100));
	}
	(void)heard();
	world_run_for(w, EFF_S(1));
	ck_assert_str_eq(heard(), "RELOADING=1 READY=1 ");
	world_tell_no_more(w);
}
END_TEST

START_TEST(a_storm_of_changes_is_a_line_a_second)
{
	struct world *w = world_that_tells(
		"slow: {command: slow, type: notify}\n"
		"web: {command: web, restart: {backoff: {initial: 10ms, factor: 1, jitter: 0}}}");

	world_script(w, "slow", (struct script){.ready_after = EFF_S(60), .lives = EFF_FOREVER});
	world_script(w, "web", (struct script){.lives = EFF_MS(10), .exits = 1});
	for (int i = 0; i < 10; i++) {
		world_run_for(w, EFF_S(1));
		ck_assert_uint_le(heard_status(), 2);
	}
	ck_assert_uint_ge(world_spawns(w, "web"), 400);
	world_tell_no_more(w);
}
END_TEST

START_TEST(nobody_listening_is_nobodys_error)
{
	struct world *w = world_that_tells("web: {command: web}");

	world_script(w, "web", STEADY);
	ck_assert_int_eq(unlink(path), 0);
	world_run_for(w, EFF_S(1));
	notify_stopping(&notify);
	ck_assert_uint_eq(notify.n_due, 0);
	world_tell_no_more(w);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("effd_notify");
	TCase *tcase = tcase_create("notify");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, manager_open, manager_close);
	tcase_add_test(tcase, a_manager_that_cannot_be_told_is_an_error_at_once);
	tcase_add_test(tcase, it_is_ready_when_the_tree_has_settled);
	tcase_add_test(tcase, more_time_is_asked_for_until_it_is_ready_and_while_it_stops);
	tcase_add_test(tcase, a_failure_holds_no_readiness_back_and_is_named);
	tcase_add_test(tcase, what_must_be_heard_waits_for_room);
	tcase_add_test(tcase, many_reloads_that_nobody_heard_of_are_one);
	tcase_add_test(tcase, a_storm_of_changes_is_a_line_a_second);
	tcase_add_test(tcase, nobody_listening_is_nobodys_error);
	suite_add_tcase(suite, tcase);
	return suite;
}
