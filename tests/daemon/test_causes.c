/* SPDX-License-Identifier: MIT */
/* Every kind of cause there is comes about in a real story, and is seen wherever one looks: in the unit's status, in an
 * event, in what `explain` says, and in the environment of the hook that is told of it. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include <check.h>

#include "base/cause.h"
#include "control_world.h"
#include "effd/fiber.h"

/* How each comes about with the unit `u` (its program `run`), within 2 s; what an operator stops at 1 s, and which hook is
 * told of it. */
struct story {
	enum cause_kind kind;
	const char *units;
	struct script script;
	const char *stops, *hook;
};

#define ENDS(...) \
	{ \
		.lives = EFF_MS(500), __VA_ARGS__ \
	}
#define STAYS \
	{ \
		.lives = EFF_FOREVER \
	}
#define FIBER(for, exit) "fiber: idle, with: {for: " for ", exit: " exit "}, restart: no"
#define HOOK(name) ", hooks: {" name ": hook}"

static const struct story stories[] = {
	{CAUSE_EXIT, "u: {command: run, restart: no" HOOK("on_failure") "}", ENDS(.exits = 3),
		NULL, "on_failure"},
	{CAUSE_SIGNAL, "u: {command: run, restart: no" HOOK("on_give_up") "}",
		ENDS(.dies_by = SIGSEGV), NULL, "on_give_up"},
	{CAUSE_EXEC_ERROR, "u: {command: run" HOOK("on_failure") "}", {.exec_error = ENOENT},
		NULL, "on_failure"},
	{CAUSE_OOM, "u: {command: run, restart: no" HOOK("on_failure") "}",
		ENDS(.dies_by = SIGKILL, .oom = true), NULL, "on_failure"},
	{CAUSE_START_TIMEOUT,
		"u: {command: run, type: notify, start_timeout: 500ms" HOOK("post_stop") "}",
		{.lives = EFF_FOREVER, .ready_after = EFF_FOREVER}, NULL, "post_stop"},
	{CAUSE_MAX_RUNTIME,
		"u: {command: run, max_runtime: 500ms, restart: no" HOOK("on_failure") "}",
		STAYS, NULL, "on_failure"},
	{CAUSE_WATCHDOG, "u: {command: run, watchdog: 500ms, restart: no" HOOK("on_failure") "}",
		STAYS, NULL, "on_failure"},
	{CAUSE_PROBE,
		"u: {command: run, restart: no, liveness_probe: {tcp: {port: 80}, period: 500ms, failure_threshold: 1}" HOOK(
			"on_failure") "}",
		STAYS, NULL, "on_failure"},
	{CAUSE_HOOK, "u: {command: run, restart: no, hooks: {pre_start: fails, on_failure: hook}}",
		STAYS, NULL, "on_failure"},
	{CAUSE_DEPENDENCY,
		"db: {command: db}\nu: {command: run, depends_on: [db]" HOOK("post_stop") "}",
		STAYS, "db", "post_stop"},
	{CAUSE_STOP_REQUESTED, "u: {command: run" HOOK("post_stop") "}", STAYS, "u", "post_stop"},
	{CAUSE_GROUP_RESTART,
		"g: {strategy: one_for_all, units: {a: {command: dies}, u: {command: run" HOOK(
			"post_stop") "}}}",
		STAYS, NULL, "post_stop"},
	{CAUSE_FIBER_FAILED, "u: {" FIBER("500ms", "fail") HOOK("on_failure") "}", STAYS, NULL,
		"on_failure"},
	{CAUSE_FIBER_DIED, "u: {" FIBER("500ms", "die") HOOK("on_failure") "}", STAYS, NULL,
		"on_failure"},
	{CAUSE_INTERRUPTED,
		"u: {fiber: {module: /m.so, entry: gone}, restart: no" HOOK("on_failure") "}",
		STAYS, NULL, "on_failure"},
	{CAUSE_MAX_RESTARTS, "u: {command: run, restart: {max_restarts: 0}" HOOK("on_give_up") "}",
		ENDS(.exits = 1), NULL, "on_give_up"},
	{CAUSE_INTENSITY_EXCEEDED,
		"u: {intensity: {max_restarts: 0, period: 1m}, restart: no" HOOK(
			"on_failure") ", units: {a: {command: run}}}",
		ENDS(.exits = 1), NULL, "on_failure"},
	{CAUSE_CRITICAL,
		"u: {restart: no" HOOK(
			"on_give_up") ", units: {a: {command: run, restart: no, critical: true}}}",
		ENDS(.exits = 1), NULL, "on_give_up"},
	{CAUSE_LOST, "u: {command: run, restart: no" HOOK("on_failure") "}", ENDS(.exits = -1),
		NULL, "on_failure"},
};
enum { N_STORIES = sizeof(stories) / sizeof(stories[0]) };

static eff_exit gone(struct effd_fiber *self)
{
	(void)self;
	(void)eff_sleep(EFF_MS(500));
	return eff_interrupted();
}

static int entry_of(const struct plan_unit *spec, eff_fn **ret_entry, const char **ret_reason)
{
	(void)spec;
	(void)ret_reason;
	*ret_entry = (eff_fn *)(void (*)(void))gone;
	return 0;
}

