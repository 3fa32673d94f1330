/* SPDX-License-Identifier: MIT */
/* The built-in fibers `health` and `metrics`: what they answer to the letter, and to what. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <check.h>

#include "leak.h"
#include "web_world.h"

Suite *test_suite(void);

START_TEST(alive_is_told_to_the_letter)
{
	struct world *w = world_up("health", "");

	ck_assert_str_eq(asked(w, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"),
		"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 6\r\n"
		"Cache-Control: no-store\r\nConnection: close\r\n\r\nalive\n");
	ck_assert_str_eq(asked(w, "HEAD /livez HTTP/1.0\r\n\r\n"),
		"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 6\r\n"
		"Cache-Control: no-store\r\nConnection: close\r\n\r\n");
	ck_assert_int_eq(got(w, "/livez?verbose=1"), 200);
	world_free(w);
}
END_TEST

static const struct {
	const char *request;
	int status;
} refused[] = {
	{"GET /nothing HTTP/1.1\r\n\r\n", 404},
	{"GET / HTTP/1.1\r\n\r\n", 404},
	{"POST /livez HTTP/1.1\r\n\r\n", 405},
	{"GETS /livez HTTP/1.1\r\n\r\n", 405},
	{"GET livez HTTP/1.1\r\n\r\n", 400},
	{"GET /livez\r\n\r\n", 400},
	{"GET /livez SMTP/1.1\r\n\r\n", 400},
	{"\r\n\r\n", 400},
	{"\n\n", 400},
};

START_TEST(what_is_no_request_is_refused)
{
	struct world *w = world_up("health", "");

	(void)asked(w, refused[_i].request);

	ck_assert_int_eq(atoi(answer + strlen("HTTP/1.1 ")), refused[_i].status);
	ck_assert_int_eq(got(w, "/livez"), 200);
	world_free(w);
}
END_TEST

START_TEST(too_much_is_refused_and_a_nul_is_no_text)
{
	struct world *w = world_up("health", "");
	char *much = malloc(10000);
	int fd;

	ck_assert_ptr_nonnull(much);
	memset(much, 'x', 10000);
	much[9999] = '\0';
	(void)asked(w, much);
	ck_assert_int_eq(atoi(answer + strlen("HTTP/1.1 ")), 431);
	free(much);
	fd = client_open();
	client_say(fd, "GET /\0 HTTP/1.1\r\n\r\n", 19);
	ck_assert(client_hear(w, fd));
	(void)close(fd);
	ck_assert_int_eq(atoi(answer + strlen("HTTP/1.1 ")), 400);
	world_free(w);
}
END_TEST

START_TEST(who_is_slow_is_closed)
{
	struct world *w = world_up("health", "");
	int fd = client_open();

	client_say(fd, "GET /", 5);
	world_run_for(w, EFF_S(10) - 1);
	ck_assert(!client_hear(w, fd));
	world_run_for(w, 1);
	ck_assert(client_hear(w, fd));
	ck_assert_str_eq(answer, "");
	ck_assert_int_eq(got(w, "/livez"), 200);
	(void)close(fd);
	world_free(w);
}
END_TEST

START_TEST(those_that_say_nothing_keep_nobody_out)
{
	struct world *w = world_up("health", "");
	int fds[400];

	for (int i = 0; i < 400; i++) {
		fds[i] = client_open();
		world_run_for(w, 0);
	}

	ck_assert(client_hear(w, fds[367]));
	ck_assert(!client_hear(w, fds[368]));
	/* It says something: then the next one has been silent for longer. */
	client_say(fds[368], "GET /", 5);
	world_run_for(w, 0);
	ck_assert_int_eq(got(w, "/livez"), 200);
	ck_assert(client_hear(w, fds[369]));
	client_say(fds[368], "livez HTTP/1.1\r\n\r\n", 18);
	ck_assert(client_hear(w, fds[368]));
	ck_assert_int_eq(strncmp(answer, "HTTP/1.1 200 ", 13), 0);
	for (int i = 0; i < 400; i++)
		(void)close(fds[i]);
	world_free(w);
}
END_TEST

