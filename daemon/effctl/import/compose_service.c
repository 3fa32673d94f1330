/* SPDX-License-Identifier: MIT */
/* The settings of a service: each has a row. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "effctl/import/compose.h"

typedef const struct compose_taker *row;

static void as_text(struct compose *c, struct item *unit, struct node *value, row taker)
{
	const char *text = compose_text(c, value);

	if (text && *text)
		item_set(c->im, unit, taker->path, text);
}

static void as_duration(struct compose *c, struct item *unit, struct node *value, row taker)
{
	item_set(c->im, unit, taker->path, compose_duration(c, value));
}

static void as_later(struct compose *c, struct item *unit, struct node *value, row taker)
{
	const char *text = compose_text(c, value);

	if (text && *text)
		item_set_value(c->im, unit, taker->path, text);
}

static void take_signal(struct compose *c, struct item *unit, struct node *value, row taker)
{
	const char *text = compose_text(c, value);
	int number = text ? signal_parse(text) : -1;
	char buffer[16];

	if (number > 0)
		item_set(c->im, unit, taker->path,
			im_printf(c->im, "%s", signal_text(number, buffer)));
	else if (text)
		no_equal(c->im, "`%s` is no signal", text);
}

static void take_restart(struct compose *c, struct item *unit, struct node *value, row taker)
{
	const char *text = compose_text(c, value);
	const char *most = text ? strchr(text, ':') : NULL;
	size_t len = most ? (size_t)(most - text) : 0;
	bool always = text && (!strcmp(text, "always") || !strcmp(text, "unless-stopped"));

	if (!text || !strcmp(text, "no"))
		return;
	if (c->is_once && always)
		assumed(c->im, "others wait for its end: it is started again on failure alone");
	if (always) {
		item_set(c->im, unit, taker->path, c->is_once ? "on-failure" : "always");
	} else if (!strcmp(text, "on-failure") || (len == 10 && !strncmp(text, "on-failure", 10))) {
		item_set(c->im, unit, taker->path, "on-failure");
		if (most && most[1] && strlen(most + 1) < 8 &&
			strspn(most + 1, "0123456789") == strlen(most + 1))
			item_set_plain(c->im, unit, "restart.max_restarts",
				im_printf(c->im, "%ld", strtol(most + 1, NULL, 10)));
	} else {
		no_equal(c->im, "`%s` is no policy", text);
	}
}

/* How an environment has what effd's own may have. */
static void inherit(struct compose *c, struct item *unit, const char *name)
{
	static const char *const usual[] = {"PATH", "HOME", "LANG", "LC_*", "TZ", NULL};
	struct item *list = item_find(c->im, unit, "env_inherit");

	if (!list)
		item_add_words(c->im, unit, "env_inherit", usual);
	item_add(c->im, item_list(c->im, unit, "env_inherit"), name);
}

static void variable_set(struct compose *c, struct item *unit, const char *name, const char *text)
{
	if (!name)
		return;
	if (!*name || strchr(name, '='))
		no_equal(c->im, "`%s` is no name of a variable", name);
	else if (text)
		item_set_key(c->im, item_map(c->im, unit, "environment"), name, text);
	else
		inherit(c, unit, name);
}

static void take_environment(struct compose *c, struct item *unit, struct node *value, row taker)
{
	const char *text;
	const char *name;

	(void)taker;
	for (struct node *v = value->first; v && !c->im->failed; v = v->next) {
		compose_at(c, v, "environment");
		name = v->key;
		text = NULL;
		if (value->kind == NODE_LIST)
			name = compose_pair(c, v, &text);
		else if (!node_is_null(v) && !(text = compose_text(c, v)))
			continue;
		if (name)
			variable_set(c, unit, im_strndup(c->im, name, strlen(name)), text);
	}
}

static void take_labels(struct compose *c, struct item *unit, struct node *value, row taker)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-";

	(void)taker;
	for (struct node *v = value->first; v && !c->im->failed; v = v->next) {
		const char *text = NULL;
		const char *name = v->key;

		compose_at(c, v, "labels");
		if (value->kind == NODE_LIST)
			name = compose_pair(c, v, &text);
		else
			text = compose_text(c, v);
		if (!name || !*name || name[strspn(name, safe)])
			no_equal(c->im, "`%s` is no name of a label", name ? name : "");
		else
			item_set_key(c->im, item_map(c->im, unit, "labels"), name, text ? text : "");
	}
}

