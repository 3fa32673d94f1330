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

/* ── what came too fast ── */

enum { N_LINES = 200, N_MANY = 9000, LINE_BYTES = 20 };

/* So many lines at once. */
static const char *burst(int n)
{
	static char text[N_MANY * LINE_BYTES + 1];

	for (int i = 0; i < n; i++)
		(void)snprintf(text + (size_t)i * LINE_BYTES,
			sizeof(text) - (size_t)i * LINE_BYTES, "line %014d\n", i);
	return text;
}

struct had {
	int64_t lost, sent; /* bytes */
	int n_gaps, n_lines;
	bool gap_first;
};

static struct had had_of(struct client *c)
{
	struct had had = {0};
	struct json *reply;

	while ((reply = client_reply(c)) != NULL) {
		const struct json *one = json_get(reply, "parameters");
		const char *text = json_get_text(one, "text", NULL);
		int64_t lost = json_get_int(one, "lost_bytes", 0);

		/* The last one has nothing. */
		ck_assert(!text == (lost > 0) || !json_first(one));
		had.lost += lost;
		had.n_gaps += lost > 0;
		had.gap_first |= lost > 0 && had.n_lines == 0;
		had.n_lines += text != NULL;
		if (text)
			had.sent += (int64_t)strlen(text) + !json_get_bool(one, "partial", false);
		json_free(reply);
	}
	return had;
}

static struct server *fast_server(const char *prints)
{
	struct server *s = server_new("web: {command: [web], log: {ring: 1KiB}}\n"
				      "slow: {command: [slow], activate: manual}\n");

	world_script(s->w, "web",
		(struct script){.lives = EFF_FOREVER, .exec_takes = EFF_S(1), .prints = prints});
	world_script(s->w, "slow", (struct script){.lives = EFF_FOREVER});
	server_turn(s);
	return s;
}

