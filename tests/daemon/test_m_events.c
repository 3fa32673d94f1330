/* SPDX-License-Identifier: MIT */
/* Events: none twice, none left out, and a snapshot that fits what follows. */
#include <check.h>

#include "control_world.h"

static struct server *web_and_db(void)
{
	struct server *s = server_new(
		"web: {command: [run]}\ng:\n  units:\n    db: {command: [run]}\n");

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	server_turn(s);
	return s;
}

START_TEST(events_are_numbered_without_a_gap_from_the_first)
{
	struct server *s = web_and_db();
	struct client *c = client_new(s);
	struct json *reply;
	int64_t seq = 0;

	client_call(c, "Events", NULL, true);
	while ((reply = client_reply(c)) != NULL && json_get_bool(reply, "continues", false)) {
		ck_assert_int_eq(json_get_int(json_get(reply, "parameters"), "seq", 0), ++seq);
		json_free(reply);
	}
	ck_assert_ptr_nonnull(reply);
	ck_assert_ptr_null(json_first(json_get(reply, "parameters")));
	json_free(reply);
	ck_assert_int_eq(seq, (int64_t)s->w->tree->last_seq);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(a_state_event_says_from_where_to_where_and_why)
{
	struct server *s = web_and_db();
	struct client *c = client_new(s);
	struct json *reply;

	client_call(c, "Events", "{\"units\":[\"g\"],\"follow\":true}", true);
	while ((reply = client_reply(c)) != NULL) {
		/* The group and what is below it, nothing else. */
		ck_assert_ptr_nonnull(strchr(reply_text(reply, "parameters.unit"), 'g'));
		json_free(reply);
	}
	world_stop(s->w, "web");
	world_stop(s->w, "g/db");
	world_run_for(s->w, EFF_S(1));
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.unit"), "g/db");
	ck_assert_str_eq(reply_text(reply, "parameters.event"), "state");
	ck_assert_str_eq(reply_text(reply, "parameters.from"), "up");
	ck_assert_str_eq(reply_text(reply, "parameters.to"), "stopping");
	ck_assert_str_eq(reply_text(reply, "parameters.cause.kind"), "stop_requested");
	ck_assert_str_eq(reply_text(reply, "parameters.cause.by.command"), "effctl");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(no_change_falls_between_a_snapshot_and_what_follows)
{
	struct server *s = web_and_db();
	struct client *c = client_new(s);
	struct json *reply;
	int64_t seq;

	client_call(c, "Events", "{\"follow\":true,\"snapshot\":true}", true);
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "parameters.event"), "snapshot");
	ck_assert_str_eq(reply_text(reply, "parameters.units.1.state"), "up");
	seq = json_get_int(json_get(reply, "parameters"), "seq", -1);
	ck_assert_int_eq(seq, (int64_t)s->w->tree->last_seq);
	json_free(reply);
	ck_assert_ptr_null(client_reply(c));

	world_stop(s->w, "web");
	world_run_for(s->w, EFF_S(1));
	reply = client_reply(c);
	ck_assert_int_eq(json_get_int(json_get(reply, "parameters"), "seq", -1), seq + 1);
	ck_assert_str_eq(reply_text(reply, "parameters.to"), "stopping");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(after_thousands_of_events_the_last_thousand_are_there)
{
	struct server *s = server_new(
		"web: {command: [dies], restart: {backoff: {initial: 1ms, max: 1ms, jitter: 0}}}\n");
	struct client *c = client_new(s);
	struct json *reply;
	int64_t first = 0, n = 0;

	world_script(s->w, "dies", (struct script){.lives = EFF_MS(1), .exits = 1});
	world_run_for(s->w, EFF_S(4));
	client_call(c, "Events", NULL, true);
	while ((reply = client_reply(c)) != NULL && json_get_bool(reply, "continues", false)) {
		if (n++ == 0)
			first = json_get_int(json_get(reply, "parameters"), "seq", 0);
		json_free(reply);
	}
	json_free(reply);
	ck_assert_int_gt(first, 1000);
	ck_assert_int_eq(n, 1000);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(an_event_of_another_kind_has_words)
{
	struct server *s = server_new("web: {command: [deaf], stop: {timeout: 1s}}\n");
	struct client *c = client_new(s);
	struct json *reply;
	bool found = false;

	world_script(s->w, "deaf",
		(struct script){
			.lives = EFF_FOREVER, .ignores_term = true, .unkillable_for = EFF_S(20)});
	server_turn(s);
	world_stop(s->w, "web");
	world_run_for(s->w, EFF_S(10));
	client_call(c, "Events", NULL, true);
	while ((reply = client_reply(c)) != NULL) {
		if (strcmp(reply_text(reply, "parameters.event"), "stuck") == 0)
			found = strstr(reply_text(reply, "parameters.text"), "pid ") != NULL;
		json_free(reply);
	}
	ck_assert(found);
	client_free(c);
	server_free(s);
}
END_TEST

/* "pool/a down, g/db down": who came to rest, of all that was sent. */
static const char *rested(struct client *c)
{
	static char words[256];
	struct json *reply;
	size_t n = 0;

	words[0] = '\0';
	while ((reply = client_reply(c)) != NULL) {
		const char *to = json_get_text(reply_at(reply, "parameters"), "to", "");

		if (strcmp(to, "down") == 0 || strcmp(to, "done") == 0)
			n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s %s",
				n ? ", " : "", reply_text(reply, "parameters.unit"), to);
		json_free(reply);
	}
	return words;
}

START_TEST(by_label_the_end_of_one_that_is_taken_away_is_shown_too)
{
	struct server *s = server_new("web: {command: [run], labels: {of: me}}\n"
				      "db: {command: [run], labels: {of: you}}\n"
				      "pool: {strategy: simple_one_for_one, template: {command: [run]}}\n"
				      "g: {labels: {of: me}, units: {a: {command: [run]}}}\n");
	struct client *c = client_new(s), *other = client_new(s);

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "job", (struct script){.lives = EFF_S(1), .exits = 0});
	server_turn(s);
	client_call(c, "Events", "{\"units\":[\"of=me\"],\"follow\":true}", true);
	server_turn(s);
	ck_assert_int_eq(world_add(s->w, "pool",
				 "a: {labels: {of: me}}, b: {labels: {of: you}}, "
				 "job: {command: [job], restart: no, labels: {of: me}}"),
		0);
	world_run_for(s->w, EFF_S(2));
	ck_assert_str_eq(rested(c), "pool/job done");
	ck_assert_int_eq(world_remove(s->w, "pool/a", true), 0);
	ck_assert_int_eq(world_remove(s->w, "pool/b", true), 0);
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(rested(c), "pool/a down");
	s->document = "version: 1\nname: test\nunits:\n"
		      "  pool: {strategy: simple_one_for_one, template: {command: [run]}}\n";
	json_free(client_ask(other, "Reload", NULL));
	world_run_for(s->w, EFF_S(1));
	ck_assert_str_eq(rested(c), "web down, g/a down, g down");
	client_free(other);
	client_free(c);
	server_free(s);
}
END_TEST

