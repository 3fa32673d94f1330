/* SPDX-License-Identifier: MIT */
/* The system calls of a process: names are looked at one by one, and when all of its fields were read a program is made of
 * them, once for all units that say the same. */
#include <errno.h>
#include <string.h>

#include "plan/draft.h"
#include "plan/value.h"

static bool call_check(struct value *value, struct node *node, const char *name)
{
	struct nearest nearest = {.wanted = name};
	char other[FILTER_NAME_BYTES], best[FILTER_NAME_BYTES];
	struct diag *diag;

	if (filter_knows(name))
		return true;
	diag = fault(value->load, node, "E210", "`%s` is no system call, nor a set of them", name);
	for (unsigned i = 0; load_may_suggest(value->load) && filter_name(i, other); i++) {
		if (*other)
			nearest_offer(&nearest, other);
		if (nearest.best != other)
			continue;
		memcpy(best, other, sizeof(best));
		nearest.best = best;
	}
	if (nearest.best)
		diag_help(value->load->diags, diag, "did you mean %s?", nearest.best);
	return false;
}

bool read_calls(struct value *value)
{
	struct node *node = value->node;
	bool is_list = node->kind == NODE_LIST, good = true;
	plan_strv name;

	if (!read_texts(value))
		return false;
	if (is_list)
		node = node->first;
	for (name = *(plan_strv *)value->to; name && *name; name++) {
		good &= call_check(value, node, *name);
		node = is_list ? node->next : node;
	}
	return good;
}

/* What two filters differ in, if they do. NULL: no memory, noted. */
static const char *rules_text(struct load *load, const struct filter_rules *rules)
{
	struct text text = {0};

	if (rules->allow)
		canonical_words(&text, rules->allow);
	text_printf(&text, " but %d ", (int)rules->action);
	canonical_words(&text, rules->deny);
	return keep_text(load, &text);
}

static const struct filter *filter_of(
	struct load *load, const struct filter_rules *rules, struct node *at)
{
	const char *words = rules_text(load, rules);
	void **made = words ? table_at(&load->texts, &load->texts, words) : NULL;
	struct filter *filter;
	int r;

	if (!made || *made) {
		load->failed |= !made;
		return made ? *made : NULL;
	}
	filter = keep_alloc(load, sizeof(*filter));
	if (!filter)
		return NULL;
	r = filter_make(load->arena, rules, filter);
	if (r == -ENOMEM)
		load->failed = true;
	else if (r == -ELIBACC)
		diag_help(load->diags,
			fault(load, at, "E210",
				"a filter is made by the library %s, which cannot be loaded",
				FILTER_LIBRARY),
			"install the package of libseccomp");
	else if (r < 0)
		(void)fault(load, at, "E210", "this cannot be made a filter here: %s",
			strerror(-r));
	else
		*made = filter;
	return r < 0 ? NULL : filter;
}

void filter_settle(struct load *load, struct plan_process *process, const struct layer *layer)
{
	struct node *allow = layer->slots[FIELD_SECCOMP_ALLOW];
	struct node *deny = layer->slots[FIELD_SECCOMP_DENY];
	struct node *action = layer->slots[FIELD_SECCOMP_ACTION];
	struct filter_rules rules = {
		process->calls.allow, process->calls.deny, process->calls.action};
	static const char *const none[] = {NULL};

	if (action && !allow && !deny)
		(void)fault_key(load, action, "E203", "`security.seccomp` needs `allow` or `deny`");
	if (!allow && !deny)
		return;
	if (allow && !rules.allow)
		rules.allow = none;
	process->filter = filter_of(load, &rules, allow ? allow : deny);
	/* It is all that tells two processes apart. */
	process->calls = (struct filter_rules){0};
}
