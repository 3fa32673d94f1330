/* SPDX-License-Identifier: MIT */
/* A world: how it is made, how time passes in it, what must hold at every moment, and how it ends. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "base/log.h"
#include "fake/fake_parts.h"
#include "fake/world.h"
#include "tree/internal.h"

static const char *const environment[] = {"HOME=/root", "PATH=/usr/bin:/bin", NULL};
static const struct asker asked_by = {.pid = 4711, .uid = 0, .command = "effctl"};

/* ── loading ── */

static int source_read(
	void *context, const char *path, size_t limit, char **ret_bytes, size_t *ret_size)
{
	const struct world *w = context;
	size_t len = strlen(w->text);

	if (strcmp(path, "/world/test.yaml") != 0)
		return -ENOENT;
	if (len > limit)
		return -EFBIG;
	*ret_bytes = strdup(w->text);
	*ret_size = len;
	return *ret_bytes ? 0 : -ENOMEM;
}

static int source_list(void *context, const char *path, char ***ret_names)
{
	(void)context;
	(void)path;
	(void)ret_names;
	return -ENOTDIR;
}

/* A whole document from what stands under `units:`. */
static char *document(const char *units)
{
	struct text text = {0};

	if (strncmp(units, "version:", 8) == 0) {
		text_add(&text, units);
		return text.bytes;
	}
	text_add(&text, "version: 1\nname: test\nunits:\n");
	while (*units) {
		size_t len = strcspn(units, "\n");

		text_add(&text, "  ");
		text_add_bytes(&text, units, len);
		text_add(&text, "\n");
		units += len + (units[len] == '\n');
	}
	return text.bytes;
}

struct plan_source world_source(struct world *w)
{
	return (struct plan_source){.read = source_read,
		.list = source_list,
		.context = w,
		.environment = environment,
		.privileged = true};
}

struct plan *world_plan(struct world *w, const char *units, bool print)
{
	struct plan_source source = world_source(w);
	struct diags *diags = diags_new();
	struct plan *plan = NULL;
	int r;

	w->text = document(units);
	r = plan_load_again(
		"/world/test.yaml", &source, w->tree ? w->tree->plan : NULL, &plan, diags);
	if (r < 0 && print) {
		(void)fprintf(stderr, "cannot load (%d):\n%s\n", r, w->text);
		diags_print(diags, stderr);
	}
	free(w->text);
	w->text = NULL;
	diags_free(diags);
	return r < 0 ? NULL : plan;
}

/* ── life of a world ── */

static eff_exit world_root(void *arg)
{
	struct world *w = arg;

	w->end = tree_run(w->tree);
	w->ended = true;
	return eff_ok(NULL); /* w->end is what the test looks at */
}

static void world_deadlock(void *context, const struct eff_fiber_info *fiber)
{
	(void)context;
	(void)fiber;
}

struct world *world_new(const char *units)
{
	struct world *w = fake_zalloc(sizeof(*w));
	struct eff_rt_opts opts = {.seed = 1, .hooks = {.on_deadlock = world_deadlock}};
	struct plan *plan;

	log_set_level(getenv("EFFD_TELL") ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR);
	w->clock = eff_testclock_new(EFF_S(1000));
	opts.clock = w->clock;
	WORLD_ASSERT(w, eff_rt_new(&opts, &w->rt) == 0, "there is no runtime");
	w->wall_zero = eff_wall();
	w->mark = eff_now();
	w->fake = os_fake_new();
	plan = world_plan(w, units, true);
	WORLD_ASSERT(w, plan != NULL, "the world's tree does not load");
	WORLD_ASSERT(w, tree_new(os_fake_seam(w->fake), plan, "/log", &w->tree) == 0, "no tree");
	plan_unref(plan);
	WORLD_ASSERT(w, eff_rt_attach(w->rt, EFF(world_root, w)) == 0, "the tree cannot run");
	return w;
}

eff_ns world_now(const struct world *w)
{
	(void)w;
	return eff_now() - EFF_S(1000);
}

/* Not an assertion of check's: each of those is a write to a file, and time passes often. */
void world_pass(struct world *w, eff_ns duration)
{
	int r = eff_testclock_advance(w->clock, duration);

	WORLD_ASSERT(w, r == 0, "time cannot pass: %s", strerror(-r));
}

void world_run_for(struct world *w, eff_ns duration)
{
	world_pass(w, duration);
	world_check(w);
}

bool world_run_to_end(struct world *w, eff_ns most)
{
	eff_ns until = eff_ns_add(eff_now(), most);
	eff_ns next;

	world_run_for(w, 0);
	while (!w->ended && eff_testclock_next(w->clock, &next) && next <= until)
		world_run_for(w, next - eff_now());
	return w->ended;
}

