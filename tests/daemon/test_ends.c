/* SPDX-License-Identifier: MIT */
/* Again, or not, and when: the table of ends and policies, a row an end, a column a policy. Each cell is a world of its own:
 * in it the next state, its cause, its exact time and the exact time of the next start have to be what the cell says; and
 * so with prevent_exit, with force_exit, with both of them, with max_restarts, and with a stop by hand. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <check.h>

#include "effd/fiber.h"
#include "fake/world.h"

static const char *const policies[] = {"always", "on-success", "on-failure", "on-abnormal", "no"};
enum { N_POLICIES = sizeof(policies) / sizeof(policies[0]) };

/* Each is so long in starting over; and the next run of a schedule. */
#define DELAY EFF_S(1)
#define EVERY EFF_S(100)

struct row {
	const char *kind, *end;
	const char *fields;
	struct script script; /* of the program `run`, and of the hook */
	eff_ns at;            /* of its end, from its start on */
	const char *named;    /* how prevent_exit and force_exit name it */
	const char *also;     /* another name for it; NULL: it has none */
	const char *cells; /* what follows under each policy: "again", or at rest as what; "error": no such tree */
	const char *last_exit;
};

#define RUNS EFF_MS(300)
#define NEVER EFF_FOREVER
#define PROCESS "command: run"
#define ONESHOT "command: run, type: oneshot"
#define JOB "command: run, type: oneshot, schedule: {every: 100s}"
#define FIBER(for, exit) "fiber: idle, with: {for: " for ", exit: " exit "}"
#define MODULE(entry) "fiber: {module: /m.so, entry: " entry "}"
#define PROBED ", liveness_probe: {tcp: {port: 80}, period: 300ms, failure_threshold: 1}"
#define ENDS(...) \
	{ \
		.lives = RUNS, __VA_ARGS__ \
	}
#define STAYS \
	{ \
		.lives = NEVER, .term_exits = true \
	}
#define UNREADY \
	{ \
		.ready_after = NEVER, .lives = NEVER, .term_exits = true \
	}
#define FAULT(...) \
	{ \
		.exec_error = __VA_ARGS__ \
	}
#define NOTHING \
	{ \
		0 \
	}
#define HOOKED ", hooks: {pre_start: run}"

/*                                       always  on-success  on-failure  on-abnormal  no */
#define CLEAN "again again done done done"
#define FAILURE "again failed again failed failed"
#define ABNORMAL "again failed again again failed"
#define CLEAN_ONCE "error error done done done"
#define FAILURE_ONCE "error error again failed failed"
#define ABNORMAL_ONCE "error error again again failed"

static const struct row rows[] = {
#define END(...) {__VA_ARGS__},
#include "ends.def"
#undef END
};
enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

static eff_exit gone(struct effd_fiber *self)
{
	(void)self;
	(void)eff_sleep(RUNS);
	return eff_interrupted();
}

static int entry_of(const struct plan_unit *spec, eff_fn **ret_entry, const char **ret_reason)
{
	*ret_reason = "it has no such entry";
	if (strcmp(spec->entry, "gone") != 0)
		return -ENOENT;
	*ret_entry = (eff_fn *)(void (*)(void))gone;
	return 0;
}

/* The n-th word of a list. */
static const char *word_at(const char *list, int n, char word[static 16])
{
	while (n-- > 0)
		list += strcspn(list, " ") + 1;
	(void)snprintf(word, 16, "%.*s", (int)strcspn(list, " "), list);
	return word;
}

/* One cell: a row under a policy, and what is written beside the policy. */
struct cell {
	const struct row *row;
	const char *policy, *more;
	const char *expected;
	char name[200];
};

static struct world *cell_world(const struct cell *cell)
{
	char yaml[600];
	struct world *w;
	struct plan *plan;

	(void)snprintf(yaml, sizeof(yaml),
		"u: {%s, restart: {policy: %s, backoff: {initial: 1s, jitter: 0}%s}}",
		cell->row->fields, cell->policy, cell->more);
	if (strcmp(cell->expected, "error") == 0) {
		w = world_new("other: {command: other}");
		plan = world_plan(w, yaml, false);
		WORLD_ASSERT(w, plan == NULL, "%s is a tree", cell->name);
		world_free(w);
		return NULL;
	}
	w = world_new(yaml);
	os_fake_cgroups(w->fake, 0);
	w->tree->world.fiber_entry = entry_of;
	w->story = cell->name;
	world_script(w, "run", cell->row->script);
	return w;
}

