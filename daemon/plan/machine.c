/* SPDX-License-Identifier: MIT */
/* What a tree names and this machine does not have: programs, folders, users and groups; and as whom effd may run. */
#include <stdio.h>
#include <string.h>

#include "plan/draft.h"

/* Asked once of each name; `scope` says which question. */
static bool asked(struct load *load, const void *scope, const char *name, bool **ret_answer)
{
	char *key = arena_strdup(load->scratch, name);
	void **at = key ? table_at(&load->paths, scope, key) : NULL;
	bool *answer = at && !*at ? scratch_alloc(load, sizeof(*answer)) : NULL;

	if (!at || (!*at && !answer)) {
		load->failed = true;
		*ret_answer = NULL;
		return true;
	}
	*ret_answer = *at ? *at : answer;
	if (*at)
		return true;
	*at = answer;
	return false;
}

static const char *path_of(const struct plan_unit *unit)
{
	plan_strv entry = unit->environment;

	for (; entry && *entry; entry++)
		if (strncmp(*entry, "PATH=", 5) == 0)
			return *entry + 5;
	return PLAN_PATH;
}

bool program_is_there(struct load *load, const struct plan_unit *unit, const char *program)
{
	const struct plan_source *source = load->source;
	struct text key = {0};
	bool *found;

	if (!source->executable)
		return true;
	text_printf(&key, "%s:%s", program, strchr(program, '/') ? "" : path_of(unit));
	if (key.failed) {
		load->failed = true;
		return true;
	}
	if (!asked(load, &load->units, key.bytes, &found))
		*found = source->executable(source->context, program, path_of(unit));
	text_done(&key);
	return !found || *found;
}

/* The root that it sees, where that is another one; NULL. */
static const char *root_of(const struct plan_unit *unit)
{
	return unit->more ? unit->more->root_dir : NULL;
}

void program_check(
	struct load *load, const struct plan_unit *unit, enum field_id field, plan_strv argv)
{
	struct node *node = draft_node(load, unit->index, field);

	/* In another root links lead elsewhere than they do here. */
	if (node && argv && !root_of(unit) && !program_is_there(load, unit, argv[0]))
		(void)fault(load, node, "W404", "there is no executable program `%s` here",
			argv[0]);
}

void folder_check(struct load *load, const struct plan_unit *unit)
{
	const char *root = root_of(unit), *folder = root ? root : unit->working_dir;
	struct node *node = draft_node(load, unit->index, root ? FIELD_ROOT_DIR : FIELD_WORKING_DIR);
	const struct plan_source *source = load->source;
	bool *found;

	if (!source->folder || !node)
		return;
	if (!asked(load, &source->folder, folder, &found))
		*found = source->folder(source->context, folder);
	if (found && !*found)
		(void)fault(load, node, "W404", "there is no folder `%s` here", folder);
}

const char *needs_root(const struct load *load)
{
	return load->source->only_checks ? "W412" : "E220";
}

/* A user or a group that this machine does not know. */
void who_known(struct load *load, struct node *node, const char *name,
	bool (*const *ask)(void *context, const char *name))
{
	bool is_user = ask == &load->source->user, *found;
	const char *colon;
	struct diag *diag;

	if (!node || !*ask)
		return;
	if (!asked(load, ask, name, &found))
		*found = (*ask)(load->source->context, name);
	if (!found || *found)
		return;
	diag = fault(load, node, "W404", "there is no %s `%s` here", is_user ? "user" : "group",
		name);
	/* As Compose and chown(1) have it. */
	colon = is_user ? strchr(name, ':') : NULL;
	if (colon && colon > name && colon[1])
		diag_help(load->diags, diag, "write `user: %.*s` and `group: %s`",
			(int)(colon - name), name, colon + 1);
}

static void groups_check(struct load *load, const struct plan_unit *unit)
{
	struct node *node = draft_node(load, unit->index, FIELD_SUPPLEMENTARY_GROUPS), *item;
	plan_strv group = node ? unit->more->groups : NULL;

	if (node && !load->source->privileged)
		(void)fault_key(load, node, needs_root(load),
			"only root may give a process further groups");
	item = node && node->kind == NODE_LIST ? node->first : node;
	for (; group && *group && item; group++, item = item->next)
		who_known(load, item, *group, &load->source->group);
}

void who_check(struct load *load, const struct plan_unit *unit)
{
	const struct plan_source *source = load->source;
	struct node *user = draft_node(load, unit->index, FIELD_USER),
		    *group = draft_node(load, unit->index, FIELD_GROUP);
	bool may = source->privileged || (!user && !group);
	char own[16];

	groups_check(load, unit);
	who_known(load, user, unit->user, &source->user);
	who_known(load, group, unit->group, &source->group);
	(void)snprintf(own, sizeof(own), "%u", (unsigned)source->uid);
	if (!may && source->may_run_as)
		may = source->may_run_as(source->context, unit->user, unit->group);
	else if (!may && !group)
		may = strcmp(unit->user, own) == 0;
	if (!may)
		(void)fault_key(load, user ? user : group, needs_root(load),
			"only root may start a process as another %s", user ? "user" : "group");
}

void clients_check(struct load *load)
{
	struct node *readers = daemon_node(load, FIELD_DAEMON_READERS), *item = readers;
	const struct plan_daemon *daemon = load->daemon;

	who_known(load, daemon_node(load, FIELD_DAEMON_SOCKET_GROUP), daemon->socket_group,
		&load->source->group);
	if (readers && readers->kind == NODE_LIST)
		item = readers->first;
	for (uint32_t i = 0; i < daemon->n_readers && item; i++, item = item->next) {
		const char *name = daemon->readers[i].name;
		bool is_group = name[0] == '@';

		who_known(load, item, name + is_group,
			is_group ? &load->source->group : &load->source->user);
	}
}
