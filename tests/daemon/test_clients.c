/* SPDX-License-Identifier: MIT */
/* How many clients the server takes, and whom it turns away: nobody keeps out who may always come. */
#include <fcntl.h>
#include <sys/resource.h>

#include <check.h>

#include "control_world.h"

static const char one_unit[] = "web: {command: [web]}\n";

static struct server *server_with_room(uint32_t most_clients)
{
	struct server *s = server_new_with(one_unit, most_clients);

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

/* One that keeps its place: it has begun to ask. */
static struct client *client_asking(struct server *s)
{
	struct client *c = client_new(s);

	ck_assert_uint_eq(client_write(c, " ", 1), 1);
	server_turn(s);
	return c;
}

START_TEST(the_one_client_too_many_is_told_so_and_the_place_is_free_again)
{
	struct server *s = server_with_room(3);
	struct client *c[4];

	for (int i = 0; i < 4; i++)
		c[i] = client_asking(s);

	ck_assert_str_eq(reply_error(client_reply(c[3])), "Busy");
	ck_assert(client_is_closed(c[3]));
	ck_assert_uint_eq(control_clients(s->control), 3);
	ck_assert_str_eq(reply_error(client_ask(c[0], "Ping", NULL)), "");
	client_free(c[0]);
	server_turn(s);
	check_others_are_served(s);
	for (int i = 1; i < 4; i++)
		client_free(c[i]);
	server_free(s);
}
END_TEST

START_TEST(two_hundred_and_fifty_six_clients_are_served_and_one_more_is_not)
{
	struct server *s = server_with_room(0);
	struct client *c[257];

	for (int i = 0; i < 257; i++)
		c[i] = client_asking(s);

	ck_assert_uint_eq(control_clients(s->control), 256);
	ck_assert_str_eq(reply_error(client_reply(c[256])), "Busy");
	ck_assert_str_eq(reply_error(client_ask(c[255], "Ping", NULL)), "");
	for (int i = 0; i < 257; i++)
		client_free(c[i]);
	server_turn(s);
	ck_assert_uint_eq(control_clients(s->control), 0);
	server_free(s);
}
END_TEST

START_TEST(who_has_been_silent_for_the_longest_makes_room)
{
	struct server *s = server_with_room(3);
	struct client *c[6];

	for (int i = 0; i < 3; i++) {
		c[i] = client_new(s);
		server_turn(s);
	}
	/* The first asks something now and then, the second waits for an answer, the third never says a word. */
	client_call(c[1], "Events", "{\"follow\":true}", true);
	world_run_for(s->w, EFF_MS(1));
	ck_assert_str_eq(reply_error(client_ask(c[0], "Ping", NULL)), "");
	c[3] = client_new(s);
	server_turn(s);

	ck_assert(client_is_closed(c[2]));
	ck_assert_uint_eq(control_clients(s->control), 3);
	ck_assert_str_eq(reply_error(client_ask(c[3], "Ping", NULL)), "");
	ck_assert_str_eq(reply_error(client_ask(c[0], "Ping", NULL)), "");
	/* Half a request is no silence. */
	ck_assert_uint_eq(client_write(c[3], "{", 1), 1);
	server_turn(s);
	c[4] = client_asking(s);
	ck_assert(client_is_closed(c[0]));
	c[5] = client_new(s);
	server_turn(s);
	ck_assert_str_eq(reply_error(client_reply(c[5])), "Busy");
	ck_assert_uint_eq(control_clients(s->control), 3);
	for (int i = 0; i < 6; i++)
		client_free(c[i]);
	server_free(s);
}
END_TEST

/* Of many that come at once none had its turn yet: what they have sent is looked at. */
START_TEST(who_has_asked_is_not_silent_even_if_nobody_has_read_it)
{
	struct server *s = server_with_room(3);
	struct client *c[8];

	for (int i = 0; i < 8; i++) {
		c[i] = client_new(s);
		if (i == 0)
			client_call(c[i], "Ping", NULL, false);
	}
	server_turn(s);

	ck_assert_str_eq(reply_error(client_reply(c[0])), "");
	for (int i = 1; i < 6; i++)
		ck_assert(client_is_closed(c[i]));
	for (int i = 6; i < 8; i++)
		ck_assert_str_eq(reply_error(client_ask(c[i], "Ping", NULL)), "");
	for (int i = 0; i < 8; i++)
		client_free(c[i]);
	server_free(s);
}
END_TEST

START_TEST(silent_clients_keep_nobody_out)
{
	struct server *s = server_with_room(0);
	struct client *c[257];

	for (int i = 0; i < 257; i++) {
		c[i] = client_new(s);
		server_turn(s);
	}

	ck_assert_uint_eq(control_clients(s->control), 256);
	ck_assert(client_is_closed(c[0]));
	ck_assert_str_eq(reply_error(client_ask(c[256], "Ping", NULL)), "");
	for (int i = 0; i < 257; i++)
		client_free(c[i]);
	server_free(s);
}
END_TEST

/* One of another user's: the kernel notes who connects. */
static struct client *client_as(struct server *s, uid_t uid)
{
	struct client *c;

