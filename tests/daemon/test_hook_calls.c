/* SPDX-License-Identifier: MIT */
/* Which hooks each end calls, in which order, and what each of them is told: EFFD_CAUSE, EFFD_EXIT_CODE, EFFD_EXIT_SIGNAL,
 * EFFD_RESTARTS and EFFD_UNIT. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "fake/world.h"

#define HOOKS \
	", hooks: {pre_start: pre_start, on_ready: on_ready, post_stop: post_stop, on_failure: on_failure, " \
	"on_give_up: on_give_up}"
#define PROCESS "command: run, restart: no" HOOKS
#define FIBER(exit) "fiber: idle, with: {for: 1s, exit: " exit "}, restart: no" HOOKS

struct row {
	const char *end, *fields;
	struct script script;
	const char *stops; /* what an operator stops at 500 ms; NULL */
	const char *calls; /* of `u`: each with its cause, code, signal; "-": told nothing */
	const char *state;
};

#define ENDS(...) \
	{ \
		.lives = EFF_S(1), __VA_ARGS__ \
	}
#define STAYS \
	{ \
		.lives = EFF_FOREVER \
	}
#define BEGUN "pre_start - - -; on_ready - - -; "

static const struct row rows[] = {
	{"clean", PROCESS, ENDS(), NULL, BEGUN "post_stop exit 0 -", "done"},
	{"a code", PROCESS, ENDS(.exits = 3), NULL,
		BEGUN "post_stop exit 3 -; on_failure exit 3 -; on_give_up exit 3 -", "failed"},
	{"a signal", PROCESS, ENDS(.dies_by = SIGSEGV), NULL,
		BEGUN "post_stop signal - SIGSEGV; on_failure signal - SIGSEGV; on_give_up signal - SIGSEGV",
		"failed"},
	{"lost", PROCESS, ENDS(.exits = -1), NULL,
		BEGUN "post_stop lost - -; on_failure lost - -; on_give_up lost - -", "failed"},
	{"exec_error", PROCESS, {.exec_error = ENOENT}, NULL,
		"pre_start - - -; post_stop exec_error - -; on_failure exec_error - -; on_give_up exec_error - -",
		"failed"},
	{"before it is ready", PROCESS ", type: notify",
		{.lives = EFF_S(1), .ready_after = EFF_FOREVER}, NULL,
		"pre_start - - -; post_stop exit 0 -; on_failure exit 0 -; on_give_up exit 0 -",
		"failed"},
	{"start_timeout", PROCESS ", type: notify, start_timeout: 1s",
		{.lives = EFF_FOREVER, .ready_after = EFF_FOREVER}, NULL,
		"pre_start - - -; post_stop start_timeout - SIGTERM; on_failure start_timeout - SIGTERM; "
		"on_give_up start_timeout - SIGTERM",
		"failed"},
	{"max_runtime", PROCESS ", max_runtime: 1s",
		{.lives = EFF_FOREVER, .term_exits = true, .term_code = 7}, NULL,
		BEGUN "post_stop max_runtime 7 -; on_failure max_runtime 7 -; on_give_up max_runtime 7 -",
		"failed"},
	{"watchdog", PROCESS ", watchdog: 1s", STAYS, NULL,
		BEGUN "post_stop watchdog - SIGTERM; on_failure watchdog - SIGTERM; on_give_up watchdog - SIGTERM",
		"failed"},
	{"probe", PROCESS ", liveness_probe: {tcp: {port: 80}, period: 1s, failure_threshold: 1}",
		STAYS, NULL,
		BEGUN "post_stop probe - SIGTERM; on_failure probe - SIGTERM; on_give_up probe - SIGTERM",
		"failed"},
	{"pre_start",
		"command: run, restart: no, hooks: {pre_start: fails, on_ready: on_ready, post_stop: post_stop, "
		"on_failure: on_failure, on_give_up: on_give_up}",
		STAYS, NULL, "post_stop hook - -; on_failure hook - -; on_give_up hook - -",
		"failed"},
	{"a stop", PROCESS, STAYS, "u", BEGUN "post_stop stop_requested - SIGTERM", "down"},
	{"a stop of what it needs", PROCESS ", depends_on: [db]", STAYS, "db",
		BEGUN "post_stop dependency - SIGTERM", "waiting"},
	{"a oneshot's success", PROCESS ", type: oneshot", ENDS(), NULL,
		"pre_start - - -; post_stop exit 0 -", "done"},
	{"a oneshot's failure", PROCESS ", type: oneshot", ENDS(.exits = 1), NULL,
		"pre_start - - -; post_stop exit 1 -; on_failure exit 1 -; on_give_up exit 1 -",
		"failed"},
	{"a oneshot that remains", PROCESS ", type: oneshot, remain_after_exit: true", ENDS(),
		NULL, "pre_start - - -; on_ready - - -", "up"},
	{"a fiber's success", FIBER("success"), STAYS, NULL, BEGUN "post_stop exit 0 -", "done"},
	{"a fiber's failure", FIBER("fail"), STAYS, NULL,
		BEGUN "post_stop fiber_failed 1 -; on_failure fiber_failed 1 -; on_give_up fiber_failed 1 -",
		"failed"},
	{"a fiber's death", FIBER("die"), STAYS, NULL,
		BEGUN "post_stop fiber_died - -; on_failure fiber_died - -; on_give_up fiber_died - -",
		"failed"},
	{"a supervisor's failure",
		"units: {a: {command: run, critical: true, restart: no}}, restart: no" HOOKS,
		ENDS(.exits = 3), NULL,
		BEGUN "post_stop critical - -; on_failure critical - -; on_give_up critical - -",
		"failed"},
	{"a supervisor that is done",
		"auto_shutdown: any, units: {a: {command: run, restart: no, significant: true}}, restart: no" HOOKS,
		ENDS(), NULL, BEGUN "post_stop exit 0 -", "done"},
	{"a supervisor's stop", "units: {a: {command: run}}" HOOKS, STAYS, "u",
		BEGUN "post_stop stop_requested - -", "down"},
	{"the last restart", "command: run, restart: {max_restarts: 0}" HOOKS, ENDS(.exits = 3),
		NULL, BEGUN "post_stop exit 3 -; on_failure exit 3 -; on_give_up max_restarts 3 -",
		"failed"},
	{"the last restart, by a signal", "command: run, restart: {max_restarts: 0}" HOOKS,
		ENDS(.dies_by = SIGSEGV), NULL,
		BEGUN "post_stop signal - SIGSEGV; on_failure signal - SIGSEGV; on_give_up max_restarts - SIGSEGV",
		"failed"},
	{"a supervisor's last restart",
		"units: {a: {command: run, critical: true, restart: no}}, restart: {max_restarts: 0}" HOOKS,
		ENDS(.exits = 3), NULL,
		BEGUN "post_stop critical - -; on_failure critical - -; on_give_up max_restarts - -",
		"failed"},
	/* It has not begun: nothing is called for it. */
	{"never begun", PROCESS ", after: [late]", STAYS, "u", "", "down"},
};
enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

