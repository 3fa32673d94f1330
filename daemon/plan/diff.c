/* SPDX-License-Identifier: MIT */
/* What is different between two plans. Units are matched by full name; their values are compared as canonical text, a
 * value that nobody gave being the preset. Five things are compared as they came out instead, because they depend on more
 * than what stands in the unit: the environment, the working folder, the sockets, what a unit needs, whether it is enabled. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "plan/changes.h"
#include "plan/fields.h"

struct differ {
	const struct plan *old, *new;
	const struct plan_lasting *lasting; /* NULL: as the old plan */
	uint32_t *was; /* of each unit of the new plan: which it is in the old one, by its name; PLAN_NONE: none */
	struct plan_change *changes;
	uint32_t n, room;
	uint16_t fields[N_FIELDS]; /* of the unit that is being compared */
	uint32_t n_fields;
	bool failed;
};

const char *plan_action_name(enum plan_action action)
{
	static const char *const names[] = {"nothing", "live", "restart", "start", "stop", "effd"};

	return names[action];
}

void plan_changes_free(struct plan_change *changes, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		free(changes[i].fields);
	free(changes);
}

/* The fields gathered so far go with the change. */
static void change_add(struct differ *differ, struct plan_change change)
{
	uint32_t room = differ->room ? differ->room * 2 : 16;
	struct plan_change *changes;

	if (differ->n == differ->room) {
		changes = alloc_grow(differ->changes, room * sizeof(*changes));
		if (!changes) {
			differ->failed = true;
			return;
		}
		differ->changes = changes;
		differ->room = room;
	}
	change.n_fields = differ->n_fields;
	change.fields = alloc_new(differ->n_fields * sizeof(*change.fields));
	if (!change.fields) {
		differ->failed = true;
		return;
	}
	memcpy(change.fields, differ->fields, differ->n_fields * sizeof(*change.fields));
	differ->changes[differ->n++] = change;
	differ->n_fields = 0;
}

static void field_differs(struct differ *differ, enum field_id id)
{
	uint32_t i;

	for (i = 0; i < differ->n_fields; i++)
		if (differ->fields[i] == id)
			return;
	differ->fields[differ->n_fields++] = (uint16_t)id;
}

static bool texts_differ(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) != 0 : a != b;
}

/* How many replicas there are is not a matter of any of them. */
static bool is_compared_otherwise(enum field_id id)
{
	return id == FIELD_REPLICAS || id == FIELD_ENVIRONMENT || id == FIELD_ENV_FILE ||
		id == FIELD_ENV_INHERIT || id == FIELD_WORKING_DIR || id == FIELD_DEPENDS_ON ||
		id == FIELD_ENABLED || id == FIELD_SOCKETS;
}

/* The values of one plan for a unit, or for effd (`unit` is NULL then). */
struct side {
	const struct plan_value *values;
	uint32_t n;
	const struct plan_unit *unit;
};

/* Both lists are sorted by field; what only one has stands against the other's preset. */
static void values_compare(struct differ *differ, const struct side *old, const struct side *new)
{
	const struct plan_value *a = old->values, *b = new->values;
	const struct plan_value *a_end = a + old->n, *b_end = b + new->n;

	while (a < a_end || b < b_end) {
		bool has_a = a < a_end && (b == b_end || a->field <= b->field);
		bool has_b = b < b_end && (a == a_end || b->field <= a->field);
		enum field_id id = has_a ? a->field : b->field;
		const char *text_a = has_a ? a->text : field_preset(id, old->unit);
		const char *text_b = has_b ? b->text : field_preset(id, new->unit);

		if (!is_compared_otherwise(id) && texts_differ(text_a, text_b))
			field_differs(differ, id);
		a += has_a;
		b += has_b;
	}
}

static bool vectors_differ(plan_strv a, plan_strv b)
{
	for (; a && b && *a && *b; a++, b++)
		if (strcmp(*a, *b) != 0)
			return true;
	return (a && *a) || (b && *b);
}

