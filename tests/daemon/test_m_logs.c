/* SPDX-License-Identifier: MIT */
/* Logs: the lines of any number of units in the order in which they came. */
#include <check.h>

#include "control_world.h"

/* "a: one; b: two; end": the lines that are there, as far as they are. */
static const char *lines(struct client *c)
{
	static char words[2048];
	struct json *reply;
	size_t n = 0;

	words[0] = '\0';
	while ((reply = client_reply(c)) != NULL) {
		bool more = json_get_bool(reply, "continues", false);

		if (more)
			n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s: %s",
				n ? "; " : "", reply_text(reply, "parameters.unit"),
				reply_text(reply, "parameters.text"));
		else
			n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s",
				n ? "; " : "", json_get_text(reply, "error", "end"));
		json_free(reply);
	}
	return words;
}

static struct server *talkers(void)
{
	struct server *s = server_new(
		"g:\n  units:\n    a: {command: [a]}\n    b: {command: [b]}\nweb: {command: [web]}\n");

	world_script(s->w, "a",
		(struct script){.lives = EFF_FOREVER, .exec_takes = EFF_S(1), .prints = "a1\na2\n"});
	world_script(s->w, "b",
		(struct script){.lives = EFF_FOREVER,
			.exec_takes = EFF_S(2),
			.prints = "b1\n",
			.complains = "b!\n"});
	world_script(s->w, "web",
		(struct script){.lives = EFF_FOREVER, .exec_takes = EFF_MS(1500), .prints = "w1\n"});
	world_run_for(s->w, EFF_S(3));
	return s;
}

START_TEST(lines_come_in_their_order_over_all_units)
{
	struct server *s = talkers();
	struct client *c = client_new(s);

	client_call(c, "Logs", NULL, true);
	ck_assert_str_eq(lines(c), "g/a: a1; g/a: a2; web: w1; g/b: b1; g/b: b!; end");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_supervisor_stands_for_all_below_it)
{
	struct server *s = talkers();
	struct client *c = client_new(s);

	client_call(c, "Logs", "{\"units\":[\"g\"]}", true);
	ck_assert_str_eq(lines(c), "g/a: a1; g/a: a2; g/b: b1; g/b: b!; end");
	client_call(c, "Logs", "{\"units\":[\"g/b\"]}", true);
	ck_assert_str_eq(lines(c), "g/b: b1; g/b: b!; end");
	client_call(c, "Logs", "{\"units\":[\"nobody\"]}", true);
	ck_assert_str_eq(lines(c), "org.effd.Control.NoSuchUnit");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(the_last_lines_are_those_of_each_unit)
{
	struct server *s = talkers();
	struct client *c = client_new(s);

	client_call(c, "Logs", "{\"lines\":1}", true);
	ck_assert_str_eq(lines(c), "g/a: a2; web: w1; g/b: b!; end");
	client_call(c, "Logs", "{\"lines\":0}", true);
	ck_assert_str_eq(lines(c), "end");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_follower_gets_what_comes_and_only_that_after_the_past)
{
	struct server *s = server_new("web: {command: [web], restart: {backoff: {jitter: 0}}}\n");
	struct client *c = client_new(s);

	world_script(s->w, "web",
		(struct script){.lives = EFF_MS(1), .exits = 1, .prints = "again\n"});
	world_run_for(s->w, EFF_MS(100));
	client_call(c, "Logs", "{\"follow\":true}", true);
	ck_assert_str_eq(lines(c), "web: again");
	ck_assert_str_eq(lines(c), "");
	world_run_for(s->w, EFF_MS(500));
	ck_assert_str_eq(lines(c), "web: again");
	world_run_for(s->w, EFF_MS(3100));
	ck_assert_str_eq(lines(c), "web: again; web: again");
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_follower_of_a_name_follows_it_through_a_reload)
{
	struct server *s = server_new("web: {command: [web]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "web", (struct script){.lives = EFF_FOREVER, .prints = "old\n"});
	world_script(s->w, "new", (struct script){.lives = EFF_FOREVER, .prints = "new\n"});
	server_turn(s);
	client_call(c, "Logs", "{\"follow\":true}", true);
	ck_assert_str_eq(lines(c), "web: old");
	world_reload(s->w, "web: {command: [new]}\ndb: {command: [new]}\n");
	world_run_for(s->w, EFF_S(1));
	ck_assert_ptr_nonnull(strstr(lines(c), "web: new"));
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(what_units_print_is_shown_and_never_obeyed)
{
	struct server *s = server_new("web: {command: [web]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "web",
		(struct script){.lives = EFF_FOREVER,
			.prints = "\x1b[2J caf\xc3\xa9 \xff \x01\"quoted\"\n"});
	server_turn(s);
	client_call(c, "Logs", NULL, true);
	ck_assert_str_eq(lines(c), "web: \\x1B[2J caf\xc3\xa9 \\xFF \\x01\"quoted\"; end");
	client_free(c);
	server_free(s);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("m_logs");
	TCase *tcase = tcase_create("logs");

	test_leak_guard(tcase);
	tcase_add_test(tcase, lines_come_in_their_order_over_all_units);
	tcase_add_test(tcase, a_supervisor_stands_for_all_below_it);
	tcase_add_test(tcase, the_last_lines_are_those_of_each_unit);
	tcase_add_test(tcase, a_follower_gets_what_comes_and_only_that_after_the_past);
	tcase_add_test(tcase, a_follower_of_a_name_follows_it_through_a_reload);
	tcase_add_test(tcase, what_units_print_is_shown_and_never_obeyed);
	suite_add_tcase(suite, tcase);
	return suite;
}