/* What is over is told of those too that are there no more. */
START_TEST(what_happened_to_one_that_was_taken_away_can_be_asked_for)
{
	static const char *const asked[] = {"{\"units\":[\"web\"]}", "{\"units\":[\"w*\"]}",
		"{\"units\":[\"of=me\"]}", "{\"units\":[\"web\",\"of=me\"],\"follow\":true}"};
	struct server *s = server_new("web: {command: [run], labels: {of: me}}\n"
				      "db: {command: [run]}\n");
	struct client *c = client_new(s);
	struct json *reply;

	world_script(s->w, "run", (struct script){.lives = EFF_FOREVER});
	server_turn(s);
	world_stop(s->w, "web");
	world_run_for(s->w, EFF_S(1));
	world_start(s->w, "web");
	world_run_for(s->w, EFF_S(1));
	s->document = "version: 1\nname: test\nunits: {db: {command: [run]}}\n";
	json_free(client_ask(c, "Reload", NULL));
	for (size_t i = 0; i < 4; i++) {
		struct client *other = client_new(s);

		client_call(other, "Events", asked[i], true);
		world_run_for(s->w, EFF_S(1));
		ck_assert_str_eq(rested(other), "web down, web down");
		client_free(other);
	}
	client_call(c, "Events", "{\"units\":[\"db\",\"wbe\"]}", true);
	server_turn(s);
	reply = client_reply(c);
	ck_assert_str_eq(reply_text(reply, "error"), CONTROL "NoSuchUnit");
	ck_assert_str_eq(reply_text(reply, "parameters.unit"), "wbe");
	json_free(reply);
	client_free(c);
	server_free(s);
}
END_TEST

Suite *test_suite(void);

Suite *test_suite(void)
{
	Suite *suite = suite_create("m_events");
	TCase *tcase = tcase_create("events");

	test_leak_guard(tcase);
	tcase_add_test(tcase, by_label_the_end_of_one_that_is_taken_away_is_shown_too);
	tcase_add_test(tcase, events_are_numbered_without_a_gap_from_the_first);
	tcase_add_test(tcase, a_state_event_says_from_where_to_where_and_why);
	tcase_add_test(tcase, no_change_falls_between_a_snapshot_and_what_follows);
	tcase_add_test(tcase, after_thousands_of_events_the_last_thousand_are_there);
	tcase_add_test(tcase, an_event_of_another_kind_has_words);
	tcase_add_test(tcase, what_happened_to_one_that_was_taken_away_can_be_asked_for);
	suite_add_tcase(suite, tcase);
	return suite;
}