	ck_assert_int_eq(seteuid(uid), 0);
	c = client_new(s);
	ck_assert_int_eq(seteuid(0), 0);
	server_turn(s);
	return c;
}

/* The same, and it keeps its place. */
static struct client *client_asking_as(struct server *s, uid_t uid)
{
	struct client *c = client_as(s, uid);

	(void)client_write(c, " ", 1);
	server_turn(s);
	return c;
}

static struct server *server_for_all(uint32_t most_clients)
{
	struct server *s = server_with_room(most_clients);

	ck_assert_int_eq(chmod(s->dir, 0755), 0);
	ck_assert_int_eq(chmod(s->path, 0666), 0);
	return s;
}

START_TEST(no_user_keeps_the_others_out)
{
	struct server *s;
	struct client *c[32];
	int n = 0;

	if (geteuid() != 0)
		return;
	s = server_for_all(16);
	for (int i = 0; i < 6; i++)
		c[n++] = client_asking_as(s, 1001);
	ck_assert_uint_eq(control_clients(s->control), 4);
	ck_assert_str_eq(reply_error(client_reply(c[4])), "Busy");
	for (uid_t uid = 1002; uid < 1006; uid++)
		for (int i = 0; i < 4; i++)
			c[n++] = client_asking_as(s, uid);
	ck_assert_uint_eq(control_clients(s->control), 12);
	for (int i = 0; i < 5; i++)
		c[n++] = client_asking_as(s, 0);
	ck_assert_uint_eq(control_clients(s->control), 16);
	ck_assert_str_eq(reply_error(client_ask(c[n - 2], "Ping", NULL)), "");
	ck_assert_str_eq(reply_error(client_reply(c[n - 1])), "Busy");
	while (n > 0)
		client_free(c[--n]);
	server_free(s);
}
END_TEST

START_TEST(who_makes_room_is_of_those_that_share_it)
{
	struct server *s;
	struct client *own, *c[16];
	int n = 0;

	if (geteuid() != 0)
		return;
	s = server_for_all(16);
	own = client_as(s, 0);
	c[n++] = client_as(s, 1002);
	for (int i = 0; i < 5; i++)
		c[n++] = client_as(s, 1001);

	/* A quarter is one user's. */
	ck_assert(client_is_closed(c[1]));
	ck_assert(!client_is_closed(c[0]));
	/* Three are theirs who are neither root nor effd's user. */
	for (uid_t uid = 1003; uid < 1005; uid++)
		for (int i = 0; i < 4; i++)
			c[n++] = client_as(s, uid);
	ck_assert(client_is_closed(c[0]));
	ck_assert_uint_eq(control_clients(s->control), 13);
	ck_assert_str_eq(reply_error(client_ask(own, "Ping", NULL)), "");
	client_free(own);
	while (n > 0)
		client_free(c[--n]);
	server_free(s);
}
END_TEST

START_TEST(where_descriptors_are_few_fewer_clients_are_taken)
{
	struct server *s = server_with_room(0);
	struct rlimit before, low;
	struct client *c[12];

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = before;
	low.rlim_cur = 48 + 2 * 10 + 6;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	for (int i = 0; i < 12; i++)
		c[i] = client_asking(s);

	ck_assert_uint_eq(control_clients(s->control), 6);
	ck_assert_str_eq(reply_error(client_reply(c[11])), "Busy");
	for (int i = 0; i < 12; i++)
		client_free(c[i]);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	server_free(s);
}
END_TEST

enum { DESCRIPTORS = 128 };

/* As units do: all that there are beside the first n. Returns how many it has now. */
static int take_descriptors(int taken[DESCRIPTORS], int n)
{
	while ((taken[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		n++;
	return n;
}

START_TEST(without_any_descriptor_four_clients_are_served_and_nothing_spins)
{
	struct server *s = server_with_room(0);
	struct client *first = client_new(s), *c[8];
	struct eff_rt_stats before, after;
	struct rlimit low = {.rlim_cur = DESCRIPTORS, .rlim_max = DESCRIPTORS};
	int taken[DESCRIPTORS], n;

	server_turn(s);
	for (int i = 0; i < 8; i++)
		c[i] = client_new(s);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	n = take_descriptors(taken, 0);
	world_run_for(s->w, EFF_S(1));

	for (int i = 0; i < 4; i++)
		ck_assert_str_eq(reply_error(client_ask(c[i], "Ping", NULL)), "");
	for (int i = 4; i < 8; i++) {
		ck_assert_str_eq(reply_error(client_reply(c[i])), "Busy");
		ck_assert(client_is_closed(c[i]));
	}
	ck_assert_str_eq(reply_error(client_ask(first, "Ping", NULL)), "");
	eff_rt_stats(s->w->rt, &before);
	world_run_for(s->w, EFF_M(1));
	eff_rt_stats(s->w->rt, &after);
	ck_assert_uint_le(after.switches - before.switches, 4);
	/* Who takes whatever comes free gets none of these. */
	for (int round = 0; round < 8; round++) {
		client_free(c[round % 4]);
		server_turn(s);
		n = take_descriptors(taken, n);
		(void)close(taken[--n]);
		c[round % 4] = client_new(s);
		server_turn(s);
		ck_assert_str_eq(reply_error(client_ask(c[round % 4], "Ping", NULL)), "");
	}
	while (n > 0)
		(void)close(taken[--n]);
	for (int i = 0; i < 8; i++)
		client_free(c[i]);
	client_free(first);
	world_run_for(s->w, EFF_S(1));
	server_free(s);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("clients");
	TCase *tcase = tcase_create("clients");

	test_leak_guard(tcase);
	tcase_add_test(tcase, the_one_client_too_many_is_told_so_and_the_place_is_free_again);
	tcase_add_test(tcase, two_hundred_and_fifty_six_clients_are_served_and_one_more_is_not);
	tcase_add_test(tcase, who_has_been_silent_for_the_longest_makes_room);
	tcase_add_test(tcase, who_has_asked_is_not_silent_even_if_nobody_has_read_it);
	tcase_add_test(tcase, silent_clients_keep_nobody_out);
	tcase_add_test(tcase, no_user_keeps_the_others_out);
	tcase_add_test(tcase, who_makes_room_is_of_those_that_share_it);
	tcase_add_test(tcase, where_descriptors_are_few_fewer_clients_are_taken);
	tcase_add_test(tcase, without_any_descriptor_four_clients_are_served_and_nothing_spins);
	suite_add_tcase(suite, tcase);
	return suite;
}
