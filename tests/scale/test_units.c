/* SPDX-License-Identifier: MIT */
/* Thousands of units in one tree, in virtual time: whatever happens to all of them costs in proportion to how many they are.
 * Each story is told of so many, of half and of a quarter of them, and what each act of it costs is compared. */
#include <signal.h>

#include "daemon/control_world.h"
#include "effd/effd.h"
#include "scale/cost.h"

enum { MANY = 10000, SOME = 2400 };

/* Lines below `units:` for `n` units of these names; another argument is another program. */
typedef void tree_fn(struct text *text, unsigned n, const char *names, unsigned argument);

#define RESTARTS "restart: {backoff: {initial: 10ms, jitter: 0}}"

static void units_flat(struct text *text, unsigned n, const char *names, unsigned argument)
{
	for (unsigned i = 0; i < n; i++)
		text_printf(text, "%s%u: {command: [/bin/serve, '%u'], " RESTARTS "}\n", names,
			i, argument);
}

/* Groups of ten groups of ten. */
static void units_in_groups(struct text *text, unsigned n, const char *names, unsigned argument)
{
	text_printf(text, "defaults: {" RESTARTS "}\nunits:\n");
	for (unsigned i = 0; i < n; i++) {
		if (i % 100 == 0)
			text_printf(text, "  g%u:\n    units:\n", i / 100);
		if (i % 10 == 0)
			text_printf(text, "      h%u:\n        units:\n", i / 10);
		text_printf(text, "          %s%u: {command: [/bin/serve, '%u']}\n", names, i,
			argument);
	}
}

/* Each needs the one before it. */
static void units_in_a_chain(struct text *text, unsigned n, const char *names, unsigned argument)
{
	text_printf(text, "%s0: {command: [/bin/serve, '%u'], " RESTARTS "}\n", names, argument);
	for (unsigned i = 1; i < n; i++)
		text_printf(text,
			"%s%u: {command: [/bin/serve, '%u'], depends_on: [%s%u], " RESTARTS "}\n",
			names, i, argument, names, i - 1);
}

/* All need the first. */
static void units_on_one(struct text *text, unsigned n, const char *names, unsigned argument)
{
	text_printf(text, "%s0: {command: [/bin/serve, '%u'], " RESTARTS "}\n", names, argument);
	for (unsigned i = 1; i < n; i++)
		text_printf(text,
			"%s%u: {command: [/bin/serve, '%u'], depends_on: [%s0], " RESTARTS "}\n",
			names, i, argument, names);
}

/* The first needs all. */
static void units_under_one(struct text *text, unsigned n, const char *names, unsigned argument)
{
	text_printf(text, "%s0: {command: [/bin/serve, '%u'], " RESTARTS ", depends_on: [",
		names, argument);
	for (unsigned i = 1; i < n; i++)
		text_printf(text, "%s%s%u", i > 1 ? ", " : "", names, i);
	text_add(text, "]}\n");
	for (unsigned i = 1; i < n; i++)
		text_printf(text, "%s%u: {command: [/bin/serve, '%u'], " RESTARTS "}\n", names,
			i, argument);
}

static void units_in_sequence(struct text *text, unsigned n, const char *names, unsigned argument)
{
	text_add(text, "strategy: one_for_all\nstart_order: sequential\nunits:\n");
	for (unsigned i = 0; i < n; i++)
		text_printf(text, "  %s%u: {command: [/bin/serve, '%u'], " RESTARTS "}\n",
			names, i, argument);
}

/* A document; the caller frees it. */
static char *document_of(tree_fn *fn, unsigned n, const char *names, unsigned argument)
{
	struct text lines = {0}, text = {0};
	const char *line;

	fn(&lines, n, names, argument);
	text_add(&text, "version: 1\nname: test\n");
	/* What has an own head for its root stands at the top. */
	if (!strstr(lines.bytes, "\nunits:\n"))
		text_add(&text, "units:\n");
	for (line = lines.bytes; *line; line = strchr(line, '\n') + 1) {
		text_add(&text, strstr(lines.bytes, "\nunits:\n") ? "" : "  ");
		text_add_bytes(&text, line, (size_t)(strchr(line, '\n') + 1 - line));
	}
	text_done(&lines);
	ck_assert(!text.failed);
	return text.bytes;
}

/* Each takes its own time to start and to stop: what comes in one moment is seen in one look. */
static struct script serve_play(void *context, const char *unit, unsigned n)
{
	unsigned number = (unsigned)strtoul(unit + strcspn(unit, "0123456789"), NULL, 10);

	(void)context;
	(void)n;
	return (struct script){
		.lives = EFF_FOREVER, .exec_takes = EFF_US(number), .term_takes = EFF_US(number)};
}

