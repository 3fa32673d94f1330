/* SPDX-License-Identifier: MIT */
/* Two pages of a tree: whether it is well, for load balancers and orchestrators, and figures of its units, for
 * Prometheus and its kin (OpenMetrics 1.0: families one after the other, counters by _total, # EOF). */
#include <string.h>

#include "control/web.h"
#include "wire/states.h"
#include "wire/varlink.h"

/* So many units, then others have their turn. */
enum { BURST = 256 };

/* A walk over all units that lets others have their turn. Those that come meanwhile are not told, those that go are left
 * out, and no other is told twice or skipped: it goes by what the tree was when it began. */
struct walk {
	struct tree *tree;
	struct plan *plan; /* then; a reference */
	uint32_t next;
};

static void walk_begin(struct walk *walk, struct tree *t)
{
	*walk = (struct walk){.tree = t, .plan = plan_ref(t->plan)};
}

static void walk_end(struct walk *walk)
{
	plan_unref(walk->plan);
}

/* The next one, good until the next call; NULL: that was all. Suspends. */
EFF_SUSPENDS static struct unit *walk_next_await(struct walk *walk)
{
	struct unit *u = NULL;

	while (!u && walk->next < plan_n_units(walk->plan)) {
		if (walk->next > 0 && walk->next % BURST == 0 && eff_yield() < 0)
			return NULL;
		u = tree_find(walk->tree, plan_unit(walk->plan, walk->next++)->name);
	}
	return u;
}

/* ── health ── */

/* What a group lacks its units say, unless it has failed itself. */
static bool is_lacking(const struct unit *u)
{
	if (u->spec->kind == PLAN_SUPERVISOR)
		return state_has_failed(u->state);
	return tree_ails(u);
}

static void add_lacking(struct text *to, const struct unit *u)
{
	char line[160];

	text_printf(to, "%s: %s", u->name, unit_phrase(u));
	if (u->cause)
		text_printf(to, ": %s", cause_line(u->cause, line, sizeof(line)));
	text_add(to, "\n");
}

static void add_all_lacking(struct text *to, struct tree *t)
{
	struct walk walk;
	const struct unit *u;

	walk_begin(&walk, t);
	while (!t->shutting_down && (u = walk_next_await(&walk)))
		if (is_lacking(u))
			add_lacking(to, u);
	walk_end(&walk);
}

static void readyz(struct tree *t, struct web_page *page)
{
	add_all_lacking(&page->body, t);
	/* Before the first unit goes, so that nobody sends more work. */
	if (t->shutting_down)
		text_add(&page->body, "shutting down\n");
	page->status = page->body.len ? 503 : 200;
	if (page->status == 200)
		text_add(&page->body, "ready\n");
}

static void health_page(struct tree *t, const char *path, struct web_page *page)
{
	if (strcmp(path, "/livez") == 0) {
		page->status = 200;
		text_add(&page->body, "alive\n");
	} else if (strcmp(path, "/readyz") == 0) {
		readyz(t, page);
	}
}

/* ── metrics ── */

struct family {
	const char *name, *type, *unit, *help;
	/* `usage`: of its present run; NULL: there is none. */
	void (*add)(struct text *to, const struct unit *u, const struct os_usage *usage);
};

static void add_number(struct text *to, const struct unit *u, const char *name, double number)
{
	text_printf(to, "%s{unit=\"%s\"} %.15g\n", name, u->name, number);
}

static void add_state(struct text *to, const struct unit *u, const struct os_usage *usage)
{
	(void)usage;
	for (int i = 0; i < UNIT_N_STATES; i++)
		text_printf(to, "effd_unit_state{unit=\"%s\",effd_unit_state=\"%s\"} %d\n",
			u->name, state_name((enum unit_state)i), u->state == (enum unit_state)i);
}

static void add_starts(struct text *to, const struct unit *u, const struct os_usage *usage)
{
	(void)usage;
	add_number(to, u, "effd_unit_starts_total", (double)u->starts);
}

static void add_restarts(struct text *to, const struct unit *u, const struct os_usage *usage)
{
	(void)usage;
	add_number(to, u, "effd_unit_restarts_total", (double)u->restarts);
}