/* What the hook was given, as far as it is about the end. */
static char told[256];

static void listen_to_hooks(void *context, const struct os_spawn *spawn)
{
	(void)context;
	if (strcmp(spawn->argv[0], "hook") != 0)
		return;
	told[0] = '\0';
	for (const char *const *v = spawn->environment; *v; v++)
		if (strncmp(*v, "EFFD_", 5) == 0) {
			strncat(told, *v + 5, sizeof(told) - strlen(told) - 1);
			strncat(told, " ", sizeof(told) - strlen(told) - 1);
		}
}

static struct server *story_server(const struct story *story)
{
	struct server *s = server_new(story->units);

	s->w->tree->world.fiber_entry = entry_of;
	told[0] = '\0';
	os_fake_cgroups(s->w->fake, 0);
	os_fake_on_spawn(s->w->fake, listen_to_hooks, NULL);
	world_script(s->w, "run", story->script);
	world_script(s->w, "dies", (struct script){.lives = EFF_MS(500), .dies_by = SIGABRT});
	world_script(s->w, "fails", (struct script){.helper = true, .exits = 7});
	world_script(s->w, "hook", (struct script){.helper = true});
	world_run_for(s->w, EFF_S(1));
	if (story->stops)
		world_stop(s->w, story->stops);
	world_run_for(s->w, EFF_S(1));
	return s;
}

static bool is_nested(const struct story *story)
{
	return strncmp(story->units, "g:", 2) == 0;
}

static const char *unit_of_story(const struct story *story)
{
	return is_nested(story) ? "g/u" : "u";
}

/* Is it there, or behind what is there? */
static bool cause_has(const struct json *cause, const char *kind)
{
	for (; cause && json_type(cause) == JSON_OBJECT; cause = json_get(cause, "because"))
		if (strcmp(json_get_text(cause, "kind", ""), kind) == 0)
			return true;
	return false;
}

static void expect_in_status(struct client *c, const struct story *story, const char *kind)
{
	struct json *reply = client_ask(c, "Status",
		is_nested(story) ? "{\"units\":[\"g/u\"]}" : "{\"units\":[\"u\"]}");
	const struct json *unit = reply_at(reply, "parameters.units.0");

	ck_assert_str_eq(json_get_text(unit, "name", ""), unit_of_story(story));
	ck_assert_msg(cause_has(json_get(unit, "cause"), kind) ||
			cause_has(json_get(unit, "last_exit"), kind),
		"%s is not in status", kind);
	json_free(reply);
}

static void expect_in_an_event(struct client *c, const struct story *story, const char *kind)
{
	struct json *reply;
	bool found = false;

	client_call(c, "Events", NULL, true);
	while ((reply = client_reply(c)) != NULL && json_get_bool(reply, "continues", false)) {
		found |= strcmp(reply_text(reply, "parameters.unit"), unit_of_story(story)) == 0 &&
			cause_has(reply_at(reply, "parameters.cause"), kind);
		json_free(reply);
	}
	json_free(reply);
	ck_assert_msg(found, "%s is in no event", kind);
}

static void expect_explained(struct client *c, const struct story *story, const char *kind)
{
	struct json *reply = client_ask(
		c, "Explain", is_nested(story) ? "{\"unit\":\"g/u\"}" : "{\"unit\":\"u\"}");
	const struct json *link = json_first(reply_at(reply, "parameters.chain"));

	while (link && strcmp(json_get_text(link, "kind", ""), kind) != 0)
		link = json_next(link);
	ck_assert_msg(link != NULL, "%s is not explained", kind);
	ck_assert_str_ne(json_get_text(link, "text", ""), "");
	json_free(reply);
}

START_TEST(a_cause_is_seen_wherever_one_looks)
{
	const struct story *story = &stories[_i];
	const char *kind = cause_kind_name(story->kind);
	struct server *s = story_server(story);
	struct client *c = client_new(s);
	char expected[100];

	expect_in_status(c, story, kind);
	expect_in_an_event(c, story, kind);
	expect_explained(c, story, kind);
	(void)snprintf(expected, sizeof(expected), "UNIT=%s CAUSE=%s ", unit_of_story(story), kind);
	ck_assert_msg(strncmp(told, expected, strlen(expected)) == 0, "%s was told: %s",
		story->hook, told);
	client_free(c);
	server_free(s);
}
END_TEST

START_TEST(there_is_a_story_for_every_kind)
{
	for (int kind = 0; kind < CAUSE_N_KINDS; kind++) {
		bool found = false;

		for (int i = 0; i < N_STORIES; i++)
			found |= (int)stories[i].kind == kind;
		ck_assert_msg(found, "%s", cause_kind_name((enum cause_kind)kind));
	}
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/causes");
	TCase *tcase = tcase_create("causes");

	test_leak_guard(tcase);
	tcase_add_loop_test(tcase, a_cause_is_seen_wherever_one_looks, 0, N_STORIES);
	tcase_add_test(tcase, there_is_a_story_for_every_kind);
	suite_add_tcase(suite, tcase);
	return suite;
}
