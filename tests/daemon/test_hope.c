/* SPDX-License-Identifier: MIT */
/* A start that cannot come to anything is answered at once, whatever else it waits for besides. */
#include <check.h>

#include "control_world.h"

/* `slow` runs for ever and is never done, `bad` has failed. */
#define COMMON \
	"slow: {command: [runs], type: oneshot, activate: manual}\n" \
	"bad: {command: [fails], type: oneshot, restart: no}\n" \
	"vain: {command: [runs], activate: manual, depends_on: [bad]}\n"

static struct server *server_of(const char *units)
{
	struct server *s = server_new(units);

	world_script(s->w, "runs", (struct script){.lives = EFF_FOREVER});
	world_script(s->w, "fails", (struct script){.exits = 3});
	world_run_for(s->w, EFF_S(1));
	return s;
}

/* Who stands in the way of this start, of an answer that is there without time passing: "bad"; "": there is no answer. */
static const char *start(struct server *s, const char *unit)
{
	static char words[128];
	struct client *c = client_new(s);
	char parameters[64];
	struct json *reply;

	(void)snprintf(parameters, sizeof(parameters), "{\"units\":[\"%s\"]}", unit);
	client_call(c, "Start", parameters, false);
	reply = client_reply(c);
	words[0] = '\0';
	if (reply) {
		const struct json *one = NULL;

		for (const struct json *v = json_first(reply_at(reply, "parameters.units")); v;
			v = json_next(v))
			if (strcmp(json_get_text(v, "name", ""), unit) == 0)
				one = v;
		(void)snprintf(words, sizeof(words), "%s: %s", json_get_text(one, "outcome", "?"),
			json_get_text(json_get(one, "cause"), "text", "?"));
	}
	json_free(reply);
	client_free(c);
	return words;
}

#define VAIN "failed: waits for bad, which is failed"

static const struct {
	const char *name, *units, *says;
} rows[] = {
	{"its own need, beside one that runs",
		"x: {command: [runs], activate: manual, depends_on: [slow, bad]}\n", VAIN},
	{"that of one it requires, beside one that runs",
		"x: {command: [runs], activate: manual, depends_on: [slow, vain]}\n", VAIN},
	{"the other way round",
		"x: {command: [runs], activate: manual, depends_on: [vain, slow]}\n", VAIN},
	{"further away",
		"y: {command: [runs], activate: manual, depends_on: [slow, vain]}\n"
		"z: {command: [runs], activate: manual, depends_on: [slow, y]}\n"
		"x: {command: [runs], activate: manual, depends_on: [slow, z]}\n",
		VAIN},
	{"order alone",
		"x: {command: [runs], activate: manual, depends_on: [slow], after: [waits]}\n"
		"waits: {command: [runs], depends_on: [bad]}\n",
		VAIN},
	{"in a group that is to be up",
		"x:\n  activate: manual\n  units:\n    a: {command: [runs], depends_on: [slow, vain]}\n",
		VAIN},
	{"of a group that it requires",
		"g:\n  activate: manual\n  units:\n    a: {command: [runs], depends_on: [slow]}\n"
		"    b: {command: [runs], depends_on: [slow, vain]}\n"
		"x: {command: [runs], activate: manual, depends_on: [slow, g]}\n",
		VAIN},
	{"none", "x: {command: [runs], activate: manual, depends_on: [slow]}\n", ""},
	{"one that is not required",
		"x: {command: [runs], activate: manual, depends_on: {slow: {}, bad: {required: false}}}\n",
		""},
	{"one that will be done",
		"x: {command: [runs], activate: manual, depends_on: [slow, soon]}\n"
		"soon: {command: [runs], activate: manual, depends_on: [slow]}\n",
		""},
};
enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

START_TEST(a_start_is_answered_when_one_of_all_it_waits_for_does_not_come)
{
	char units[1024];
	struct server *s;
	const char *says;

	(void)snprintf(units, sizeof(units), "%s%s", COMMON, rows[_i].units);
	s = server_of(units);
	says = start(s, "x");
	ck_assert_msg(strcmp(says, rows[_i].says) == 0, "%s: %s", rows[_i].name, says);
	server_free(s);
}
END_TEST

/* What one of them does not find holds for the others of a request. */
START_TEST(of_many_each_is_told_what_holds_it_back)
{
	struct server *s = server_of(
		COMMON "a: {command: [runs], activate: manual, depends_on: [slow]}\n"
		       "b: {command: [runs], activate: manual, depends_on: [slow, a]}\n"
		       "c: {command: [runs], activate: manual, depends_on: [b, vain]}\n"
		       "d: {command: [runs], activate: manual, depends_on: [b, c]}\n");
	struct client *c = client_new(s);
	struct json *reply;

	client_call(c, "Start", "{\"units\":[\"a\",\"b\",\"c\",\"d\"],\"timeout_s\":5}", false);
	world_run_for(s->w, EFF_S(6));
	reply = client_reply(c);
	ck_assert_str_eq(reply_results(reply),
		"a timeout waiting, b timeout waiting, bad failed failed, c failed waiting, "
		"d failed waiting");
	client_free(c);
	server_free(s);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("hope");
	TCase *tcase = tcase_create("hope");

	test_leak_guard(tcase);
	tcase_add_loop_test(tcase,
		a_start_is_answered_when_one_of_all_it_waits_for_does_not_come, 0, N_ROWS);
	tcase_add_test(tcase, of_many_each_is_told_what_holds_it_back);
	suite_add_tcase(suite, tcase);
	return suite;
}