START_TEST(a_follower_is_told_what_it_has_missed_and_how_much)
{
	struct server *s = fast_server(burst(N_LINES));
	struct client *c = client_new(s);
	struct had had;

	client_call(c, "Logs", "{\"follow\":true}", true);
	ck_assert_int_eq(had_of(c).n_lines, 0);
	world_run_for(s->w, EFF_S(2));
	had = had_of(c);

	ck_assert_int_eq(had.n_gaps, 1);
	ck_assert(had.gap_first);
	ck_assert_int_gt(had.n_lines, 10);
	ck_assert_int_eq(had.lost + had.sent, N_LINES * LINE_BYTES);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_line_longer_than_the_ring_is_missed_in_part)
{
	static char line[8001];
	struct server *s;
	struct client *c;
	struct had had;

	memset(line, 'x', sizeof(line) - 2);
	line[sizeof(line) - 2] = '\n';
	s = fast_server(line);
	c = client_new(s);
	client_call(c, "Logs", "{\"follow\":true}", true);
	ck_assert_int_eq(had_of(c).n_lines, 0);
	world_run_for(s->w, EFF_S(2));
	had = had_of(c);

	ck_assert_int_eq(had.n_gaps, 1);
	ck_assert(had.gap_first);
	ck_assert_int_eq(had.lost + had.sent, 8000);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(what_is_not_asked_for_is_not_missed)
{
	struct server *s = fast_server(burst(N_LINES));
	struct client *c = client_new(s);

	world_run_for(s->w, EFF_S(2));
	client_call(c, "Logs", NULL, true);
	ck_assert_int_eq(had_of(c).n_gaps, 0);
	for (int n = 0; n < 3; n++) {
		char parameters[64];

		(void)snprintf(parameters, sizeof(parameters), "{\"lines\":%d}", n);
		client_call(c, "Logs", parameters, true);
		ck_assert_int_eq(had_of(c).n_gaps, 0);
	}
	client_free(c);
	server_free(s);
}
END_TEST

/* Its client does not read while all that was asked for makes way for another run's output. */
START_TEST(what_was_asked_for_and_makes_way_before_it_is_read_is_missed)
{
	struct server *s = server_new("web: {command: [web], log: {ring: 512KiB}}\n");
	struct client *c = client_new(s);
	struct had had;

	world_script(s->w, "web", (struct script){.lives = EFF_FOREVER, .prints = burst(N_MANY)});
	world_run_for(s->w, EFF_S(1));
	client_call(c, "Logs", NULL, true);
	world_run_for(s->w, EFF_S(1));
	world_restart(s->w, "web");
	world_run_for(s->w, EFF_S(1));
	had = had_of(c);

	ck_assert_int_gt(had.n_lines, 100);
	ck_assert_int_eq(had.n_gaps, 1);
	ck_assert_int_eq(had.lost + had.sent, N_MANY * LINE_BYTES);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(what_is_missed_is_known_through_a_reload)
{
	struct server *s = fast_server(burst(N_LINES));
	struct client *c = client_new(s);
	struct had had;

	client_call(c, "Logs", "{\"follow\":true}", true);
	ck_assert_int_eq(had_of(c).n_lines, 0);
	world_reload(s->w, "web: {command: [web], log: {ring: 1KiB}}\n");
	world_run_for(s->w, EFF_S(2));
	had = had_of(c);

	ck_assert_int_eq(had.n_gaps, 1);
	ck_assert_int_eq(had.lost + had.sent, N_LINES * LINE_BYTES);
	client_free(c);
	server_free(s);
}
END_TEST

/* One that is gone, and another that may well lie where it lay. */
START_TEST(what_was_seen_of_a_unit_says_nothing_of_another_that_comes_after_it)
{
	struct server *s = server_new("keep: {command: [keep]}\nweb: {command: [web]}\n");
	struct client *c = client_new(s);
	struct had had;

	world_script(s->w, "keep", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "web", (struct script){.lives = EFF_FOREVER, .prints = "a line\n"});
	world_script(s->w, "new", (struct script){.lives = EFF_FOREVER, .prints = burst(N_LINES)});
	world_run_for(s->w, EFF_S(1));
	client_call(c, "Logs", "{\"follow\":true}", true);
	ck_assert_int_eq(had_of(c).n_lines, 1);
	world_reload(s->w, "keep: {command: [keep]}\n");
	world_run_for(s->w, EFF_S(1));
	world_reload(s->w, "keep: {command: [keep]}\nnew: {command: [new], log: {ring: 1KiB}}\n");
	world_run_for(s->w, EFF_S(1));
	had = had_of(c);

	ck_assert_int_gt(had.n_lines, 10);
	ck_assert_int_eq(had.n_gaps, 0);
	client_free(c);
	server_free(s);
}
END_TEST

/* Nobody reads what was asked for before the unit is gone. */
START_TEST(of_what_is_gone_meanwhile_nothing_is_asked_any_more)
{
	struct server *s = server_new("keep: {command: [keep]}\nweb: {command: [web]}\n");
	struct client *c = client_new(s);

	world_script(s->w, "keep", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "web", (struct script){.lives = EFF_FOREVER, .prints = burst(N_MANY)});
	world_run_for(s->w, EFF_S(1));
	client_call(c, "Logs", NULL, true);
	world_reload(s->w, "keep: {command: [keep]}\n");
	world_run_for(s->w, EFF_S(1));
	ck_assert_int_eq(had_of(c).n_gaps, 0);
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
	tcase_add_test(tcase, a_follower_is_told_what_it_has_missed_and_how_much);
	tcase_add_test(tcase, a_line_longer_than_the_ring_is_missed_in_part);
	tcase_add_test(tcase, what_is_not_asked_for_is_not_missed);
	tcase_add_test(tcase, what_was_asked_for_and_makes_way_before_it_is_read_is_missed);
	tcase_add_test(tcase, what_is_missed_is_known_through_a_reload);
	tcase_add_test(tcase, what_was_seen_of_a_unit_says_nothing_of_another_that_comes_after_it);
	tcase_add_test(tcase, of_what_is_gone_meanwhile_nothing_is_asked_any_more);
	suite_add_tcase(suite, tcase);
	return suite;
}
