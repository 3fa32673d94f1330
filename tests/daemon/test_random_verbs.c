/* SPDX-License-Identifier: MIT */
/* Random trees, and several clients that ask for random things at random moments: whatever they are told is true in that moment,
 * nobody waits for what does not come, and when all is quiet the tree is as the last words wanted it.
 *
 * The trees, their processes, and what is done to them are those of test_scenarios.c; here every verb is a request, and who asks,
 * for how long, and who hangs up meanwhile are drawn besides. EFFD_SEED=N plays one scenario and tells it, with EFFD_KEEP=PARTS
 * those parts of it; EFFD_FIRST is the first seed of many, EFFD_SCENARIOS their count. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "answered.h"
#include "trials.h"

#ifdef __SANITIZE_ADDRESS__
enum { FIRST = 1, SCENARIOS = 300 };
#else
enum { FIRST = 301, SCENARIOS = 1500 };
#endif
enum { BATCH = 100 };
/* After the last verb. */
#define QUIET EFF_S(900)

struct play {
	struct scenario now, dice; /* reloads change the one; the other gives numbers */
	const struct run_opts *opts;
	struct server *s;
	struct world *w;
	struct rules rules;
	struct asking all;
	struct client *observer;
	struct text yaml; /* the tree's file */
};

/* ── looks ── */

/* Status, asked in a moment, says what is so in it. */
static void check_status(struct play *p)
{
	struct json *reply = client_ask(p->observer, "Status", NULL);

	for (const struct json *v = json_first(reply_at(reply, "parameters.units")); v;
		v = json_next(v)) {
		const char *name = json_get_text(v, "name", "");
		const struct unit *u = tree_find(p->w->tree, name);

		if (!is_stable(u))
			continue;
		WORLD_ASSERT(p->w, !strcmp(json_get_text(v, "state", ""), state_name(u->state)),
			"the status of %s is %s, and it is %s", name,
			json_get_text(v, "state", ""), state_name(u->state));
		WORLD_ASSERT(p->w, json_get_bool(v, "wanted", false) == tree_wants(u),
			"the status of %s says otherwise whether it is wanted", name);
	}
	json_free(reply);
}

static void look(struct play *p, bool is_quiet)
{
	uint64_t n_answers = p->all.n_answers;

	if (!p->w->ended)
		rules_look(&p->rules);
	asked_look(&p->all, is_quiet);
	if (p->all.n_answers > n_answers && scenario_one_in(&p->dice, 4))
		check_status(p);
}

/* One deadline after the other, and a look after each. */
static void pass(struct play *p, eff_ns duration)
{
	eff_ns until = eff_now() + duration, next;

	world_pass(p->w, 0);
	look(p, false);
	while (!p->w->ended && eff_testclock_next(p->w->clock, &next) && next <= until) {
		world_pass(p->w, next - eff_now());
		look(p, false);
	}
	if (until > eff_now() && !p->w->ended)
		world_pass(p->w, until - eff_now());
}

/* It is required to be up, and has been for a while. */
static bool waits_for_nothing(const struct unit *u)
{
	for (uint32_t i = 0; i < u->n_needs; i++)
		if (u->needs[i].unit == u->awaits && u->needs[i].need->condition == PLAN_READY)
			return u->awaits->state == UNIT_UP &&
				u->awaits->since + EFF_S(2) < eff_now();
	return false;
}

/* When all has had time to come about: is it as the last words want it? */
static const char *quiet_wrong(struct play *p, const struct unit *u)
{
	const struct touch *touch = touch_of(&p->all, u->name);
	bool is_open = u->parent && u->parent->group_open && !unit_is_leaving(u->parent);

	if ((u->held || !u->spec->enabled) && os_fake_live(p->w->fake, u->name) > 0 &&
		!tree_grave_of(p->w->tree, u->name))
		return "runs, and may not";
	if ((u->held || !u->spec->enabled) && !state_rests(u->state))
		return "may not run";
	if (touch && touch->starts && touch->generation == p->w->tree->generation && !u->wanted)
		return "was started, and is not wanted";
	if (u->state == UNIT_STOPPING && u->since + EFF_S(300) < eff_now())
		return "is being stopped for ever";
	if (u->state == UNIT_WAITING && u->awaits && waits_for_nothing(u))
		return "waits for what is there";
	if (u->state == UNIT_DOWN && u->wanted && !u->held && u->spec->enabled && is_open &&
		!unit_is_left_out(u))
		return "is wanted, and nobody starts it";
	if (u->state == UNIT_BACKOFF && u->since + EFF_S(300) < eff_now())
		return "is never tried again";
	return NULL;
}

static void check_rest(struct play *p)
{
	for (uint32_t i = 1; i < p->w->tree->n_units; i++) {
		const struct unit *u = p->w->tree->units[i];
		const char *wrong = quiet_wrong(p, u);

		WORLD_ASSERT(p->w, !wrong, "in the end %s is %s and %s", u->name,
			state_name(u->state), wrong);
	}
	look(p, true);
	check_status(p);
}

