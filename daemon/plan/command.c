/* SPDX-License-Identifier: MIT */
/* The tree of `effd -- COMMAND ARGS…`, as if somebody had written it. */
#include <string.h>

#include "plan/draft.h"

/* A text as if it stood in a file, but exactly so. */
static struct node *scalar_new(struct load *load, const char *text)
{
	struct node *node = node_new(load, NODE_SCALAR, (struct plan_place){"", 0, 0});

	if (!node)
		return NULL;
	node->text = text;
	node->verbatim = node->quoted = true;
	return node;
}

static struct node *list_new(struct load *load, plan_strv items)
{
	struct node *list = node_new(load, NODE_LIST, (struct plan_place){"", 0, 0}), **tail;

	if (list)
		list->verbatim = true;
	for (tail = list ? &list->first : NULL; tail && *items; items++) {
		*tail = scalar_new(load, *items);
		tail = *tail ? &(*tail)->next : NULL;
	}
	return list;
}

static void map_put(struct load *load, struct node *map, const char *key, struct node *child)
{
	struct node **tail;

	if (!map || !child)
		return;
	for (tail = &map->first; *tail;)
		tail = &(*tail)->next;
	child->key = key;
	node_put(load, map, &tail, child);
}

/* "/usr/bin/[" has no letter that the name of a unit may have; then it is "command". */
static const char *name_of_command(struct load *load, const char *program)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	const char *slash = strrchr(program, '/'), *base = slash ? slash + 1 : program;
	size_t len;
	char *name;

	base += strspn(base, "_.-");
	len = strspn(base, chars);
	if (len == 0)
		return "command";
	name = arena_strndup(load->scratch, base, len < 63 ? len : 63);
	if (!name)
		load->failed = true;
	return name;
}

/* What people send to the first process of a container is meant for what it runs; there is nothing to reload. */
static struct node *signals_map(struct load *load, const char *name)
{
	static const char *const passed_on[] = {"HUP", "QUIT", "USR1", "USR2", "WINCH"};
	struct node *map = node_new(load, NODE_MAP, (struct plan_place){"", 0, 0});
	const char *forward = arena_printf(load->scratch, "forward:%s", name);

	if (!forward)
		load->failed = true;
	for (size_t i = 0; forward && i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
		map_put(load, map, passed_on[i], scalar_new(load, forward));
	return map;
}

/* version: 1, units: {NAME: {command: [...], restart: no, env_inherit: ["*"]}}, daemon: {exit_code_from: NAME, signals: …} */
struct node *command_tree(struct load *load, plan_strv argv)
{
	const struct plan_place nowhere = {"", 0, 0};
	struct node *root = node_new(load, NODE_MAP, nowhere),
		    *units = node_new(load, NODE_MAP, nowhere);
	struct node *unit = node_new(load, NODE_MAP, nowhere),
		    *daemon = node_new(load, NODE_MAP, nowhere);
	const char *const everything[] = {"*", NULL};
	const char *name = name_of_command(load, argv[0]);

	if (!root || !units || !unit || !daemon || !name)
		return NULL;
	map_put(load, unit, "command", list_new(load, argv));
	map_put(load, unit, "restart", scalar_new(load, "no"));
	map_put(load, unit, "env_inherit", list_new(load, everything));
	map_put(load, units, name, unit);
	map_put(load, daemon, "exit_code_from", scalar_new(load, name));
	map_put(load, daemon, "signals", signals_map(load, name));
	map_put(load, root, "version", scalar_new(load, "1"));
	map_put(load, root, "name", scalar_new(load, name));
	map_put(load, root, "daemon", daemon);
	map_put(load, root, "units", units);
	return load->failed ? NULL : root;
}