/* The name in depends_on: how many replicas it stands for is not a matter of who depends on them. */
static const char *need_name(const struct plan *plan, const struct plan_need *need)
{
	const struct plan_unit *other = plan_unit(plan, need->unit);

	return need->all_of == PLAN_NONE ? other->name : other->stem;
}

/* The next of the needs that stands for itself, or for those behind it too. */
static uint32_t need_after(const struct plan_unit *unit, uint32_t i)
{
	uint32_t all_of = unit->needs[i].all_of;

	do
		i++;
	while (all_of != PLAN_NONE && i < unit->n_needs && unit->needs[i].all_of == all_of &&
		unit->needs[i].unit != all_of);
	return i;
}

static bool needs_differ(
	const struct differ *differ, const struct plan_unit *old, const struct plan_unit *new)
{
	uint32_t i, k;

	for (i = k = 0; i < old->n_needs && k < new->n_needs;
		i = need_after(old, i), k = need_after(new, k)) {
		const struct plan_need *a = &old->needs[i], *b = &new->needs[k];

		if (strcmp(need_name(differ->old, a), need_name(differ->new, b)) != 0 ||
			a->condition != b->condition || a->required != b->required ||
			a->restart != b->restart || a->bind != b->bind)
			return true;
	}
	return i < old->n_needs || k < new->n_needs;
}

/* Which it has, and what they are. */
static bool sockets_differ(const struct plan_unit *old, const struct plan_unit *new)
{
	const struct plan_socket *const *a = plan_unit_sockets(old), *const *b = plan_unit_sockets(new);

	for (; a && b && *a && *b; a++, b++)
		if (!plan_socket_equals(*a, *b))
			return true;
	return (a && *a) || (b && *b);
}

/* The children that both have, in the one order and in the other. */
static bool orders_differ(const struct differ *differ, const struct plan_unit *new)
{
	uint32_t child, last = 0;

	for (child = new->first_child; child != PLAN_NONE;
		child = plan_unit(differ->new, child)->next_sibling) {
		uint32_t was = differ->was[child];

		if (was == PLAN_NONE)
			continue;
		if (was < last)
			return true;
		last = was;
	}
	return false;
}

static void unit_compare(
	struct differ *differ, const struct plan_unit *old, const struct plan_unit *new)
{
	struct side before = {old->values, old->n_values, old},
		    after = {new->values, new->n_values, new};

	values_compare(differ, &before, &after);
	/* Of others it is only what commands beside them get, from the next one on. */
	if (new->kind == PLAN_PROCESS && vectors_differ(old->environment, new->environment))
		field_differs(differ, FIELD_ENVIRONMENT);
	if (new->kind == PLAN_PROCESS && texts_differ(old->working_dir, new->working_dir))
		field_differs(differ, FIELD_WORKING_DIR);
	if (needs_differ(differ, old, new))
		field_differs(differ, FIELD_DEPENDS_ON);
	if (old->enabled != new->enabled)
		field_differs(differ, FIELD_ENABLED);
	if (sockets_differ(old, new))
		field_differs(differ, FIELD_SOCKETS);
	if (orders_differ(differ, new))
		field_differs(differ, FIELD_UNITS);
}

static enum plan_action action_of(const struct differ *differ)
{
	enum plan_action action = differ->n_fields ? PLAN_DO_LIVE : PLAN_DO_NOTHING;
	uint32_t i;

	for (i = 0; i < differ->n_fields; i++)
		if (plan_field(differ->fields[i])->effect == PLAN_RESTART)
			action = PLAN_DO_RESTART;
	return action;
}

static int by_number(const void *left, const void *right)
{
	return (int)*(const uint16_t *)left - (int)*(const uint16_t *)right;
}

static void unit_change(
	struct differ *differ, const struct plan_unit *old, const struct plan_unit *new)
{
	struct plan_change change = {.unit = new->name, .before = old->index, .after = new->index};

	unit_compare(differ, old, new);
	change.action = action_of(differ);
	if (change.action == PLAN_DO_NOTHING)
		return;
	qsort(differ->fields, differ->n_fields, sizeof(differ->fields[0]), by_number);
	change_add(differ, change);
}

