/* SPDX-License-Identifier: MIT */
/* Significant units and the supervisors that are done when they are: what one of them says means nothing without the other,
 * so it is an error, as in OTP. What `defaults` say is for those whom it concerns. */
#include <string.h>

#include "plan/draft.h"

/* What a unit says of a field itself; NULL: nothing. */
static struct node *own_node(struct load *load, const struct plan_unit *unit, enum field_id field)
{
	struct node *node = draft_node(load, unit->index, field);

	if (!node || !node_find(load, load->drafts[unit->index].map, node->key))
		return NULL;
	return node;
}

static void note_supervisor(struct load *load, struct diag *diag, const struct plan_unit *supervisor)
{
	const struct node *said = draft_node(load, supervisor->index, FIELD_AUTO_SHUTDOWN);

	if (said)
		diag_note(load->diags, diag, said->at, "`auto_shutdown` is here");
	else if (supervisor->parent != PLAN_NONE)
		diag_note(load->diags, diag, supervisor->at, "`%s` is here", supervisor->name);
}

/* One that is started again after each end never ends for good. */
static bool never_ends(struct load *load, const struct plan_unit *unit)
{
	return unit->restart == PLAN_ALWAYS && !draft_node(load, unit->index, FIELD_PREVENT_EXIT);
}

static void unit_check(struct load *load, const struct plan_unit *unit)
{
	const struct plan_unit *supervisor = &load->units[unit->parent];
	struct node *significant = own_node(load, unit, FIELD_SIGNIFICANT);
	struct diag *diag;

	if (!significant || !unit->significant)
		return;
	if (supervisor->ways->auto_shutdown == PLAN_AUTO_NEVER) {
		diag = fault(load, significant, "E307",
			"`significant` counts for nothing: `auto_shutdown` of `%s` is never",
			supervisor->name);
		diag_help(load->diags, diag,
			"say `auto_shutdown: any` or `auto_shutdown: all` there, or leave this out");
		note_supervisor(load, diag, supervisor);
	} else if (never_ends(load, unit)) {
		diag = fault(load, significant, "E307",
			"`%s` is restarted always, so it never ends as a significant unit has to",
			unit->name);
		diag_help(load->diags, diag,
			"write `restart: on-failure` for it, or leave `significant` out");
	}
}

static bool has_significant(const struct load *load, const struct plan_unit *supervisor)
{
	uint32_t i;

	for (i = supervisor->first_child; i != PLAN_NONE; i = load->units[i].next_sibling)
		if (load->units[i].significant)
			return true;
	return false;
}

/* Children that are added at run time are not there to be asked. */
static void supervisor_check(struct load *load, const struct plan_unit *supervisor)
{
	struct node *shutdown = own_node(load, supervisor, FIELD_AUTO_SHUTDOWN);
	struct diag *diag;

	if (!shutdown || supervisor->ways->auto_shutdown == PLAN_AUTO_NEVER ||
		supervisor->ways->strategy == PLAN_SIMPLE_ONE_FOR_ONE ||
		has_significant(load, supervisor))
		return;
	diag = fault(load, shutdown, "E307", "no unit of `%s` is significant", supervisor->name);
	diag_help(load->diags, diag,
		"say `significant: true` of those whose end is to end it, or leave this out");
}

void significant_check(struct load *load)
{
	uint32_t i;

	for (i = 0; i < load->n_units && !load->failed; i++) {
		if (load->units[i].parent != PLAN_NONE)
			unit_check(load, &load->units[i]);
		if (load->units[i].kind == PLAN_SUPERVISOR)
			supervisor_check(load, &load->units[i]);
	}
}
