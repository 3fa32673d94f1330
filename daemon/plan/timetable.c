/* SPDX-License-Identifier: MIT */
/* Whether an intensity and the backoffs below it can meet. The times between the ends of a unit that dies at once are its
 * delays; one that stays up for `reset_after` begins anew with the first. So the shortest time for a number of restarts is
 * that of so many delays, split into runs of about equal length, with a `reset_after` between two runs. */
#include <string.h>

#include "plan/draft.h"

enum { RESTARTS_MOST = 128 }; /* that are reckoned one by one */
#define AT_ONCE EFF_S(1)

/* What one unit can do, without jitter. */
struct pace {
	const struct plan_unit *unit;
	double sums[RESTARTS_MOST + 1]; /* ns that so many delays in a row take */
};

/* What of a supervisor is restarted by itself. */
struct reach {
	const struct plan_unit *supervisor;
	const struct plan_unit *best; /* of its units the one that gets furthest; NULL: none is restarted */
	uint32_t n;                   /* so many restarts within the period */
	bool is_known;                /* else there may be more */
};

static void pace_make(struct pace *pace, const struct plan_unit *unit)
{
	double delay = (double)unit->ways->backoff.initial_ns,
	       most = (double)unit->ways->backoff.max_ns;

	pace->unit = unit;
	pace->sums[0] = 0;
	for (uint32_t n = 1; n <= RESTARTS_MOST; n++) {
		pace->sums[n] = pace->sums[n - 1] + (delay < most ? delay : most);
		delay *= unit->ways->backoff.factor;
	}
}

/* As it is shown: without what is left of a microsecond. */
static eff_ns shown_ns(double sum)
{
	eff_ns ns = eff_ns_scale(1, sum);

	return ns == EFF_FOREVER ? ns : ns - ns % EFF_US(1);
}

/* Whether `n` restarts can be had in `runs` runs within the time. After `max_restarts` in a row the next end is the last,
 * and counts no more. */
static bool runs_fit(const struct pace *pace, uint32_t n, uint32_t runs, double time)
{
	uint32_t each = n / runs, longer = n % runs, longest = each + (longer > 0);
	double sum = longer * pace->sums[each + 1 <= RESTARTS_MOST ? each + 1 : each] +
		(runs - longer) * pace->sums[each] +
		(runs - 1) * (double)pace->unit->ways->backoff.reset_after_ns;

	return sum <= time && longest + (runs == 1) <= pace->unit->ways->max_restarts;
}

static bool fits(const struct pace *pace, uint32_t n, double time)
{
	uint32_t runs;

	for (runs = 1; runs <= n; runs++)
		if (runs_fit(pace, n, runs, time))
			return true;
	return n == 0;
}

static bool is_restarted(const struct load *load, const struct plan_unit *unit)
{
	if (!unit->enabled || unit->ways->max_restarts == 0)
		return false;
	return unit->restart != PLAN_NO || draft_node(load, unit->index, FIELD_FORCE_EXIT);
}

static bool same_pace(const struct plan_unit *a, const struct plan_unit *b)
{
	return a->ways->backoff.initial_ns == b->ways->backoff.initial_ns &&
		a->ways->backoff.max_ns == b->ways->backoff.max_ns &&
		a->ways->backoff.factor == b->ways->backoff.factor &&
		a->ways->backoff.reset_after_ns == b->ways->backoff.reset_after_ns &&
		a->ways->max_restarts == b->ways->max_restarts;
}

static void reach_extend(struct reach *reach, struct pace *pace, const struct plan_unit *unit)
{
	const struct plan_intensity *intensity = &reach->supervisor->ways->intensity;
	double period = (double)intensity->period_ns;
	uint32_t n = reach->n;

	if (reach->best && same_pace(pace->unit, unit))
		return;
	pace_make(pace, unit);
	if (!reach->best)
		reach->best = unit;
	while (n < intensity->max_restarts && n < RESTARTS_MOST && fits(pace, n + 1, period))
		n++;
	if (n == RESTARTS_MOST && intensity->max_restarts > n)
		reach->is_known = false;
	if (n > reach->n) {
		reach->n = n;
		reach->best = unit;
	}
}

/* The node that says how this unit is restarted; NULL: nobody said. */
static struct node *backoff_node(const struct load *load, const struct plan_unit *unit)
{
	static const enum field_id fields[] = {
		FIELD_BACKOFF_INITIAL, FIELD_BACKOFF_FACTOR, FIELD_BACKOFF_MAX};
	struct node *node = NULL;

	for (size_t i = 0; !node && i < sizeof(fields) / sizeof(fields[0]); i++)
		node = draft_node(load, unit->index, fields[i]);
	return node;
}

/* When it ends, counted from its first end: the first few times. */
static void times_note(struct load *load, struct diag *diag, const struct pace *pace, uint32_t n)
{
	enum { TIMES_TOLD = 7 };
	const struct node *node = backoff_node(load, pace->unit);
	struct text times = {0};
	char buf[32];

	for (uint32_t i = 1; i <= n + 1 && i <= TIMES_TOLD; i++)
		text_printf(&times, "%s%s", i > 1 ? ", " : "",
			duration_text(shown_ns(pace->sums[i]), buf));
	diag_note(load->diags, diag, node ? node->at : pace->unit->at,
		"`%s`, if it dies at once, ends again after %s%s", pace->unit->name,
		times.bytes ? times.bytes : "", n + 1 > TIMES_TOLD ? ", …" : "");
	load->failed |= times.failed;
	text_done(&times);
}