static void count_fiber(void *context, const struct eff_fiber_info *info)
{
	unsigned *n = context;

	(void)fprintf(stderr, "left: fiber %s, %s, waits for %s\n", info->name, info->state,
		info->waits_for ? info->waits_for : "-");
	(*n)++;
}

static void check_nothing_left(struct world *w)
{
	struct eff_rt_stats stats;
	unsigned n_fibers = 0;

	os_fake_sweep(w->fake);
	world_pass(w, 0);
	/* What the kernel does not let go of, and effd has given up on, may take longer than effd. */
	if (os_fake_live(w->fake, NULL) > 0)
		world_pass(w, EFF_S(10));
	WORLD_ASSERT(w, os_fake_live(w->fake, NULL) == 0, "%zu processes are left",
		os_fake_live(w->fake, NULL));
	WORLD_ASSERT(w, os_fake_handles(w->fake) == 0, "%zu handles are left",
		os_fake_handles(w->fake));
	WORLD_ASSERT(w, os_fake_open_files(w->fake) == 0, "%zu files are left open",
		os_fake_open_files(w->fake));
	WORLD_ASSERT(w, os_fake_views(w->fake) == 0, "%u views of the files are left",
		os_fake_views(w->fake));
	WORLD_ASSERT(w, w->reloads_under_way == 0, "a reload never ended");
	eff_rt_each(w->rt, count_fiber, &n_fibers);
	WORLD_ASSERT(w, n_fibers == 0, "%u fibers are left", n_fibers);
	eff_rt_stats(w->rt, &stats);
	WORLD_ASSERT(w, stats.timers_armed == 0, "%llu timers are left",
		(unsigned long long)stats.timers_armed);
}

static void world_forget_reload(struct world *w)
{
	plan_changes_free(w->changes, w->n_changes);
	plan_unref(w->reload_old);
	w->changes = NULL;
	w->n_changes = 0;
	w->reload_old = NULL;
}

void world_free(struct world *w)
{
	if (!w->ended)
		tree_shutdown(w->tree, &asked_by, false);
	WORLD_ASSERT(w, world_run_to_end(w, EFF_H(24)),
		"the tree did not end within a day of its shutdown");
	check_nothing_left(w);
	eff_exit_drop(w->end);
	world_forget_reload(w);
	tree_free(w->tree);
	WORLD_ASSERT(w, os_fake_groups_kept(w->fake) == 0, "%u control groups are kept",
		os_fake_groups_kept(w->fake));
	WORLD_ASSERT(w, os_fake_sockets(w->fake) == 0, "a socket is left open");
	WORLD_ASSERT(w, eff_rt_shutdown(w->rt, 0) == 0, "the runtime does not end");
	os_fake_free(w->fake);
	eff_rt_free(w->rt);
	eff_testclock_free(w->clock);
	for (size_t i = 0; i < sizeof(w->out) / sizeof(w->out[0]); i++)
		text_done(&w->out[i]);
	free(w);
}

/* ── what must hold ── */

static bool state_has_process(enum unit_state state)
{
	return state == UNIT_STARTING || state == UNIT_UP || state == UNIT_STOPPING;
}

/* A unit that neither rests nor runs waits for something that can end the wait. */
static const char *unit_wrong(const struct world *w, const struct unit *u)
{
	/* One of another kind that had the name may be on its way out. */
	bool live = os_fake_live(w->fake, u->name) > 0 && !tree_grave_of(w->tree, u->name);
	bool process = u->spec->kind == PLAN_PROCESS &&
		!(u->spec->type == PLAN_ONESHOT && u->spec->ways->remain_after_exit);

	if (live && !state_has_process(u->state))
		return "has a process";
	/* On its way out it is shown as it was while it waits for those that go first. */
	if (process && u->state == UNIT_UP && !os_fake_runs(w->fake, u->name) && !unit_is_leaving(u))
		return "has no process";
	/* One that waits until its group has stopped does not know its time yet. */
	if (u->state == UNIT_BACKOFF && !unit_is_leaving(u) &&
		(u->child.next_at < 0 ? u->child.sup->n_ending == 0 : u->child.next_at < eff_now()))
		return "has no time to go on at";
	if (u->state == UNIT_BACKOFF && !u->wanted)
		return "is not wanted";
	/* One that was to start when its group is on its way out waits for that unseen. */
	if (state_rests(u->state) && u->child.fiber && !unit_is_leaving(u))
		return "has a fiber";
	/* Its schedule may be over while its group is on its way out, which then says that it is down. */
	if (!state_rests(u->state) && !u->child.fiber && !unit_awaits_schedule(u) &&
		!unit_is_leaving(u))
		return "has no fiber";
	if (u->state == UNIT_WAITING && !u->awaits && !unit_awaits_schedule(u) &&
		!unit_is_leaving(u))
		return "waits for nobody";
	if (!u->spec->enabled && !state_rests(u->state) && !u->child.stopping && !unit_is_leaving(u))
		return "is disabled";
	return NULL;
}