/* Keep of those gathered the ones that wait for effd's next start, or the others. */
static void fields_keep(struct differ *differ, bool that_wait)
{
	uint32_t n = 0, i;

	for (i = 0; i < differ->n_fields; i++)
		if ((plan_field(differ->fields[i])->effect == PLAN_EFFD) == that_wait)
			differ->fields[n++] = differ->fields[i];
	differ->n_fields = n;
}

/* effd's own settings: those that wait for its next start; and those that do not, which go with the root's. */
static void daemon_change(struct differ *differ)
{
	const struct plan_daemon *a = plan_daemon(differ->old), *b = plan_daemon(differ->new);
	const struct plan_lasting *lasting = differ->lasting;
	struct side old = {a->values, a->n_values, NULL}, new = {b->values, b->n_values, NULL};
	struct side kept = lasting ? (struct side){lasting->values, lasting->n, NULL} : old;
	struct plan_change change = {.unit = "/", .action = PLAN_DO_EFFD};

	values_compare(differ, &kept, &new);
	fields_keep(differ, true);
	if (differ->n_fields > 0)
		change_add(differ, change);
	values_compare(differ, &old, &new);
	fields_keep(differ, false);
}

/* The unit of that name, which is expected to stand there: mostly the two plans go the same way, and to look for a name would
 * lead all over the memory of one. */
static const struct plan_unit *find_at(const struct plan *plan, uint32_t at, const char *name)
{
	if (at < plan_n_units(plan) && strcmp(plan_unit(plan, at)->name, name) == 0)
		return plan_unit(plan, at);
	return plan_find(plan, name);
}

/* A unit lives on that has the same name and kind; the root always does. */
static void olds_compare(struct differ *differ)
{
	uint32_t i, next = 0;

	for (i = 0; i < plan_n_units(differ->new); i++)
		differ->was[i] = PLAN_NONE;
	for (i = 0; i < plan_n_units(differ->old) && !differ->failed; i++) {
		const struct plan_unit *unit = plan_unit(differ->old, i);
		const struct plan_unit *there = find_at(differ->new, next, unit->name);

		if (there) {
			differ->was[there->index] = i;
			next = there->index + 1;
		}
		if (!there || there->kind != unit->kind)
			change_add(differ,
				(struct plan_change){.unit = unit->name,
					.action = PLAN_DO_STOP,
					.before = i,
					.after = PLAN_NONE});
	}
}

static void news_compare(struct differ *differ)
{
	uint32_t i;

	for (i = 0; i < plan_n_units(differ->new) && !differ->failed; i++) {
		const struct plan_unit *unit = plan_unit(differ->new, i);
		const struct plan_unit *old = NULL;

		if (differ->was[i] != PLAN_NONE)
			old = plan_unit(differ->old, differ->was[i]);
		if (old && old->kind == unit->kind)
			unit_change(differ, old, unit);
		else
			change_add(differ,
				(struct plan_change){.unit = unit->name,
					.action = PLAN_DO_START,
					.before = PLAN_NONE,
					.after = i});
	}
}

static void plans_compare(struct differ *differ)
{
	differ->was = alloc_new(plan_n_units(differ->new) * sizeof(*differ->was));
	differ->failed = !differ->was;
	if (differ->failed)
		return;
	olds_compare(differ);
	daemon_change(differ);
	news_compare(differ);
	free(differ->was);
}

int plan_diff(const struct plan *old, const struct plan_lasting *lasting,
	const struct plan *new, struct plan_change **ret_changes, uint32_t *ret_n)
{
	struct differ *differ = alloc_new(sizeof(*differ));

	if (!differ)
		return -ENOMEM;
	differ->old = old;
	differ->lasting = lasting;
	differ->new = new;
	plans_compare(differ);
	if (differ->failed || plan_find_moved(old, new, differ->changes, differ->n) < 0) {
		plan_changes_free(differ->changes, differ->n);
		free(differ);
		return -ENOMEM;
	}
	*ret_changes = differ->changes;
	*ret_n = differ->n;
	free(differ);
	return 0;
}