/* Why it cannot be more. */
static void never_note(struct load *load, struct diag *diag, const struct reach *reach,
	const struct pace *pace)
{
	const struct plan_unit *unit = pace->unit;
	struct node *limit = draft_node(load, unit->index, FIELD_MAX_RESTARTS);
	struct node *reset = draft_node(load, unit->index, FIELD_BACKOFF_RESET_AFTER);
	bool gives_up = limit && reach->n + 1 >= unit->ways->max_restarts;
	char buf[32];

	if (gives_up)
		diag_note(load->diags, diag, limit->at, "`%s` has failed for good before that",
			unit->name);
	else if (reset && pace->sums[reach->n] > (double)reach->supervisor->ways->intensity.period_ns)
		diag_note(load->diags, diag, reset->at,
			"`%s` begins anew with its delays whenever it was up for %s",
			unit->name, duration_text(unit->ways->backoff.reset_after_ns, buf));
	else
		times_note(load, diag, pace, reach->n);
}

static void never_tell(struct load *load, const struct reach *reach, struct pace *pace)
{
	struct node *at = draft_node(load, reach->supervisor->index, FIELD_INTENSITY_MAX);
	struct diag *diag;
	char period[32];

	(void)duration_text(reach->supervisor->ways->intensity.period_ns, period);
	diag = fault(load, at, "W401",
		"no unit of `%s` exceeds this by itself: at most %u restart%s of one fall%s within %s",
		reach->supervisor->name, reach->n + 1, reach->n ? "s" : "", reach->n ? "" : "s",
		period);
	pace_make(pace, reach->best);
	never_note(load, diag, reach, pace);
	if (reach->n > 0)
		diag_help(load->diags, diag,
			"write at most `max_restarts: %u`; leave it if several units that fail together are meant",
			reach->n);
	else
		diag_help(load->diags, diag,
			"give a longer `period`, or a shorter `backoff` to the units");
}

/* One that exceeds the intensity before anybody could look. That none is allowed at all is meant so. */
static void at_once_check(struct load *load, const struct reach *reach, struct pace *pace,
	const struct plan_unit *unit)
{
	struct node *at = draft_node(load, reach->supervisor->index, FIELD_INTENSITY_MAX);
	uint32_t most = reach->supervisor->ways->intensity.max_restarts;
	struct diag *diag;
	double time;
	char buf[32];

	if (most == 0 || most > RESTARTS_MOST || most >= unit->ways->max_restarts ||
		unit->kind == PLAN_SUPERVISOR)
		return;
	pace_make(pace, unit);
	time = pace->sums[most] * (1 + unit->ways->backoff.jitter);
	if (time >= (double)AT_ONCE ||
		pace->sums[most] > (double)reach->supervisor->ways->intensity.period_ns)
		return;
	diag = fault(load, at, "W401",
		"if `%s` dies at once, `%s` gives up %s after its first end", unit->name,
		reach->supervisor->name, duration_text(shown_ns(pace->sums[most]), buf));
	times_note(load, diag, pace, most - 1);
	diag_help(load->diags, diag,
		"allow more restarts, or give the units a longer `restart.backoff.initial`");
}

static void children_check(struct load *load, struct reach *reach, struct pace *pace)
{
	const struct plan_unit *units = load->units, *last = NULL;
	uint32_t i;

	for (i = reach->supervisor->first_child; i != PLAN_NONE; i = units[i].next_sibling)
		if (is_restarted(load, &units[i]))
			reach_extend(reach, pace, &units[i]);
	if (reach->best && reach->is_known &&
		reach->n < reach->supervisor->ways->intensity.max_restarts) {
		never_tell(load, reach, pace);
		return;
	}
	for (i = reach->supervisor->first_child; i != PLAN_NONE; i = units[i].next_sibling) {
		if (!is_restarted(load, &units[i]) || (last && same_pace(last, &units[i])))
			continue;
		last = &units[i];
		at_once_check(load, reach, pace, last);
	}
}

void intensities_check(struct load *load)
{
	struct pace *pace = scratch_alloc(load, sizeof(*pace));
	uint32_t i;

	for (i = 0; pace && i < load->n_units && !load->failed; i++) {
		const struct plan_unit *unit = &load->units[i];
		struct node *most = draft_node(load, i, FIELD_INTENSITY_MAX);
		struct reach reach = {.supervisor = unit, .is_known = true};

		if (unit->kind != PLAN_SUPERVISOR || !most ||
			unit->ways->intensity.period_ns == 0 || unit->n_children == 0)
			continue;
		children_check(load, &reach, pace);
		if (reach.best)
			continue;
		diag_help(load->diags,
			fault(load, most, "W401",
				"nothing in `%s` is started again after an end: there is nothing to count",
				unit->name),
			"leave `intensity` out, or let something be restarted");
	}
}