const char *world_wrong(struct world *w)
{
	static char words[300];
	const char *breach = os_fake_breach(w->fake);

	if (breach)
		return breach;
	for (uint32_t i = 0; i < w->tree->n_units; i++) {
		const struct unit *u = w->tree->units[i];
		const char *wrong = unit_wrong(w, u);

		if (!wrong)
			continue;
		(void)snprintf(words, sizeof(words), "%s is %s and %s", u->name,
			state_name(u->state), wrong);
		return words;
	}
	return NULL;
}

void world_check(struct world *w)
{
	const char *wrong = world_wrong(w);

	if (wrong)
		world_fail(w, "%s", wrong);
}

static struct {
	world_failed *failed;
	void *context;
} on_fail;

void world_on_fail(world_failed *failed, void *context)
{
	on_fail.failed = failed;
	on_fail.context = context;
}

void world_fail(struct world *w, const char *format, ...)
{
	char words[400];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	if (on_fail.failed)
		on_fail.failed(on_fail.context, w, words);
	if (w->story)
		(void)fprintf(stderr, "%s\n", w->story);
	for (uint32_t i = 0; w->tree && i < w->tree->n_units; i++)
		(void)fprintf(stderr, "%s: %s | %s\n", w->tree->units[i]->name,
			world_states(w, w->tree->units[i]->name),
			world_trace(w, w->tree->units[i]->name));
	ck_abort_msg("at %lld ms: %s", (long long)(world_now(w) / EFF_MS(1)), words);
	abort();
}

/* ── what a test does ── */

void world_script(struct world *w, const char *program, struct script script)
{
	os_fake_script(w->fake, program, &script, 1);
}

struct unit *world_unit(struct world *w, const char *unit)
{
	struct unit *u = tree_find(w->tree, unit);

	WORLD_ASSERT(w, u != NULL, "no unit %s", unit);
	return u;
}

enum unit_state world_state(struct world *w, const char *unit)
{
	return world_unit(w, unit)->state;
}

void world_start(struct world *w, const char *unit)
{
	ck_assert_int_eq(tree_start(w->tree, world_unit(w, unit), NULL, NULL), 0);
}

void world_stop(struct world *w, const char *unit)
{
	ck_assert_int_eq(tree_stop(w->tree, world_unit(w, unit), &asked_by, false, NULL), 0);
}

void world_stop_now(struct world *w, const char *unit)
{
	ck_assert_int_eq(tree_stop(w->tree, world_unit(w, unit), &asked_by, true, NULL), 0);
}

void world_restart(struct world *w, const char *unit)
{
	ck_assert_int_eq(tree_restart(w->tree, world_unit(w, unit), &asked_by, false, NULL), 0);
}

void world_reset(struct world *w, const char *unit)
{
	ck_assert_int_eq(tree_reset(w->tree, world_unit(w, unit), &asked_by), 0);
}

void world_shutdown(struct world *w, bool now)
{
	tree_shutdown(w->tree, &asked_by, now);
}

/* ── reload ── */

struct reload {
	struct world *world;
	struct plan *plan;
};

static eff_exit reload_run(void *arg)
{
	struct reload *reload = arg;
	struct world *w = reload->world;
	struct tree_reloaded done = {0};
	int r = tree_reload(w->tree, reload->plan, &asked_by, &done);

	plan_unref(reload->plan);
	free(done.was);
	world_forget_reload(w);
	w->reload_result = r;
	w->reload_old = done.old;
	w->changes = done.changes;
	w->n_changes = done.n;
	w->reloads_under_way--;
	free(reload);
	return eff_ok(NULL);
}

void world_reload(struct world *w, const char *units)
{
	struct reload *reload = fake_zalloc(sizeof(*reload));

	*reload = (struct reload){.world = w, .plan = world_plan(w, units, true)};
	WORLD_ASSERT(w, reload->plan != NULL, "the new tree does not load");
	w->reloads_under_way++;
	WORLD_ASSERT(w, eff_fork_daemon(EFF(reload_run, reload), NULL) == 0, "cannot reload");
	world_pass(w, 0);
}
