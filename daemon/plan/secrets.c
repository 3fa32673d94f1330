/* SPDX-License-Identifier: MIT */
/* Secrets in files that others may read, and the control socket where others may come. */
#include <string.h>

#include "plan/draft.h"
#include "plan/env.h"

static bool sounds_secret(const char *name)
{
	static const char *const parts[] = {
		"PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "PRIVATE_KEY"};
	size_t len = strlen(name), i;

	if (len > 5 && strcmp(name + len - 5, "_FILE") == 0)
		return false;
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcasestr(name, parts[i]))
			return true;
	return false;
}

static void literals_check(struct load *load, const struct plan_unit *unit)
{
	struct node *map = draft_node(load, unit->index, FIELD_ENVIRONMENT), *node;
	struct diag *diag;

	for (node = map ? map->first : NULL; node; node = node->next) {
		if (!sounds_secret(node->key) || !node->text[0] || strstr(node->text, "${"))
			continue;
		diag = fault(load, node, "W407",
			"`%s` looks like a secret, and this file may be read by others", node->key);
		diag_help(load->diags, diag, "keep it in an `env_file` that only effd can read");
	}
}

static const struct plan_pair *secret_find(const struct env_pairs *env)
{
	uint32_t i;

	for (i = 0; env && i < env->n; i++)
		if (sounds_secret(env->pairs[i].name) && env->pairs[i].value[0])
			return &env->pairs[i];
	return NULL;
}

static void file_check(struct load *load, const struct plan_unit *unit, struct node *node)
{
	const struct plan_source *source = load->source;
	struct value value = {.load = load, .unit = unit->name};
	const char *path = node->kind == NODE_SCALAR ? value_fill(&value, node) : NULL;
	const struct plan_pair *secret;
	struct diag *diag;

	if (!path || !path[path[0] == '?'])
		return;
	secret = secret_find(env_file_read(load, node, path));
	path = secret ? path_from(load, node->at.file, path + (path[0] == '?')) : NULL;
	if (!path || !source->open_to_others(source->context, path))
		return;
	diag = fault(load, node, "W411",
		"anybody may read this file, and its `%s` looks like a secret", secret->name);
	diag_help(load->diags, diag, "run `chmod o-r %s`", path);
}

void secrets_check(struct load *load, const struct plan_unit *unit)
{
	struct node *files = draft_node(load, unit->index, FIELD_ENV_FILE), *item;

	literals_check(load, unit);
	if (!files || !load->source->open_to_others)
		return;
	if (files->kind != NODE_LIST)
		file_check(load, unit, files);
	for (item = files->kind == NODE_LIST ? files->first : NULL; item && !load->failed;
		item = item->next)
		file_check(load, unit, item);
}

/* Who may connect may not do anything yet; but who may do nothing has no business there. */
void socket_check(struct load *load)
{
	struct node *mode = daemon_node(load, FIELD_DAEMON_SOCKET_MODE);
	struct diag *diag;

	if (!mode || !(load->daemon->socket_mode & 0002) || load->daemon->n_readers)
		return;
	diag = fault(load, mode, "W411",
		"anybody may connect to the control socket, though none of them may do anything there");
	diag_help(load->diags, diag, "write \"%s\", or name in `readers` who may look",
		load->daemon->socket_group ? "0660" : "0600");
}
