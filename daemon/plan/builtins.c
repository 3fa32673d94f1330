/* SPDX-License-Identifier: MIT */
/* What the built-in fibers take under `with`. A module knows by itself what it takes; of a built-in a mistake is told before
 * anything starts, as of every other field. */
#include <string.h>

#include "base/text.h"
#include "plan/draft.h"
#include "plan/suggest.h"

#define WITH(key, ...) \
	{ \
		.face = {.name = "with." key}, __VA_ARGS__ \
	}

static const struct {
	const char *builtin;
	struct field field;
} rows[] = {
	{"idle", WITH("for", .type = TYPE_DURATION)},
	{"idle", WITH("exit", .type = TYPE_WORD, .words = "success fail die")},
	{"heartbeat", WITH("every", .type = TYPE_DURATION, .min = 1)},
	{"heartbeat", WITH("text", .type = TYPE_TEXT)},
	{"health", WITH("listen", .type = TYPE_ENDPOINT)},
	{"metrics", WITH("listen", .type = TYPE_ENDPOINT)},
};

static const struct field *row_find(const char *builtin, const char *key)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].builtin, builtin) == 0 &&
			strcmp(field_key(&rows[i].field), key) == 0)
			return &rows[i].field;
	return NULL;
}

/* A path is made whole here, as that of any other field: the fiber does not know what file it stood in. */
const char *builtin_text(struct value *value, const struct node *node, const char *filled)
{
	const struct field *row = node->key ? row_find(value->builtin, node->key) : NULL;

	return row && row->type == TYPE_ENDPOINT ? address_from(value->load, node->at.file, filled)
						 : filled;
}

static void key_is_unknown(struct load *load, const char *builtin, struct node *node)
{
	struct nearest nearest = {.wanted = node->key};
	struct diag *diag = fault_key(
		load, node, "E201", "`%s` takes no `%s` under `with`", builtin, node->key);
	struct text all = {0};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].builtin, builtin) != 0)
			continue;
		nearest_offer(&nearest, field_key(&rows[i].field));
		text_printf(&all, "%s`%s`", all.len ? " and " : "", field_key(&rows[i].field));
	}
	if (nearest.best)
		diag_help(load->diags, diag, "did you mean `%s`?", nearest.best);
	else if (all.bytes)
		diag_help(load->diags, diag, "it takes %s", all.bytes);
	load->failed |= all.failed;
	text_done(&all);
}

/* Where it listens nobody can guess. */
static void listen_check(struct load *load, const struct plan_unit *unit, struct node *with)
{
	struct node *at = draft_node(load, unit->index, FIELD_FIBER_BUILTIN);
	struct diag *diag;

	if (!row_find(unit->builtin, "listen") || !at || (with && node_find(load, with, "listen")))
		return;
	diag = fault(load, at, "E203", "`%s` needs to know where to listen", unit->builtin);
	diag_help(load->diags, diag, "write `with: {listen: \"tcp:127.0.0.1:8080\"}`");
}

void builtin_check(struct load *load, const struct plan_unit *unit)
{
	struct node *with = draft_node(load, unit->index, FIELD_WITH), *node;

	if (unit->builtin)
		listen_check(load, unit, with);
	for (node = with && unit->builtin ? with->first : NULL; node; node = node->next) {
		const struct field *row = row_find(unit->builtin, node->key);
		union {
			eff_ns ns;
			int word;
			const char *text;
		} to;
		struct value value = {
			.load = load, .field = row, .node = node, .unit = unit->name, .to = &to};

		if (strncmp(node->key, "x-", 2) == 0)
			continue;
		if (!row) {
			key_is_unknown(load, unit->builtin, node);
			continue;
		}
		(void)value_read(&value);
		value_done(&value);
	}
}