static eff_ns first_start(const struct cell *cell)
{
	return strcmp(cell->row->kind, "scheduled") == 0 ? EVERY : 0;
}

/* To the very moment of its end, and not a nanosecond before. */
static void cell_run_to_its_end(const struct cell *cell, struct world *w)
{
	eff_ns end = first_start(cell) + cell->row->at;
	const struct unit *u = world_unit(w, "u");

	if (end > 0)
		world_run_for(w, end - 1);
	WORLD_ASSERT(w, u->ends == 0 && !u->last_exit, "it has ended too early");
	world_run_for(w, end > 0);
	WORLD_ASSERT(w, u->starts == 1 && u->ends == 1, "%llu starts, %llu ends",
		(unsigned long long)u->starts, (unsigned long long)u->ends);
	WORLD_ASSERT(w, strcmp(world_last_exit(w, "u"), cell->row->last_exit) == 0,
		"its end is %s", world_last_exit(w, "u"));
	WORLD_ASSERT(w, u->last_exit->core == cell->row->script.core, "the core");
	WORLD_ASSERT(w, u->since == EFF_S(1000) + end, "its state is not of this moment");
}

static void cell_starts_again(struct world *w)
{
	const struct unit *u = world_unit(w, "u");

	WORLD_ASSERT(w, u->state == UNIT_BACKOFF, "it is %s", state_name(u->state));
	WORLD_ASSERT(w, u->cause == u->last_exit, "its cause is %s", world_cause(w, "u"));
	WORLD_ASSERT(w, u->child.next_at == eff_now() + DELAY, "another delay");
	WORLD_ASSERT(w, eff_child_failures(&u->child) == 1, "another count");
	world_run_for(w, DELAY - 1);
	WORLD_ASSERT(w, u->starts == 1 && u->restarts == 0, "it has started too early");
	world_run_for(w, 1);
	WORLD_ASSERT(w, u->starts == 2 && u->restarts == 1, "it has not started");
}

static void cell_rests(const struct cell *cell, struct world *w, const char *cause)
{
	const struct unit *u = world_unit(w, "u");
	bool comes_again = first_start(cell) > 0 && strcmp(cell->expected, "down") != 0;
	eff_ns in = first_start(cell) + EVERY - world_now(w);

	WORLD_ASSERT(w, strcmp(state_name(u->state), cell->expected) == 0, "it is %s",
		state_name(u->state));
	WORLD_ASSERT(w, strcmp(world_cause(w, "u"), cause) == 0, "its cause is %s",
		world_cause(w, "u"));
	WORLD_ASSERT(w, u->child.next_at < 0, "it has a delay");
	WORLD_ASSERT(w, comes_again == (u->due_at >= 0), "its next run is at %lld",
		(long long)u->due_at);
	world_run_for(w, comes_again ? in - 1 : EFF_H(24));
	WORLD_ASSERT(w, u->starts == 1, "it has started");
	if (!comes_again)
		return;
	world_run_for(w, 1);
	WORLD_ASSERT(w, u->starts == 2 && u->restarts == 0, "its next run has not begun");
}

static void cell_check(struct cell *cell)
{
	struct world *w = cell_world(cell);

	if (!w)
		return;
	cell_run_to_its_end(cell, w);
	if (strcmp(cell->expected, "again") == 0)
		cell_starts_again(w);
	else
		cell_rests(cell, w, cell->row->last_exit);
	world_free(w);
}

static struct cell cell_at(int row, int policy, const char *more)
{
	struct cell cell = {.row = &rows[row], .policy = policies[policy], .more = more};

	(void)snprintf(cell.name, sizeof(cell.name), "%s, %s, %s%s", cell.row->kind,
		cell.row->end, cell.policy, more);
	return cell;
}

static bool is_clean(const struct row *row)
{
	return strstr(row->cells, "done") != NULL;
}

START_TEST(a_cell_says_what_comes_and_when)
{
	for (int policy = 0; policy < N_POLICIES; policy++) {
		struct cell cell = cell_at(_i, policy, "");
		char word[16];

		cell.expected = word_at(rows[_i].cells, policy, word);
		cell_check(&cell);
	}
}
END_TEST

