/* SPDX-License-Identifier: MIT */
/* Connections: what is slow, late, gone or never reads costs its own connection and no other. */
#include <check.h>

#include "control_world.h"

static const char one_unit[] = "web: {command: [web]}\n";

static struct server *server_with_web(void)
{
	struct server *s = server_new(one_unit);

	world_script(s->w, "web", (struct script){.lives = EFF_FOREVER});
	server_turn(s);
	return s;
}

/* Another client is served as ever. */
static void check_others_are_served(struct server *s)
{
	struct client *other = client_new(s);

	ck_assert_str_eq(reply_error(client_ask(other, "Ping", NULL)), "");
	client_free(other);
}

/* A tree whose status is more than a mebibyte. */
static char *many_units(int n)
{
	struct text text = {0};

	for (int i = 0; i < n; i++)
		text_printf(&text, "u%d: {command: [sleep], activate: manual}\n", i);
	return text.bytes;
}

START_TEST(a_request_must_be_whole_within_ten_seconds_of_its_first_byte)
{
	struct server *s = server_with_web();
	struct client *slow = client_new(s);

	/* Before the first byte there is all the time in the world. */
	world_run_for(s->w, EFF_H(1));
	for (int i = 0; i < 9; i++) {
		ck_assert_uint_eq(client_write(slow, "{", 1), 1);
		server_turn(s);
		world_run_for(s->w, EFF_S(1));
		check_others_are_served(s);
	}
	client_receive(slow);
	ck_assert_uint_eq(slow->n, 0);
	world_run_for(s->w, EFF_MS(1001));

	ck_assert_str_eq(reply_error(client_reply(slow)), "BadRequest");
	ck_assert(client_is_closed(slow));
	client_free(slow);
	world_run_for(s->w, EFF_S(2));
	server_free(s);
}
END_TEST

START_TEST(a_client_that_vanishes_ends_its_wait_and_nothing_else)
{
	struct server *s = server_new(one_unit);
	struct client *c = client_new(s);

	world_script(s->w, "web", (struct script){.lives = EFF_FOREVER, .term_takes = EFF_S(5)});
	server_turn(s);
	client_call(c, "Restart", "{\"units\":[\"web\"]}", false);
	server_turn(s);
	ck_assert_str_eq(state_name(world_state(s->w, "web")), "stopping");
	client_free(c);
	server_turn(s);
	ck_assert_uint_eq(control_clients(s->control), 0);
	world_run_for(s->w, EFF_S(30));
	ck_assert_str_eq(state_name(world_state(s->w, "web")), "up");
	ck_assert_uint_eq(world_unit(s->w, "web")->starts, 2);
	server_free(s);
}
END_TEST

START_TEST(a_client_that_only_sends_no_more_still_gets_its_answer)
{
	struct server *s = server_with_web();
	struct client *c = client_new(s);

	client_call(c, "Ping", NULL, false);
	ck_assert_int_eq(shutdown(c->fd, SHUT_WR), 0);
	ck_assert_str_eq(reply_error(client_reply(c)), "");
	ck_assert(client_is_closed(c));
	client_free(c);

	c = client_new(s);
	client_call(c, "Wait", "{\"units\":[\"web\"],\"for\":\"up\"}", false);
	ck_assert_int_eq(shutdown(c->fd, SHUT_WR), 0);
	ck_assert_str_eq(reply_error(client_reply(c)), "");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_long_answer_reaches_a_client_that_reads_it)
{
	char *units = many_units(5000);
	struct server *s = server_new(units);
	struct client *c = client_new(s);
	struct json *reply;

	client_call(c, "Status", NULL, false);
	server_turn(s);
	/* Nobody waits for it. */
	check_others_are_served(s);
	reply = client_reply(c);

	ck_assert_uint_eq(json_count(reply_at(reply, "parameters.units")), 5001);
	json_free(reply);
	client_free(c);
	server_free(s);
	free(units);
}
END_TEST

START_TEST(a_client_that_never_reads_its_long_answer_is_dropped_after_ten_seconds)
{
	char *units = many_units(5000);
	struct server *s = server_new(units);
	struct client *c = client_new(s);

	client_call(c, "Status", NULL, false);
	server_turn(s);
	world_run_for(s->w, EFF_MS(9900));
	ck_assert_uint_eq(control_clients(s->control), 1);
	world_run_for(s->w, EFF_S(2));

	ck_assert_uint_eq(control_clients(s->control), 0);
	check_others_are_served(s);
	client_free(c);
	server_free(s);
	free(units);
}
END_TEST

START_TEST(a_follower_that_never_reads_is_dropped_and_told_so_last)
{
	struct server *s = server_new(
		"web: {command: [web], restart: {backoff: {initial: 1ms, max: 1ms, jitter: 0}}}\n");
	struct client *c = client_new(s);
	char error[128] = "";
	struct json *reply;
	int n = 0;

	world_script(s->w, "web", (struct script){.lives = EFF_MS(1), .exits = 1});
	client_call(c, "Events", "{\"follow\":true}", true);
	server_turn(s);
	for (int i = 0; i < 20000 && control_clients(s->control) > 0; i++)
		world_run_for(s->w, EFF_MS(10));

	ck_assert_uint_eq(control_clients(s->control), 0);
	while ((reply = client_reply(c)) != NULL) {
		(void)snprintf(error, sizeof(error), "%s", reply_error(reply));
		n++;
	}
	ck_assert_int_gt(n, 100);
	ck_assert_str_eq(error, "Lost");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_follower_that_reads_slowly_but_keeps_up_loses_nothing)
{
	struct server *s = server_new(
		"web: {command: [web], restart: {backoff: {initial: 10ms, max: 10ms, jitter: 0}}}\n");
	struct client *c = client_new(s);
	int64_t seq = 0;

	world_script(s->w, "web", (struct script){.lives = EFF_MS(10), .exits = 1});
	client_call(c, "Events", "{\"follow\":true}", true);
	for (int i = 0; i < 40; i++) {
		struct json *reply;

		world_run_for(s->w, EFF_S(1));
		while ((reply = client_reply(c)) != NULL) {
			ck_assert_str_eq(json_get_text(reply, "error", ""), "");
			ck_assert_int_eq(
				json_get_int(json_get(reply, "parameters"), "seq", 0), ++seq);
			json_free(reply);
		}
	}
	ck_assert_int_gt(seq, 1000);
	client_free(c);
	server_free(s);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("conn");
	TCase *tcase = tcase_create("connections");

	test_leak_guard(tcase);
	tcase_add_test(tcase, a_request_must_be_whole_within_ten_seconds_of_its_first_byte);
	tcase_add_test(tcase, a_client_that_vanishes_ends_its_wait_and_nothing_else);
	tcase_add_test(tcase, a_client_that_only_sends_no_more_still_gets_its_answer);
	tcase_add_test(tcase, a_long_answer_reaches_a_client_that_reads_it);
	tcase_add_test(
		tcase, a_client_that_never_reads_its_long_answer_is_dropped_after_ten_seconds);
	tcase_add_test(tcase, a_follower_that_never_reads_is_dropped_and_told_so_last);
	tcase_add_test(tcase, a_follower_that_reads_slowly_but_keeps_up_loses_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}