/* A manager that listens: effd looks at all units for what it has to say. */
struct told {
	struct notify notify;
	struct eff_fiber *fiber;
	int manager;
};

static void told_open(struct told *told, struct server *s)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", s->dir);
	told->manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(told->manager, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
	ck_assert_int_eq(notify_init(&told->notify), 0);
	told->notify.tree = s->w->tree;
	ck_assert_int_eq(eff_fork_daemon(EFF(notify_run, &told->notify), &told->fiber), 0);
}

/* Read what it was told. A queue of the kernel's may hold as few as ten messages, and for what found no room effd looks again. */
static void told_read(const struct told *told)
{
	char message[1024];

	while (recv(told->manager, message, sizeof(message), MSG_DONTWAIT) > 0)
		;
}

static void told_close(struct told *told, const struct server *s)
{
	char path[64];

	ck_assert(told->notify.told_ready);
	eff_interrupt_async(told->fiber);
	world_run_for(s->w, 0);
	eff_fiber_unref(told->fiber);
	notify_done(&told->notify);
	(void)close(told->manager);
	(void)snprintf(path, sizeof(path), "%s/notify", s->dir);
	ck_assert_int_eq(unlink(path), 0);
}

static unsigned n_up(const struct world *w)
{
	unsigned n = 0;

	for (uint32_t i = 1; i < w->tree->n_units; i++)
		n += w->tree->units[i]->spec->kind == PLAN_PROCESS &&
			w->tree->units[i]->state == UNIT_UP;
	return n;
}

static void all_crash(struct world *w)
{
	for (uint32_t i = 1; i < w->tree->n_units; i++)
		if (w->tree->units[i]->spec->kind == PLAN_PROCESS)
			os_fake_kill(w->fake, w->tree->units[i]->name, SIGSEGV);
}

static void loads(struct costs *costs, struct world *w, const char *document)
{
	struct plan *plan = world_plan(w, document, true);

	ck_assert_ptr_nonnull(plan);
	costs_count(costs, "load");
	plan_unref(plan);
	costs_begin(costs);
}

static void tells_status(struct costs *costs, struct server *s, unsigned n)
{
	struct client *c = client_new(s);
	unsigned told = 0;

	costs_begin(costs);
	client_call(c, "Status", NULL, false);
	while (!memchr(c->bytes, '\0', c->n)) {
		ck_assert_int_eq(eff_testclock_advance(s->w->clock, 0), 0);
		client_receive(c);
	}
	costs_count(costs, "status");
	for (const char *at = c->bytes; (at = strstr(at, "\"state\":\"up\"")); at++)
		told++;
	ck_assert_uint_ge(told, n);
	client_free(c);
	costs_begin(costs);
}

/* A client asks for a verb on all, and time goes on until it has its answer. */
static void asks(struct costs *costs, struct server *s, const char *method, const char *parameters)
{
	struct client *c = client_new(s);

	costs_begin(costs);
	client_call(c, method, parameters, false);
	for (int i = 0; i < 1000 && !memchr(c->bytes, '\0', c->n); i++) {
		ck_assert_int_eq(eff_testclock_advance(s->w->clock, EFF_MS(i < 100 ? 1 : 100)), 0);
		client_receive(c);
	}
	costs_count(costs, method);
	ck_assert_ptr_nonnull(memchr(c->bytes, '\0', c->n));
	ck_assert_ptr_null(strstr(c->bytes, "\"error\""));
	client_free(c);
	costs_begin(costs);
}

static void reloads(struct costs *costs, const char *act, struct world *w, char *document)
{
	costs_begin(costs);
	world_reload(w, document);
	world_run_for(w, EFF_M(10));
	costs_count(costs, act);
	ck_assert_int_eq(w->reloads_under_way, 0);
	ck_assert_int_eq(w->reload_result, 0);
	free(document);
}

static void tree_lives(struct costs *costs, tree_fn *fn, unsigned n)
{
	char *document = document_of(fn, n, "u", 1);
	struct server *s = server_new(document);
	struct world *w = s->w;
	struct told told;

	told_open(&told, s);
	os_fake_play(w->fake, "serve", serve_play, NULL);
	costs->rt = w->rt;
	costs->fake = w->fake;
	costs_begin(costs);
	loads(costs, w, document);
	world_run_for(w, EFF_M(10));
	costs_count(costs, "start");
	told_read(&told);
	ck_assert_uint_eq(n_up(w), n);
	tells_status(costs, s, n);
	all_crash(w);
	world_run_for(w, EFF_M(10));
	costs_count(costs, "crash of all");
	told_read(&told);
	ck_assert_uint_eq(n_up(w), n);
	reloads(costs, "reload of the same", w, document_of(fn, n, "u", 1));
	told_read(&told);
	reloads(costs, "reload of other programs", w, document_of(fn, n, "u", 2));
	told_read(&told);
	ck_assert_uint_eq(n_up(w), n);
	reloads(costs, "reload of other units", w, document_of(fn, n, "v", 2));
	told_read(&told);
	ck_assert_uint_eq(n_up(w), n);
	world_shutdown(w, false);
	world_run_for(w, EFF_M(10));
	costs_count(costs, "stop");
	ck_assert(w->ended);
	told_close(&told, s);
	server_free(s);
	free(document);
}