START_TEST(what_is_in_prevent_exit_rests_and_what_is_in_force_exit_goes_on_under_any_policy)
{
	const struct row *row = &rows[_i];
	const char *rest = is_clean(row) ? "done" : "failed";

	for (int policy = 0; policy < N_POLICIES; policy++) {
		char word[16], more[100];
		struct cell cell = cell_at(_i, policy, more);

		if (strcmp(word_at(row->cells, policy, word), "error") == 0)
			continue;
		(void)snprintf(more, sizeof(more), ", prevent_exit: [%s]", row->named);
		cell.expected = rest;
		cell_check(&cell);
		(void)snprintf(more, sizeof(more), ", force_exit: [%s]", row->named);
		cell.expected = "again";
		cell_check(&cell);
		if (!row->also)
			continue;
		/* prevent_exit is asked first, whichever of them is the wider. */
		(void)snprintf(more, sizeof(more), ", prevent_exit: [%s], force_exit: [%s]",
			row->named, row->also);
		cell.expected = rest;
		cell_check(&cell);
		(void)snprintf(more, sizeof(more), ", prevent_exit: [%s], force_exit: [%s]",
			row->also, row->named);
		cell_check(&cell);
	}
}
END_TEST

START_TEST(where_no_restart_is_left_what_would_start_again_has_failed)
{
	const struct row *row = &rows[_i];
	char cause[100];

	(void)snprintf(cause, sizeof(cause), "max_restarts < %s", row->last_exit);
	for (int policy = 0; policy < N_POLICIES; policy++) {
		struct cell cell = cell_at(_i, policy, ", max_restarts: 0");
		char word[16];
		struct world *w;

		if (strcmp(word_at(row->cells, policy, word), "again") != 0)
			continue;
		cell.expected = "failed";
		w = cell_world(&cell);
		cell_run_to_its_end(&cell, w);
		cell_rests(&cell, w, cause);
		world_free(w);
	}
}
END_TEST

/* While it runs, or in the very moment before its end. */
static void stopped_cell_check(struct cell *cell, eff_ns before)
{
	char end[64];
	struct world *w;

	cell->expected = "down";
	w = cell_world(cell);
	world_run_for(w, first_start(cell) + cell->row->at - before);
	world_stop(w, "u");
	world_run_for(w, 0);
	WORLD_ASSERT(w, strncmp(world_last_exit(w, "u"), "stop_requested", 14) == 0,
		"its end is %s", world_last_exit(w, "u"));
	(void)snprintf(end, sizeof(end), "%s", world_last_exit(w, "u"));
	cell_rests(cell, w, end);
	WORLD_ASSERT(w, os_fake_live(w->fake, NULL) == 0, "something is left");
	world_free(w);
}

START_TEST(a_stop_by_hand_ends_in_down_whatever_is_written)
{
	static const char *const mores[] = {"",
		", force_exit: [stop_requested, exit, signal, 0-255]",
		", prevent_exit: [stop_requested, exit, signal, 0-255]"};
	const struct row *row = &rows[_i];

	for (int policy = 0; policy < N_POLICIES; policy++)
		for (size_t i = 0; i < sizeof(mores) / sizeof(mores[0]); i++) {
			struct cell cell = cell_at(_i, policy, mores[i]);
			char word[16];

			if (row->at == 0 || strcmp(word_at(row->cells, policy, word), "error") == 0)
				continue;
			stopped_cell_check(&cell, EFF_MS(100));
			stopped_cell_check(&cell, 1);
		}
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/ends");
	TCase *tcase = tcase_create("ends");

	tcase_add_loop_test(tcase, a_cell_says_what_comes_and_when, 0, N_ROWS);
	tcase_add_loop_test(tcase,
		what_is_in_prevent_exit_rests_and_what_is_in_force_exit_goes_on_under_any_policy,
		0, N_ROWS);
	tcase_add_loop_test(
		tcase, where_no_restart_is_left_what_would_start_again_has_failed, 0, N_ROWS);
	tcase_add_loop_test(tcase, a_stop_by_hand_ends_in_down_whatever_is_written, 0, N_ROWS);
	suite_add_tcase(suite, tcase);
	return suite;
}
