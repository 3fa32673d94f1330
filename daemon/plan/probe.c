/* SPDX-License-Identifier: MIT */
/* The three probes of a unit: which kind each is, and what a kind needs. */
#include "plan/draft.h"

struct probing {
	struct load *load;
	const struct layer *layer;
	enum field_id base; /* the row of the probe's section */
	struct plan_probe *probe;
};

static struct node *slot(const struct probing *p, int row)
{
	return p->layer->slots[(int)p->base + row];
}

static bool needs_key(const struct probing *p, int section, int first, int second)
{
	struct node *node = slot(p, section);
	const struct field *row = field_row((enum field_id)((int)p->base + first));

	if (slot(p, first) || (second && slot(p, second)))
		return true;
	/* A key that is there but bad was complained about. */
	if (!node_find(p->load, node, field_key(row)))
		(void)fault_key(p->load, node, "E203",
			second ? "`%s` needs `%s` or `unix`" : "`%s` needs `%s`", node->key,
			field_key(row));
	return false;
}

static void parts_check(const struct probing *p, int section)
{
	struct node *both;

	if (section != PROBE_HTTP) {
		(void)needs_key(p, section, section + 1, 0);
		return;
	}
	if (!needs_key(p, section, PROBE_HTTP + 1, PROBE_HTTP + 2))
		return;
	both = slot(p, PROBE_HTTP + 1) ? slot(p, PROBE_HTTP + 2) : NULL;
	if (both)
		(void)fault_key(
			p->load, both, "E312", "`http_get` needs `port` or `unix`, not both");
}

static const struct {
	int section;
	enum plan_probe_kind kind;
} kinds[] = {
	{PROBE_EXEC, PLAN_PROBE_EXEC},
	{PROBE_TCP, PLAN_PROBE_TCP},
	{PROBE_UNIX, PLAN_PROBE_UNIX},
	{PROBE_HTTP, PLAN_PROBE_HTTP},
	{PROBE_LOG, PLAN_PROBE_LOG},
	{PROBE_FILE, PLAN_PROBE_FILE},
};

static void kind_decode(const struct probing *p)
{
	struct node *whole = slot(p, 0), *first = NULL;
	bool is_named = false; /* be it by one so bad that it was complained about */
	struct diag *diag;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int section = kinds[i].section;
		const struct field *row = field_row((enum field_id)((int)p->base + section));
		struct node *node = slot(p, section);

		is_named |= node_find(p->load, whole, field_key(row)) != NULL;
		if (!node)
			continue;
		if (first) {
			diag = fault_key(p->load, node, "E312",
				"a probe is one of `%s` and `%s`", first->key, node->key);
			diag_note(p->load->diags, diag, first->key_at, "`%s` is here", first->key);
			continue;
		}
		first = node;
		p->probe->kind = kinds[i].kind;
		parts_check(p, section);
	}
	if (first || is_named)
		return;
	diag = fault_key(p->load, whole, "E312", "`%s` does not say what it tries", whole->key);
	diag_help(p->load->diags, diag,
		"give it `exec`, `tcp`, `unix`, `http_get`, `log` or `file`");
}

/* What would end a line or a word of the request early is never sent: such a probe could not pass. */
static void request_check(const struct probing *p)
{
	const struct {
		int row;
		const char *text;
	} parts[] = {{FIELD_STARTUP_HTTP_HOST - FIELD_STARTUP, p->probe->host},
		{FIELD_STARTUP_HTTP_PATH - FIELD_STARTUP, p->probe->path}};
	struct diag *diag;

	for (size_t i = 0; p->probe->kind == PLAN_PROBE_HTTP && i < 2; i++) {
		const char *s = parts[i].text;

		while (s && (unsigned char)*s > ' ' && *s != 0x7f)
			s++;
		if (!s || !*s || !slot(p, parts[i].row))
			continue;
		diag = fault(p->load, slot(p, parts[i].row), "E204",
			"`%s` has a blank or a control character, which no request can have",
			field_row((enum field_id)((int)p->base + parts[i].row))->face.name);
		if (i == 1)
			diag_help(p->load->diags, diag, "write %%20 for a blank");
	}
}

static void limits_check(const struct probing *p)
{
	const struct plan_probe *probe = p->probe;
	struct node *timeout = slot(p, PROBE_TIMEOUT), *success = slot(p, PROBE_SUCCESS);
	struct node *period = slot(p, PROBE_PERIOD);
	struct diag *diag;

	if (probe->kind == PLAN_PROBE_EXEC && probe->timeout_ns > probe->period_ns) {
		diag = fault(p->load,
			timeout          ? timeout
				: period ? period
					 : slot(p, 0),
			"E312", "the timeout of an `exec` probe is longer than its period");
		if (!timeout)
			diag_help(p->load->diags, diag,
				"it is 1s if not given: give a `timeout` that is no longer than the `period`");
	}
	if (probe->kind == PLAN_PROBE_LOG && p->base == FIELD_LIVENESS)
		(void)fault_key(p->load, slot(p, PROBE_LOG), "E312",
			"a line of output tells that something has begun, not that it is alive");
	if (success && probe->success_threshold != 1 && p->base != FIELD_READINESS)
		(void)fault(p->load, success, "E312",
			"only a `readiness_probe` may need more than one success");
}

void probes_decode(struct load *load, struct plan_rules *rules, const struct layer *layer)
{
	struct probing probings[] = {{load, layer, FIELD_STARTUP, &rules->startup},
		{load, layer, FIELD_READINESS, &rules->readiness},
		{load, layer, FIELD_LIVENESS, &rules->liveness}};
	size_t i;

	for (i = 0; i < 3; i++) {
		if (!slot(&probings[i], 0))
			continue;
		kind_decode(&probings[i]);
		request_check(&probings[i]);
		limits_check(&probings[i]);
	}
}