/* Some unit, for what is done besides. */
static struct unit *anybody(struct play *p)
{
	struct scenario_step step = {.node = 1 + scenario_below(&p->dice, p->now.n - 1)};

	return scenario_whom(&p->now, p->w->tree, &step);
}

/* ── what is done ── */

/* Only a word of somebody changes that again. */
static void wants_from_now(struct play *p, const struct asked_unit *asked)
{
	const struct unit *u = tree_find(p->w->tree, asked->name);
	struct touch *touch = touch_of(&p->all, asked->name);

	if (!u || !touch)
		return;
	touch->starts = u->wanted && u->spec->activate != PLAN_MANUAL;
	touch->generation = p->w->tree->generation;
}

static void do_verb(struct play *p, const struct scenario_step *step, struct unit *u)
{
	static const enum ask_kind kinds[] = {[DO_START] = ASK_START,
		[DO_STOP] = ASK_STOP,
		[DO_STOP_NOW] = ASK_STOP,
		[DO_RESTART] = ASK_RESTART,
		[DO_RESTART_NOW] = ASK_RESTART,
		[DO_RESET] = ASK_RESET};
	bool now = step->verb == DO_STOP_NOW || step->verb == DO_RESTART_NOW;
	struct ask *a = ask_new(&p->all, kinds[step->verb]);
	struct unit *other = anybody(p);

	ask_name(a, u);
	if (other && other != u && scenario_one_in(&p->dice, 4))
		ask_name(a, other);
	for (unsigned i = 0; i < a->n; i++)
		asked_touch(&p->all, i ? other : u, a->number,
			a->kind == ASK_START || a->kind == ASK_RESTART);
	ask_send(&p->all, a, now ? "\"now\":true" : "");
	if (p->w->tree->shutting_down || p->w->ended)
		return;
	for (unsigned i = 0; i < a->n && a->kind == ASK_STOP; i++)
		if (tree_find(p->w->tree, a->units[i].name))
			rules_follow(&p->rules, tree_find(p->w->tree, a->units[i].name));
	if (a->kind != ASK_START && a->kind != ASK_RESTART)
		return;
	rules_follow(&p->rules, NULL);
	for (unsigned i = 0; i < a->n; i++)
		wants_from_now(p, &a->units[i]);
}

static void do_reload(struct play *p, const struct scenario_step *step)
{
	for (unsigned i = 0; i < SCENARIO_CHANGES; i++)
		if (step->changes[i].there)
			scenario_change(&p->now, &step->changes[i]);
	text_done(&p->yaml);
	p->yaml = (struct text){0};
	scenario_yaml(&p->now, &p->yaml);
	p->s->document = p->yaml.bytes;
	ask_send(&p->all, ask_new(&p->all, ASK_RELOAD), "");
	if (p->opts->tell)
		p->opts->tell(p->opts->tell_context, p->yaml.bytes);
}

static void do_add(struct play *p, const struct scenario_step *step, const struct unit *pool)
{
	struct text text = {0};

	text_printf(&text, "\"supervisor\":\"%s\",\"tree\":\"units: {", pool->name);
	for (unsigned i = 0; i < SCENARIO_CHILDREN; i++)
		if (step->children[i].there)
			text_printf(&text, "c%u: {%s}, ", step->children[i].name,
				step->children[i].stays_down       ? "restart: no"
					: step->children[i].manual ? "activate: manual"
								   : "");
	text_add(&text, "}\"");
	ask_send(&p->all, ask_new(&p->all, ASK_ADD), text.bytes);
	text_done(&text);
}

/* Somebody waits for a unit, or reloads it, or hangs up. */
static void do_besides(struct play *p)
{
	static const enum unit_state states[] = {UNIT_UP, UNIT_UP, UNIT_DONE, UNIT_DOWN,
		UNIT_FAILED, UNIT_BACKOFF, UNIT_WAITING};
	struct unit *u = anybody(p);
	unsigned what = scenario_below(&p->dice, 8);
	struct ask *a = &p->all.asks[what % ASKED_CLIENTS];
	char parameters[40];

	if (what == 0 && a->active) {
		asked_tell(&p->all, "one hangs up");
		ask_hang_up(a);
	} else if (what == 1 && u) {
		a = ask_new(&p->all, ASK_OWN_RELOAD);
		ask_name(a, u);
		ask_send(&p->all, a, "");
	} else if (what < 5 && u) {
		a = ask_new(&p->all, ASK_WAIT);
		ask_name(a, u);
		a->state = states[scenario_below(&p->dice, 7)];
		(void)snprintf(
			parameters, sizeof(parameters), "\"for\":\"%s\"", state_name(a->state));
		ask_send(&p->all, a, parameters);
	}
}

static void do_kill(struct play *p, const struct scenario_step *step, struct unit *u)
{
	p->rules.is_killing = true;
	if (step->verb == DO_KILL)
		(void)tree_signal(p->w->tree, u, step->sig);
	else if (os_fake_runs(p->w->fake, u->name))
		os_fake_kill(p->w->fake, u->name, step->sig);
	p->rules.is_killing = false;
}

