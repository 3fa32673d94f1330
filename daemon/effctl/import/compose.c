/* SPDX-License-Identifier: MIT */
/* Compose files. A service becomes a process of this machine, run by the command that the file gives. One whose command only
 * its image knows runs elsewhere: with a published port it becomes a unit that is ready when the port answers, and others
 * can wait for that. */
#include <errno.h>
#include <string.h>

#include "effctl/import/compose.h"

bool compose_tells(const struct compose *c, const struct node *health)
{
	struct node *test = health ? compose_get(c, health, "test") : NULL;

	if (test && test->kind == NODE_LIST && test->first && !strcmp(test->first->text, "NONE"))
		return false;
	return test != NULL;
}

bool compose_has_health(const struct compose *c, const struct node *service)
{
	return compose_tells(c, compose_get(c, service, "healthcheck"));
}

/* Who is waited for to its end is no service that goes on. */
static void once_find(struct compose *c)
{
	for (struct node *service = c->services->first; service; service = service->next) {
		struct node *needs = compose_get(c, service, "depends_on");
		struct node *need = needs && needs->kind == NODE_MAP ? needs->first : NULL;

		for (; need && !c->im->failed; need = need->next) {
			const struct node *condition = compose_get(c, need, "condition");
			void **at;

			if (!condition ||
				strcmp(condition->text, "service_completed_successfully") != 0)
				continue;
			at = table_at(&c->once, NULL, need->key);
			if (at)
				*at = need;
			else
				c->im->failed = true;
		}
	}
}

/* Its command, from `entrypoint` and `command`; or the port by which it is seen from outside. */
static bool command_make(struct compose *c, struct item *unit, struct node *service)
{
	struct node *entry = compose_get(c, service, "entrypoint");
	struct node *command = compose_get(c, service, "command");
	struct words_list words = {0};
	const char *port = NULL;

	if (entry)
		compose_at(c, entry, "entrypoint");
	compose_words(c, entry, &words);
	if (command)
		compose_at(c, command, "command");
	compose_words(c, command, &words);
	compose_at(c, service, NULL);
	c->is_outside = !words.n || !*words.items[0];
	if (!c->is_outside) {
		item_add_words(c->im, unit, "command", words.items);
		return true;
	}
	if (!entry && !command)
		port = compose_port(c, service);
	if (!port) {
		refused(c->im,
			entry || command
				? "its command is empty"
				: "no `command`, and what its image would run is not known here; no published port either, by which one could wait for it");
		return false;
	}
	assumed(c->im,
		"it runs in its image, outside of effd: this unit is ready while port %s answers",
		port);
	item_set_plain(c->im, unit, "readiness_probe.tcp.port", port);
	return true;
}

static void service_take(struct compose *c, struct node *service)
{
	struct import *im = c->im;
	struct item *unit = item_new(im, ITEM_MAP, NULL);
	struct node *extends = compose_get(c, service, "extends");

	im->unit = im_strndup(im, service->key, strlen(service->key));
	compose_at(c, service, NULL);
	c->is_once = table_get(&c->once, NULL, service->key);
	if (!unit || im->failed)
		return;
	if (service->kind != NODE_MAP)
		refused(im, "a service is a mapping, and this is %s", node_kind_text(service));
	else if (extends)
		refused(im, "`extends` takes more than this file: `docker compose config` writes it out");
	else if (item_find(im, im->units, im->unit))
		refused(im, "a service of that name was in a file before: `docker compose config` merges them");
	else if (command_make(c, unit, service)) {
		compose_service(c, unit, service);
		compose_at(c, service, NULL);
		unit->key = unit_name(im, im->units, im->unit);
		item_put(im, im->units, unit);
		im->n_units++;
	}
	im->unit = im->setting = NULL;
}

static void whole_take(struct compose *c, struct node *root)
{
	static const struct taker others[] = {
		{"volumes", NULL, "units see the files of this machine"},
		{"networks", NULL, "units see the network of this machine"},
		{"configs", NULL, "units see the files of this machine"},
		{"secrets", NULL, "an `env_file`, or a file that only its user may read"},
		{"include", NULL, "name the files, too"}, {NULL, NULL, NULL}};

	for (struct node *node = root->first; node; node = node->next) {
		const struct taker *other = taker_find(others, node->key);

		compose_at(c, node, node->key);
		if (!strncmp(node->key, "x-", 2) || node == c->services ||
			!strcmp(node->key, "version"))
			continue;
		if (!strcmp(node->key, "name") && node->kind == NODE_SCALAR)
			item_set(c->im, c->im->root, "name", compose_text(c, node));
		else
			no_equal(c->im, "%s",
				other ? other->path : "nothing of Compose's that is known here");
	}
	c->im->setting = NULL;
}

static void document_take(struct compose *c)
{
	struct node *root = document_root(c->document);

	c->services = compose_get(c, root, "services");
	if (!c->services || c->services->kind != NODE_MAP) {
		c->im->line = c->services ? c->services->at.line : root->at.line;
		refused(c->im, "a Compose file has a mapping of `services`");
		return;
	}
	whole_take(c, root);
	once_find(c);
	for (struct node *service = c->services->first; service && !c->im->failed;
		service = service->next)
		if (strncmp(service->key, "x-", 2) != 0)
			service_take(c, service);
	table_done(&c->once);
}

void import_read_compose(struct import *im, const char *bytes, size_t size)
{
	struct compose c = {.im = im};
	struct diags *diags = diags_new();
	int r = diags ? document_read(im->file, bytes, size, diags, &c.document) : -ENOMEM;

	if (r == -ENOMEM)
		im->failed = true;
	for (uint32_t i = 0; r == -EINVAL && i < diags_count(diags); i++) {
		const struct diag *diag = diags_at(diags, i);

		im->line = diag->at.line;
		refused(im, "%s", diag->message);
	}
	if (r == 0)
		document_take(&c);
	document_free(c.document);
	diags_free(diags);
	im->line = 0;
}

/* A need of a service that is not there would be an error of the tree. */
static void needs_settle(struct import *im, struct item *unit)
{
	struct item *needs = item_find(im, unit, "depends_on");
	struct item **at = needs ? &needs->first : NULL;
	struct item *last = NULL;

	while (at && *at) {
		const char *name = (*at)->key ? (*at)->key : (*at)->text;

		if (item_find(im, im->units, name)) {
			last = *at;
			at = &(*at)->next;
			continue;
		}
		im->file = (*at)->file;
		im->line = (*at)->line;
		im->unit = unit->key;
		im->setting = "depends_on";
		assumed(im, "`%s` is not in the tree, and is not waited for", name);
		*at = (*at)->next;
		needs->n--;
	}
	if (needs)
		needs->last = last;
	if (needs && !needs->n)
		item_drop(im, unit, "depends_on");
}

void import_end_compose(struct import *im)
{
	for (struct item *unit = im->units ? im->units->first : NULL; unit; unit = unit->next)
		needs_settle(im, unit);
	im->line = 0;
	im->unit = im->setting = NULL;
	item_set(im, im->defaults, "restart.policy", "no");
}
