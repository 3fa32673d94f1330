/* SPDX-License-Identifier: MIT */
/* The settings of a service that are mappings of their own: its health, what it depends on, how it is deployed. */
#include <stdlib.h>
#include <string.h>

#include "effctl/import/compose.h"

/* ── healthcheck ── */

static eff_ns health_duration(
	struct compose *c, struct node *health, const char *key, eff_ns otherwise)
{
	struct node *node = compose_get(c, health, key);
	const char *text;
	eff_ns ns;

	if (!node)
		return otherwise;
	compose_at(c, node, im_printf(c->im, "healthcheck.%s", key));
	text = compose_duration(c, node);
	return text && duration_parse(text, &ns) == 0 && ns > 0 ? ns : otherwise;
}

static void health_test(struct compose *c, struct item *unit, struct node *test)
{
	static const char *const shell[] = {"/bin/sh", "-c", NULL};
	struct words_list words = {0};
	const char *path = "readiness_probe.exec.command";
	const char *text;

	compose_at(c, test, "healthcheck.test");
	if (test->kind == NODE_LIST && test->first && !strcmp(test->first->text, "CMD")) {
		for (struct node *v = test->first->next; v; v = v->next)
			words_push(c->im, &words, compose_text(c, v));
		if (words.n && *words.items[0])
			item_add_words(c->im, unit, path, words.items);
		return;
	}
	if (test->kind == NODE_LIST)
		test = test->first ? test->first->next : NULL;
	text = test ? compose_text(c, test) : NULL;
	if (!text)
		return;
	item_add_words(c->im, unit, path, shell);
	item_add(c->im, item_list(c->im, unit, path), text);
}

void compose_health(struct compose *c, struct item *unit, struct node *value,
	const struct compose_taker *taker)
{
	struct node *retries = compose_get(c, value, "retries");
	struct node *disable = compose_get(c, value, "disable");
	eff_ns period, timeout;
	char buffer[32];

	(void)taker;
	if (!compose_tells(c, value) || (disable && !strcmp(disable->text, "true")))
		return;
	health_test(c, unit, compose_get(c, value, "test"));
	if (!item_find(c->im, item_find(c->im, unit, "readiness_probe"), "exec"))
		return;
	period = health_duration(c, value, "interval", EFF_S(30));
	timeout = health_duration(c, value, "timeout", EFF_S(30));
	if (timeout > period) {
		assumed(c->im, "an attempt may take no longer than the interval");
		timeout = period;
	}
	item_set(c->im, unit, "readiness_probe.period",
		im_printf(c->im, "%s", duration_text(period, buffer)));
	item_set(c->im, unit, "readiness_probe.timeout",
		im_printf(c->im, "%s", duration_text(timeout, buffer)));
	if (retries && retries->kind == NODE_SCALAR && strlen(retries->text) < 6 &&
		*retries->text && strspn(retries->text, "0123456789") == strlen(retries->text) &&
		strtol(retries->text, NULL, 10) > 0)
		item_set_plain(c->im, unit, "readiness_probe.failure_threshold",
			im_printf(c->im, "%ld", strtol(retries->text, NULL, 10)));
	if (compose_get(c, value, "start_period")) {
		compose_at(c, compose_get(c, value, "start_period"), "healthcheck.start_period");
		assumed(c->im,
			"until it is first ready no failure counts: `start_timeout` bounds that");
	}
	if (compose_get(c, value, "start_interval")) {
		compose_at(c, compose_get(c, value, "start_interval"), "healthcheck.start_interval");
		no_equal(c->im,
			"until it is first ready effd tries after 100ms, doubling up to `period`");
	}
}

/* ── depends_on ── */

static const char *condition_of(struct compose *c, const struct node *other, const char *said)
{
	bool outside = other && !compose_get(c, other, "command") &&
		!compose_get(c, other, "entrypoint");
	bool tells = compose_has_health(c, other);

	/* What runs elsewhere is a matter of its readiness alone. */
	if (outside)
		return NULL;
	if (!strcmp(said, "service_completed_successfully"))
		return "completed_successfully";
	if (!strcmp(said, "service_healthy") && !tells)
		assumed(c->im,
			"nothing here says when it is healthy: it is waited for until it has started");
	if (!strcmp(said, "service_healthy"))
		return tells ? "ready" : "started";
	if (strcmp(said, "service_started") != 0)
		no_equal(c->im, "`%s` is no condition", said);
	return tells || table_get(&c->once, NULL, other ? other->key : "") ? "started" : NULL;
}

static void need_add(struct compose *c, struct item *needs, const char *name, struct node *need)
{
	const struct node *other = document_find(c->document, c->services, name);
	const struct node *said = need ? compose_get(c, need, "condition") : NULL;
	const struct node *required = need ? compose_get(c, need, "required") : NULL;
	const struct node *restart = need ? compose_get(c, need, "restart") : NULL;
	const char *condition = condition_of(c, other, said ? said->text : "service_started");
	struct item *entry = item_new(c->im, ITEM_MAP, im_strndup(c->im, name, strlen(name)));

	if (!entry)
		return;
	item_set(c->im, entry, "condition", condition);
	if (required && !strcmp(required->text, "false"))
		item_set_plain(c->im, entry, "required", "false");
	if (restart && !strcmp(restart->text, "true"))
		item_set_plain(c->im, entry, "restart", "true");
	item_put(c->im, needs, entry);
}