static void add_uptime(struct text *to, const struct unit *u, const struct os_usage *usage)
{
	(void)usage;
	if (u->state == UNIT_UP)
		add_number(to, u, "effd_unit_uptime_seconds", (double)(eff_now() - u->since) / 1e9);
}

static void add_cpu(struct text *to, const struct unit *u, const struct os_usage *usage)
{
	if (usage)
		add_number(to, u, "effd_unit_cpu_seconds", usage->cpu_s);
}

static void add_memory(struct text *to, const struct unit *u, const struct os_usage *usage)
{
	if (usage && usage->memory_bytes > 0) /* none has none: it is not known then */
		add_number(to, u, "effd_unit_memory_bytes", (double)usage->memory_bytes);
}

static void add_lost(struct text *to, const struct unit *u, const struct os_usage *usage)
{
	(void)usage;
	add_number(to, u, "effd_unit_log_lost_bytes_total", (double)u->log_lost_bytes);
}

static const struct family families[] = {
	{"effd_unit_state", "stateset", NULL, "What it is.", add_state},
	{"effd_unit_starts", "counter", NULL, "Starts so far.", add_starts},
	{"effd_unit_restarts", "counter", NULL, "Starts after an end by itself.", add_restarts},
	{"effd_unit_uptime_seconds", "gauge", "seconds", "How long it is up.", add_uptime},
	{"effd_unit_cpu_seconds", "gauge", "seconds", "Processor time of its present run.", add_cpu},
	{"effd_unit_memory_bytes", "gauge", "bytes", "Memory of its present run.", add_memory},
	{"effd_unit_log_lost_bytes", "counter", "bytes", "Output that could not be written.",
		add_lost},
};

enum { N_FAMILIES = sizeof(families) / sizeof(families[0]) };

/* The rows of every family from one walk: the kernel is asked once for each process. */
static void add_rows(struct text rows[N_FAMILIES], struct tree *t)
{
	struct walk walk;
	const struct unit *u;

	walk_begin(&walk, t);
	while ((u = walk_next_await(&walk))) {
		struct os_usage usage;
		bool known = unit_usage(u, &usage);

		for (int f = 0; f < N_FAMILIES; f++)
			families[f].add(&rows[f], u, known ? &usage : NULL);
	}
	walk_end(&walk);
}

/* Takes the rows. */
static void add_family(struct text *to, const struct family *family, struct text *rows)
{
	text_printf(to, "# TYPE %s %s\n", family->name, family->type);
	if (family->unit)
		text_printf(to, "# UNIT %s %s\n", family->name, family->unit);
	text_printf(to, "# HELP %s %s\n", family->name, family->help);
	text_add_bytes(to, rows->bytes, rows->len);
	to->failed |= rows->failed;
	text_done(rows);
}

static void metrics_page(struct tree *t, const char *path, struct web_page *page)
{
	struct text rows[N_FAMILIES] = {0};

	if (strcmp(path, "/metrics") != 0)
		return;
	page->status = 200;
	page->type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
	text_printf(&page->body,
		"# TYPE effd info\n# HELP effd The supervisor.\neffd_info{version=\"%s\"} 1\n"
		"# TYPE effd_settled gauge\n# HELP effd_settled All that starts by itself has.\n"
		"effd_settled %d\n",
		EFFD_VERSION, tree_is_settled(t));
	add_rows(rows, t);
	for (int f = 0; f < N_FAMILIES; f++)
		add_family(&page->body, &families[f], &rows[f]);
	text_add(&page->body, "# EOF\n");
}

/* ── the fibers ── */

static eff_exit health_run(struct effd_fiber *self)
{
	return web_serve(self, health_page);
}

static eff_exit metrics_run(struct effd_fiber *self)
{
	return web_serve(self, metrics_page);
}

eff_fn *web_fiber(const char *name)
{
	if (strcmp(name, "health") == 0)
		return (eff_fn *)(void (*)(void))health_run;
	if (strcmp(name, "metrics") == 0)
		return (eff_fn *)(void (*)(void))metrics_run;
	return NULL;
}