static void env_file_add(struct compose *c, struct item *unit, struct node *value)
{
	struct node *path = value->kind == NODE_MAP ? compose_get(c, value, "path") : value;
	const struct node *required = value->kind == NODE_MAP ? compose_get(c, value, "required")
							      : NULL;
	const char *text = path ? compose_text(c, path) : NULL;
	bool may_be_missing = required && !strcmp(required->text, "false");

	if (text && *text && *text != '?')
		item_add(c->im, item_list(c->im, unit, "env_file"),
			im_printf(c->im, "%s%s", may_be_missing ? "?" : "", text));
	else
		no_equal(c->im, "it names no file");
}

static void take_env_file(struct compose *c, struct item *unit, struct node *value, row taker)
{
	(void)taker;
	if (value->kind == NODE_SCALAR)
		env_file_add(c, unit, value);
	for (struct node *v = value->kind == NODE_LIST ? value->first : NULL; v; v = v->next)
		env_file_add(c, unit, v);
}

static void take_user(struct compose *c, struct item *unit, struct node *value, row taker)
{
	const char *text = compose_text(c, value);
	const char *colon = text && !strstr(text, "${") ? strchr(text, ':') : NULL;

	if (text && *text)
		item_set(c->im, unit, taker->path,
			colon ? im_strndup(c->im, text, (size_t)(colon - text)) : text);
	if (colon && colon[1])
		item_set(c->im, unit, "group", colon + 1);
}

static void take_working_dir(struct compose *c, struct item *unit, struct node *value, row taker)
{
	as_text(c, unit, value, taker);
	assumed(c->im, "that folder is one of this machine");
}

static void take_profiles(struct compose *c, struct item *unit, struct node *value, row taker)
{
	if (value->kind == NODE_LIST && !value->first)
		return;
	item_set(c->im, unit, taker->path, "manual");
	assumed(c->im, "a service of a profile is started by hand, or when another needs it");
}

static void take_scale(struct compose *c, struct item *unit, struct node *value, row taker)
{
	const char *text = compose_text(c, value);
	size_t n = text ? strlen(text) : 0;

	if (!n || n > 3 || strspn(text, "0123456789") != n || *text == '0')
		no_equal(c->im, "it is no number of processes from 1 to 999");
	else if (strcmp(text, "1") != 0)
		item_set_plain(c->im, unit, taker->path, text);
}

static void take_size(struct compose *c, struct item *unit, struct node *value, row taker)
{
	const char *text = compose_text(c, value);
	const char *size = text ? import_size_of(c->im, text) : NULL;

	if (size)
		item_set_value(c->im, unit, taker->path, size);
	else if (text)
		no_equal(c->im, "`%s` is no size", text);
}

/* A number; below 0 and `unlimited` are no limit. */
void compose_pids(struct compose *c, struct item *unit, struct node *value,
	const struct compose_taker *taker)
{
	const char *text = compose_text(c, value);
	size_t n = text ? strlen(text) : 0;

	(void)taker;
	if (n && n < 10 && strspn(text, "0123456789") == n && *text != '0')
		item_set_value(c->im, unit, "cgroup.pids_max", text);
	else if (n && *text != '-')
		no_equal(c->im, "`%s` is no number of processes", text);
}

/* "0.5": a share of one processor. */
void compose_cpus(struct compose *c, struct item *unit, struct node *value,
	const struct compose_taker *taker)
{
	const char *text = compose_text(c, value);
	char *end = NULL;
	double cpus = text && isdigit((unsigned char)*text) && strlen(text) < 10
		? strtod(text, &end)
		: 0;

	(void)taker;
	if (end && !*end && cpus >= 0.01 && cpus < 1000)
		item_set(c->im, unit, "cgroup.cpu_max", im_printf(c->im, "%.0f%%", cpus * 100));
	else if (text && (!end || *end || cpus != 0))
		no_equal(c->im, "`%s` is no number of processors", text);
}

static void take_groups(struct compose *c, struct item *unit, struct node *value, row taker)
{
	for (struct node *v = value->first; v && !c->im->failed; v = v->next) {
		const char *text = compose_text(c, v);

		if (text && *text)
			item_add(c->im, item_list(c->im, unit, taker->path), text);
	}
}

static void take_security(struct compose *c, struct item *unit, struct node *value, row taker)
{
	for (struct node *v = value->first; v && !c->im->failed; v = v->next) {
		if (!strcmp(v->text, "no-new-privileges:true") ||
			!strcmp(v->text, "no-new-privileges"))
			item_set_plain(c->im, unit, taker->path, "true");
		else if (strcmp(v->text, "no-new-privileges:false") != 0)
			no_equal(c->im, "`%s`: see `security`", v->text);
	}
}