static void tree_is_ruled(struct costs *costs, unsigned n)
{
	char *document = document_of(units_flat, n, "u", 1);
	struct server *s = server_new(document);

	os_fake_play(s->w->fake, "serve", serve_play, NULL);
	costs->rt = s->w->rt;
	costs->fake = s->w->fake;
	asks(costs, s, "Wait", "{\"units\":[\"u*\"],\"for\":\"up\"}");
	asks(costs, s, "Restart", "{\"units\":[\"u*\"]}");
	asks(costs, s, "Stop", "{\"units\":[\"u*\"]}");
	asks(costs, s, "Start", "{\"units\":[\"u*\"]}");
	ck_assert_uint_eq(n_up(s->w), n);
	server_free(s);
	free(document);
}

static void hold(tree_fn *fn, unsigned n, struct costs *costs)
{
	for (; costs->size < SIZES; costs->size++)
		tree_lives(costs, fn, n >> (SIZES - 1 - costs->size));
	costs_check(costs);
}

/* Of a unit that needs no other. Calls, turns, switches and forks are what they are, and a half for what goes on around them;
 * steps and bytes are also the compiler's matter, and have a third more. */
static const struct bound each[] = {
	/*                            steps  bytes calls turns switches forks */
	{"load", {7300, 9900, 0, 0, 0, 0}},
	{"start", {4300, 3500, 3, 1.5, 7.5, 2.5}},
	{"status", {1000, 1750, 0, 0.5, 0.5, 0.5}},
	{"crash of all", {6000, 3600, 8, 3.5, 14.5, 2.5}},
	{"reload of the same", {10600, 10100, 0, 0.5, 0.5, 0.5}},
	{"reload of other programs", {15400, 13000, 10, 2.5, 15.5, 2.5}},
	{"reload of other units", {17000, 18300, 11, 2.5, 17.5, 3.5}},
	{"stop", {6000, 720, 8, 1.5, 8.5, 1.5}},
};
enum { N_EACH = sizeof(each) / sizeof(each[0]) };

START_TEST(many_in_one_group_cost_in_proportion_and_each_so_much)
{
	struct costs costs = {0};

	hold(units_flat, SOME, &costs);
	costs_bound(&costs, SOME, each, N_EACH);
}
END_TEST

START_TEST(ten_thousand_in_groups_cost_in_proportion_and_each_so_much)
{
	struct costs costs = {0};

	hold(units_in_groups, MANY, &costs);
	costs_bound(&costs, MANY, each, N_EACH);
}
END_TEST

START_TEST(a_chain_of_needs_costs_in_proportion)
{
	hold(units_in_a_chain, SOME, &(struct costs){0});
}
END_TEST

START_TEST(one_that_all_need_costs_in_proportion)
{
	hold(units_on_one, SOME, &(struct costs){0});
}
END_TEST

START_TEST(one_that_needs_all_costs_in_proportion)
{
	hold(units_under_one, SOME, &(struct costs){0});
}
END_TEST

START_TEST(one_for_all_in_sequence_costs_in_proportion)
{
	hold(units_in_sequence, SOME, &(struct costs){0});
}
END_TEST

START_TEST(verbs_on_all_cost_in_proportion)
{
	struct costs costs = {0};

	for (; costs.size < SIZES; costs.size++)
		tree_is_ruled(&costs, SOME >> (SIZES - 1 - costs.size));
	costs_check(&costs);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("units");
	TCase *t = tcase_create("units");

	tcase_add_test(t, many_in_one_group_cost_in_proportion_and_each_so_much);
	tcase_add_test(t, ten_thousand_in_groups_cost_in_proportion_and_each_so_much);
	tcase_add_test(t, a_chain_of_needs_costs_in_proportion);
	tcase_add_test(t, one_that_all_need_costs_in_proportion);
	tcase_add_test(t, one_that_needs_all_costs_in_proportion);
	tcase_add_test(t, one_for_all_in_sequence_costs_in_proportion);
	tcase_add_test(t, verbs_on_all_cost_in_proportion);
	suite_add_tcase(suite, t);
	return suite;
}