static void do_door(struct play *p, const struct scenario_step *step)
{
	int answer = step->verb == DO_OPEN ? 200 : -ECONNREFUSED;
	char path[20];

	(void)snprintf(path, sizeof(path), "/door/%u", 1 + step->number % 3);
	os_fake_port(p->w->fake, (uint16_t)(1 + step->number % 3), answer, step->time);
	os_fake_socket(p->w->fake, path, answer, step->time);
}

static void do_remove(struct play *p, const struct scenario_step *step, const struct unit *u)
{
	struct ask *a = ask_new(&p->all, ASK_REMOVE);

	ask_name(a, u);
	ask_send(&p->all, a, step->verb == DO_REMOVE_NOW ? "\"now\":true" : "");
}

static void do_step(struct play *p, const struct scenario_step *step)
{
	bool removes = step->verb == DO_REMOVE || step->verb == DO_REMOVE_NOW;
	struct unit *u = step->node ? scenario_whom(&p->now, p->w->tree, step) : NULL;

	if (step->verb == DO_WAIT)
		pass(p, step->time);
	else if (step->verb == DO_RELOAD)
		do_reload(p, step);
	else if (step->verb == DO_OPEN || step->verb == DO_CLOSE)
		do_door(p, step);
	else if (!u)
		return;
	else if (step->verb == DO_KILL || step->verb == DO_DIE)
		do_kill(p, step, u);
	else if (removes)
		do_remove(p, step, u);
	else if (step->verb == DO_ADD)
		do_add(p, step, u);
	else
		do_verb(p, step, u);
}

/* ── from beginning to end ── */

static void play_begin(struct play *p)
{
	scenario_yaml(&p->now, &p->yaml);
	p->all = (struct asking){.dice = &p->dice, .opts = p->opts};
	p->all.s = p->s = server_new(p->yaml.bytes);
	p->s->document = p->yaml.bytes;
	p->w = p->s->w;
	os_fake_play(p->w->fake, "prog", scenario_play, &p->now);
	os_fake_play(p->w->fake, "hook", scenario_help, &p->now);
	os_fake_play(p->w->fake, "probe", scenario_help, &p->now);
	rules_begin(&p->rules, p->w);
	os_fake_watch(p->w->fake, rules_watch, &p->rules);
	p->observer = client_new(p->s);
}

/* Whoever waits is told when effd ends. */
static void play_end(struct play *p)
{
	asked_tell(&p->all, "shutdown");
	world_shutdown(p->w, p->now.nodes[0].hurries);
	while (!p->w->ended && world_now(p->w) < EFF_H(100))
		pass(p, EFF_S(10));
	for (int i = 0; i < ASKED_TURNS; i++)
		world_pass(p->w, 0);
	look(p, false);
	for (unsigned i = 0; i < ASKED_CLIENTS; i++)
		WORLD_ASSERT(p->w, !p->all.asks[i].active,
			"%s: it is never answered, to the end", p->all.asks[i].words);
	for (unsigned i = 0; i < ASKED_CLIENTS; i++)
		ask_hang_up(&p->all.asks[i]);
	client_free(p->observer);
	server_free(p->s);
	text_done(&p->yaml);
}

static void play(const struct scenario *s, const struct run_opts *opts)
{
	struct play *p = calloc(1, sizeof(*p));

	ck_assert_ptr_nonnull(p);
	p->now = *s;
	p->opts = opts;
	p->dice.random = scenario_mix(s->seed + 7777);
	play_begin(p);
	for (unsigned i = 0; i < s->n_steps && !p->w->ended; i++) {
		p->dice.random = scenario_mix(s->seed ^ scenario_mix(i + 7777));
		if (s->steps[i].there)
			do_step(p, &s->steps[i]);
		if (s->steps[i].there && !p->w->ended)
			do_besides(p);
	}
	if (!p->w->ended) {
		asked_tell(&p->all, "all is quiet");
		pass(p, QUIET);
	}
	if (!p->w->ended)
		check_rest(p);
	play_end(p);
	free(p);
}

START_TEST(whatever_clients_are_told_is_true)
{
	uint64_t first = number_of("EFFD_FIRST", FIRST), n = number_of("EFFD_SCENARIOS", SCENARIOS);
	struct trial *t = trial_new();

	t->play = play;
	for (uint64_t done = 0; done < n; done += BATCH)
		if (!trial_of_seeds(t, first + done, n - done < BATCH ? n - done : BATCH))
			shrink_and_fail(t);
	trial_free(t);
}
END_TEST

START_TEST(one_scenario_can_be_played_again)
{
	play_again(play);
}
END_TEST

Suite *test_suite(void);
Suite *test_suite(void)
{
	Suite *suite = suite_create("daemon/random_verbs");
	TCase *tcase = tcase_create("random_verbs");

	tcase_set_timeout(tcase, 1100);
	test_leak_guard(tcase);
	if (!getenv("EFFD_SEED"))
		tcase_add_test(tcase, whatever_clients_are_told_is_true);
	tcase_add_test(tcase, one_scenario_can_be_played_again);
	suite_add_tcase(suite, tcase);
	return suite;
}