static void take_limits(struct compose *c, struct item *unit, struct node *value, row taker)
{
	(void)taker;
	for (struct node *v = value->kind == NODE_MAP ? value->first : NULL; v; v = v->next) {
		struct node *soft = v->kind == NODE_MAP ? compose_get(c, v, "soft") : v;
		struct node *hard = v->kind == NODE_MAP ? compose_get(c, v, "hard") : NULL;
		const char *low, *high;

		compose_at(c, v, im_printf(c->im, "ulimits.%s", v->key));
		low = soft ? compose_text(c, soft) : NULL;
		high = hard ? compose_text(c, hard) : NULL;
		if (low && !strchr(v->key, '.'))
			limit_set(c->im, unit, v->key, low, high);
		else
			no_equal(c->im, "it has no value");
	}
}

static void take_nothing(struct compose *c, struct item *unit, struct node *value, row taker)
{
	/* Read with what it belongs to. */
	(void)c;
	(void)unit;
	(void)value;
	(void)taker;
}

static const struct compose_taker takers[] = {{"command", take_nothing, NULL, true},
	{"entrypoint", take_nothing, NULL, true}, {"environment", take_environment, NULL, false},
	{"env_file", take_env_file, NULL, false}, {"depends_on", compose_needs, NULL, true},
	{"restart", take_restart, "restart.policy", false},
	{"healthcheck", compose_health, NULL, false},
	{"stop_signal", take_signal, "stop.signal", false},
	{"stop_grace_period", as_duration, "stop.timeout", false},
	{"user", take_user, "user", false}, {"working_dir", take_working_dir, "working_dir", false},
	{"labels", take_labels, NULL, true}, {"profiles", take_profiles, "activate", false},
	{"scale", take_scale, "replicas", false}, {"deploy", compose_deploy, NULL, false},
	{"ulimits", take_limits, NULL, false}, {"mem_limit", take_size, "cgroup.memory_max", false},
	{"oom_score_adj", as_later, "priority.oom_score_adj", false},
	{"pids_limit", compose_pids, NULL, false}, {"cpus", compose_cpus, NULL, false},
	{"group_add", take_groups, "supplementary_groups", false},
	{"security_opt", take_security, "security.no_new_privileges", false},
	{"cap_add", NULL, "`security: {ambient: …}`: what it has without being root", false},
	{"cap_drop", NULL, "`security: {capabilities: …}`: all that it may have", false},
	{"privileged", NULL, "it has the rights of its user on this machine", false},
	{"read_only", NULL,
		"units see the files of this machine: `security: {read_only_paths: …}`", false},
	{"extra_hosts", NULL, "units see the network of this machine: its /etc/hosts", false},
	{"dns", NULL, "units see the network of this machine: its /etc/resolv.conf", false},
	{"devices", NULL, "units see the devices of this machine", false},
	{"image", NULL,
		"it runs on this machine, not in an image: what it needs must be installed here",
		false},
	{"build", NULL, "effd builds nothing: what it runs must be installed here", false},
	{"ports", NULL, "its program itself listens: at the port within the container", false},
	{"expose", NULL, "units see the network of this machine", false},
	{"volumes", NULL, "units see the files of this machine", false},
	{"tmpfs", NULL, "units see the files of this machine", false},
	{"configs", NULL, "units see the files of this machine", false},
	{"secrets", NULL, "an `env_file`, or a file that only its user may read", false},
	{"networks", NULL, "units see the network of this machine", false},
	{"network_mode", NULL, "units see the network of this machine", false},
	{"links", NULL, "units see the network of this machine: at 127.0.0.1", false},
	{"container_name", NULL, "there is no container", false},
	{"hostname", NULL, "units see the name of this machine", false},
	{"init", NULL, "effd itself reaps what units leave behind", false},
	{"logging", NULL, "`log: …`, and `effctl logs`", false},
	{"tty", NULL, "units have no terminal", false},
	{"stdin_open", NULL, "the standard input of units is /dev/null", false},
	{"pull_policy", NULL, "there is no image", false},
	{"platform", NULL, "there is no image", false}, {NULL, NULL, NULL, false}};

void compose_service(struct compose *c, struct item *unit, struct node *service)
{
	if (c->is_once && !c->is_outside) {
		item_set(c->im, unit, "type", "oneshot");
		assumed(c->im, "others wait for its end: it is a oneshot");
	}
	for (struct node *v = service->first; v && !c->im->failed; v = v->next) {
		row taker = takers;

		if (!strncmp(v->key, "x-", 2) || node_is_null(v))
			continue;
		while (taker->key && strcmp(taker->key, v->key) != 0)
			taker++;
		compose_at(c, v, im_strndup(c->im, v->key, strlen(v->key)));
		if (!taker->key)
			no_equal(c->im, "effd has no such setting");
		else if (c->is_outside && !taker->of_outside)
			continue; /* A matter of where it runs. */
		else if (taker->take)
			taker->take(c, unit, v, taker);
		else
			no_equal(c->im, "%s", taker->path);
	}
}