static char calls[1024], rest[256];

/* The value of a variable; "-" where it is empty. */
static const char *told(const struct os_spawn *spawn, const char *name)
{
	size_t len = strlen(name);

	for (const char *const *v = spawn->environment; *v; v++)
		if (strncmp(*v, name, len) == 0 && (*v)[len] == '=')
			return (*v)[len + 1] ? *v + len + 1 : "-";
	return "(none)";
}

static void listen_to_hooks(void *context, const struct os_spawn *spawn)
{
	size_t len = strlen(calls);

	(void)context;
	if (strcmp(told(spawn, "EFFD_UNIT"), "(none)") == 0 || strcmp(spawn->argv[0], "fails") == 0)
		return;
	(void)snprintf(calls + len, sizeof(calls) - len, "%s%s %s %s %s", len ? "; " : "",
		spawn->argv[0], told(spawn, "EFFD_CAUSE"), told(spawn, "EFFD_EXIT_CODE"),
		told(spawn, "EFFD_EXIT_SIGNAL"));
	len = strlen(rest);
	(void)snprintf(rest + len, sizeof(rest) - len, "%s%s %s", len ? "; " : "",
		told(spawn, "EFFD_UNIT"), told(spawn, "EFFD_RESTARTS"));
}

static struct world *world_heard(const char *units)
{
	static const char *const hooks[] = {
		"pre_start", "on_ready", "post_stop", "on_failure", "on_give_up"};
	struct world *w = world_new(units);

	calls[0] = rest[0] = '\0';
	for (int i = 0; i < 5; i++)
		world_script(w, hooks[i], (struct script){.helper = true});
	world_script(w, "late", (struct script){.lives = EFF_FOREVER, .ready_after = EFF_H(1)});
	world_script(w, "fails", (struct script){.helper = true, .exits = 1});
	os_fake_on_spawn(w->fake, listen_to_hooks, NULL);
	return w;
}

START_TEST(each_end_calls_its_hooks_in_their_order_and_tells_them_what_has_happened)
{
	const struct row *row = &rows[_i];
	char units[600];
	struct world *w;

	(void)snprintf(units, sizeof(units),
		"db: {command: db}\nlate: {command: late, type: notify}\nu: {%s}", row->fields);
	w = world_heard(units);
	w->story = row->end;
	world_script(w, "run", row->script);
	world_run_for(w, EFF_MS(500));
	if (row->stops)
		world_stop(w, row->stops);
	world_run_for(w, EFF_S(5));

	ck_assert_str_eq(calls, row->calls);
	EXPECT_STATE(w, "u", row->state);
	world_free(w);
}
END_TEST

START_TEST(the_next_start_is_told_of_the_last_end_and_each_of_the_restarts)
{
	struct world *w = world_heard(
		"g: {units: {u: {command: run, restart: {backoff: {jitter: 0}}" HOOKS "}}}");

	WORLD_SCRIPTS(w, "run", {.lives = EFF_S(1), .exits = 4}, {.lives = EFF_FOREVER});
	world_run_for(w, EFF_S(5));

	ck_assert_str_eq(calls,
		BEGUN
		"post_stop exit 4 -; on_failure exit 4 -; pre_start exit 4 -; on_ready - - -");
	ck_assert_str_eq(rest, "g/u 0; g/u 0; g/u 0; g/u 0; g/u 1; g/u 1");
	world_free(w);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/hook_calls");
	TCase *tcase = tcase_create("hook_calls");

	tcase_add_loop_test(tcase,
		each_end_calls_its_hooks_in_their_order_and_tells_them_what_has_happened, 0,
		N_ROWS);
	tcase_add_test(tcase, the_next_start_is_told_of_the_last_end_and_each_of_the_restarts);
	suite_add_tcase(suite, tcase);
	return suite;
}