/* Of many that come at once none had its turn yet: what they have sent is looked at. */
START_TEST(who_has_asked_is_answered_however_many_come_after_it)
{
	struct world *w = world_up("health", "");
	int fds[48];

	for (int i = 0; i < 48; i++) {
		fds[i] = client_open();
		if (i == 0)
			client_say(fds[i], "GET /livez HTTP/1.1\r\n\r\n", 23);
	}

	ck_assert(client_hear(w, fds[0]));
	ck_assert_int_eq(strncmp(answer, "HTTP/1.1 200 ", 13), 0);
	for (int i = 0; i < 48; i++)
		(void)close(fds[i]);
	world_free(w);
}
END_TEST

/* 32 that do not read what they asked for are room for all. */
START_TEST(where_all_are_being_answered_one_too_many_is_closed)
{
	struct text units = {0};
	struct world *w;
	int fds[33];

	for (int i = 0; i < 1000; i++)
		text_printf(&units, "u%d: {command: x, activate: manual}\n", i);
	w = world_up("metrics", units.bytes);
	for (int i = 0; i < 33; i++) {
		fds[i] = client_open();
		client_say(fds[i], "GET /metrics HTTP/1.1\r\n\r\n", 25);
		for (int n = 0; n < 20; n++)
			world_run_for(w, 0);
	}

	ck_assert(client_hear(w, fds[32]));
	ck_assert_str_eq(answer, "");
	ck_assert(client_hear(w, fds[0]));
	ck_assert_ptr_nonnull(strstr(answer, "# EOF\n"));
	for (int i = 0; i < 33; i++)
		(void)close(fds[i]);
	text_done(&units);
	world_free(w);
}
END_TEST

/* Cancelled while somebody asks: nothing is left, which the fixtures see. */
START_TEST(an_end_cuts_visits_short)
{
	struct world *w = world_up("health", "");
	int fd = client_open();

	client_say(fd, "GET /", 5);
	world_run_for(w, 0);
	tree_shutdown(w->tree, &(struct asker){0}, false);
	world_run_for(w, EFF_S(1));
	ck_assert(client_hear(w, fd));
	(void)close(fd);
	world_free(w);
}
END_TEST

START_TEST(a_place_that_is_taken_is_a_failure_and_one_left_behind_is_not)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct world *w;

	(void)strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	w = world_up("health", "");
	EXPECT_STATES(w, "door", "0 backoff");
	ck_assert_str_eq(world_last_exit(w, "door"), "fiber_failed 1");
	(void)close(fd);
	world_run_for(w, EFF_S(10));
	ck_assert_int_eq(got(w, "/livez"), 200);
	world_free(w);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/control/web");
	TCase *tcase = tcase_create("web");

	test_leak_guard(tcase);
	tcase_add_checked_fixture(tcase, place_make, place_remove);
	tcase_add_test(tcase, alive_is_told_to_the_letter);
	tcase_add_loop_test(tcase, what_is_no_request_is_refused, 0,
		(int)(sizeof(refused) / sizeof(refused[0])));
	tcase_add_test(tcase, too_much_is_refused_and_a_nul_is_no_text);
	tcase_add_test(tcase, who_is_slow_is_closed);
	tcase_add_test(tcase, those_that_say_nothing_keep_nobody_out);
	tcase_add_test(tcase, who_has_asked_is_answered_however_many_come_after_it);
	tcase_add_test(tcase, where_all_are_being_answered_one_too_many_is_closed);
	tcase_add_test(tcase, an_end_cuts_visits_short);
	tcase_add_test(tcase, a_place_that_is_taken_is_a_failure_and_one_left_behind_is_not);
	suite_add_tcase(suite, tcase);
	return suite;
}