/* Without anything to say of each it is a list. */
static void needs_shorten(struct import *im, struct item *unit, const struct item *needs)
{
	struct item *list;

	for (const struct item *need = needs->first; need; need = need->next) {
		if (need->n) {
			item_put(im, unit, (struct item *)needs);
			return;
		}
	}
	list = item_list(im, unit, "depends_on");
	for (const struct item *need = needs->first; need && list; need = need->next) {
		item_add(im, list, need->key);
		if (list->last)
			list->last->line = need->line;
	}
}

void compose_needs(struct compose *c, struct item *unit, struct node *value,
	const struct compose_taker *taker)
{
	struct item *needs = item_new(c->im, ITEM_MAP, "depends_on");

	(void)taker;
	for (struct node *v = value->first; v && needs && !c->im->failed; v = v->next) {
		const char *name = v->key ? v->key : v->kind == NODE_SCALAR ? v->text : "";

		compose_at(c, v, "depends_on");
		if (item_find(c->im, needs, name))
			continue;
		if (*name && strcmp(name, c->im->unit) != 0)
			need_add(c, needs, name, v->key ? v : NULL);
		else
			no_equal(c->im, "`%s` is no other service", name);
	}
	if (needs && needs->n)
		needs_shorten(c->im, unit, needs);
}

/* ── deploy ── */

static void policy_take(struct compose *c, struct item *unit, struct node *policy)
{
	struct node *condition = compose_get(c, policy, "condition");
	struct node *most = compose_get(c, policy, "max_attempts");
	struct node *delay = compose_get(c, policy, "delay");
	const char *text = condition ? compose_text(c, condition) : "any";
	const char *wait = delay ? compose_duration(c, delay) : NULL;
	bool any = text && !strcmp(text, "any");

	if (any || (text && !strcmp(text, "on-failure")))
		item_set(c->im, unit, "restart.policy",
			any && !c->is_once ? "always" : "on-failure");
	else if (text && strcmp(text, "none") != 0)
		no_equal(c->im, "`%s` is no policy", text);
	if (most && most->kind == NODE_SCALAR && *most->text && strlen(most->text) < 8 &&
		strspn(most->text, "0123456789") == strlen(most->text))
		item_set_plain(c->im, unit, "restart.max_restarts",
			im_printf(c->im, "%ld", strtol(most->text, NULL, 10)));
	if (wait && strcmp(wait, "0") != 0) {
		item_set(c->im, unit, "restart.backoff.initial", wait);
		item_set(c->im, unit, "restart.backoff.max", wait);
	}
}

static void resources_take(struct compose *c, struct item *unit, struct node *resources)
{
	struct node *limits = compose_get(c, resources, "limits");
	struct node *memory = limits ? compose_get(c, limits, "memory") : NULL;
	const char *text = memory ? compose_text(c, memory) : NULL;
	const char *size = text ? import_size_of(c->im, text) : NULL;
	struct node *cpus = limits ? compose_get(c, limits, "cpus") : NULL;
	struct node *pids = limits ? compose_get(c, limits, "pids") : NULL;

	if (size)
		item_set_value(c->im, unit, "cgroup.memory_max", size);
	if (cpus)
		compose_cpus(c, unit, cpus, NULL);
	if (pids)
		compose_pids(c, unit, pids, NULL);
	for (struct node *v = limits && limits->kind == NODE_MAP ? limits->first : NULL; v;
		v = v->next) {
		if (v != memory && v != cpus && v != pids)
			no_equal(c->im, "`%s` is not taken over: see `cgroup`", v->key);
	}
}

void compose_deploy(struct compose *c, struct item *unit, struct node *value,
	const struct compose_taker *taker)
{
	(void)taker;
	for (struct node *v = value->kind == NODE_MAP ? value->first : NULL; v; v = v->next) {
		compose_at(c, v, im_printf(c->im, "deploy.%s", v->key));
		if (!strcmp(v->key, "replicas") && !node_is_null(v)) {
			if (v->kind == NODE_SCALAR && !strcmp(v->text, "1"))
				continue;
			if (v->kind == NODE_SCALAR && *v->text > '0' && strlen(v->text) < 4 &&
				strspn(v->text, "0123456789") == strlen(v->text))
				item_set_plain(c->im, unit, "replicas",
					im_strndup(c->im, v->text, strlen(v->text)));
			else
				no_equal(c->im, "it is no number of processes from 1 to 999");
		} else if (!strcmp(v->key, "resources")) {
			resources_take(c, unit, v);
		} else if (!strcmp(v->key, "restart_policy")) {
			policy_take(c, unit, v);
		} else {
			no_equal(c->im, "effd has no such setting");
		}
	}
}
