/* SPDX-License-Identifier: MIT */
/* Sockets that effd opens for units: the root says what they are, units name them. */
#include <errno.h>
#include <string.h>

#include "base/endpoint.h"
#include "plan/draft.h"
#include "plan/suggest.h"

#define SOCKETS_MOST 200

enum {
	SOCKET_FIELDS_FROM = FIELD_SOCKET_LISTEN,
	SOCKET_FIELDS_TO = FIELD_SOCKET_REUSE_PORT,
	NAME_MOST = 63
};

static const char listen_help[] = "write tcp:127.0.0.1:8080, tcp:*:8080 (every address), udp:127.0.0.1:53 or "
				  "unix:/run/x.sock";

static const char define_help[] = "`sockets: {NAME: {listen: tcp:127.0.0.1:8080}}`";

static bool kind_is_wrong(struct value *value, struct node *node, const char *wanted)
{
	struct diag *diag = fault(value->load, node, "E204", "`%s` needs %s, and this is %s",
		value->field->face.name, wanted, node_kind_text(node));

	if (strcmp(value->unit, "/") == 0)
		diag_help(value->load->diags, diag, "write %s", define_help);
	advise_form(value->load, diag, value->field);
	return false;
}

/* ── what they are ── */

bool read_listen(struct value *value)
{
	struct load *load = value->load;
	const char *text = value->filled;
	struct endpoint endpoint;
	struct diag *diag = NULL;
	int r;

	if (strncmp(text, "unix:@", 6) == 0) {
		diag = fault(load, value->node, "E204",
			"`%s`: no mode guards an abstract socket, and other containers may reach it",
			text);
		diag_help(load->diags, diag, "write unix:/run/%s", text + 6);
		return false;
	}
	text = address_from(load, value->node->at.file, text);
	if (!text)
		return false;
	r = endpoint_parse_any(text, &endpoint);
	if (r == 0 && !endpoint_is_open(&endpoint)) {
		*(const char **)value->to = text;
		text_add(&value->text, text);
		return true;
	}
	diag = fault(load, value->node, "E204",
		r == -ENAMETOOLONG ? "`%s`: a socket's path is too long"
				   : "`%s` is no address to listen on",
		value->filled);
	diag_help(load->diags, diag, "%s", listen_help);
	return false;
}

/* Does a socket of this kind have such a thing? Only a file has a mode and an owner, and only who accepts a backlog. */
static bool field_fits(enum field_id id, const char *listen)
{
	if (id == FIELD_SOCKET_MODE || id == FIELD_SOCKET_USER || id == FIELD_SOCKET_GROUP)
		return strncmp(listen, "unix:", 5) == 0;
	if (id == FIELD_SOCKET_BACKLOG)
		return strncmp(listen, "udp:", 4) != 0;
	return id != FIELD_SOCKET_REUSE_PORT || strncmp(listen, "unix:", 5) != 0;
}

static void field_read(struct load *load, enum field_id id, struct node *node, struct plan_socket *s)
{
	const struct field *row = field_row(id);
	struct node preset = {.kind = NODE_SCALAR, .quoted = true, .verbatim = true};
	struct value value = {.load = load, .field = row, .node = node, .unit = "/"};

	if (!node && !row->face.preset)
		return;
	preset.text = row->face.preset;
	value.node = node ? node : &preset;
	value.to = (char *)s + row->offset;
	if (node && node_is_null(node))
		advise_form(load,
			fault_key(load, node, "E204", "`%s` has no value", row->face.name), row);
	else
		(void)value_read(&value);
	value_done(&value);
	if (node && s->listen && !field_fits(id, s->listen))
		(void)fault_key(load, node, "E218", "`%s` is not for a %.*s socket", node->key,
			(int)strcspn(s->listen, ":"), s->listen);
}

static void who_checked(struct load *load, struct node *map, const struct plan_socket *s)
{
	struct node *user = node_find(load, map, "user"), *group = node_find(load, map, "group");

	if ((user || group) && !load->source->privileged)
		(void)fault_key(load, user ? user : group, "E220",
			"only root may give a socket to another %s", user ? "user" : "group");
	who_known(load, user, s->user, &load->source->user);
	who_known(load, group, s->group, &load->source->group);
}

static void socket_define(struct load *load, struct node *map, struct plan_socket *s)
{
	struct node *given[SOCKET_FIELDS_TO - SOCKET_FIELDS_FROM + 1] = {0}, *child;

	*s = (struct plan_socket){.name = keep_strdup(load, map->key), .at = map->key_at};
	if (map->kind != NODE_MAP) {
		diag_help(load->diags,
			fault(load, map, "E204", "a socket is a mapping, and this is %s",
				node_kind_text(map)),
			"write `%s: {listen: tcp:127.0.0.1:8080}`", map->key);
		return;
	}
	for (child = map->first; child; child = child->next) {
		const struct field *row = field_find(load, field_row(FIELD_SOCKETS), child->key);

		if (row)
			given[field_id(row) - SOCKET_FIELDS_FROM] = child;
		else if (strncmp(child->key, "x-", 2) != 0)
			key_unknown(load, child, field_row(FIELD_SOCKETS), ROOT);
	}
	for (int id = SOCKET_FIELDS_FROM; id <= SOCKET_FIELDS_TO; id++)
		field_read(load, (enum field_id)id, given[id - SOCKET_FIELDS_FROM], s);
	if (!given[0])
		diag_help(load->diags,
			fault_key(load, map, "E203", "`%s` needs `listen`", map->key), "%s",
			listen_help);
	who_checked(load, map, s);
}

static bool is_name(const char *key)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	size_t len = strlen(key);

	return len >= 1 && len <= NAME_MOST && strspn(key, chars) == len && !strchr("_.-", key[0]);
}

static void name_checked(struct load *load, const struct node *node)
{
	if (is_name(node->key))
		return;
	diag_help(load->diags,
		fault_key(load, (struct node *)node, "E213",
			"`%s` cannot be the name of a socket", node->key),
		"a name begins with a letter or a digit and has at most %d of A-Z a-z 0-9 _ . -",
		NAME_MOST);
}

/* Names of sockets, and their addresses, in the table of paths: each scope is the member that it is about. */
static void **socket_at(struct load *load, const void *scope, const char *text)
{
	void **at = text ? table_at(&load->paths, scope, text) : NULL;

	if (text && !at)
		load->failed = true;
	return at;
}

/* Those that say the address of one before: only where others may have it too. */
static void address_note(struct load *load, struct plan_socket *s)
{
	void **at = socket_at(load, &load->n_sockets, s->listen);
	const struct plan_socket *other = at ? *at : NULL;

	if (at && !other)
		*at = s;
	if (!other || (s->reuse_port && other->reuse_port))
		return;
	diag_note(load->diags,
		fault_at(load, s->at, "E310", "`%s` listens at %s, and so does `%s`", s->name,
			s->listen, other->name),
		other->at, "`%s` is here", other->name);
}

static void socket_note(struct load *load, struct plan_socket *s)
{
	void **at = socket_at(load, &load->sockets, s->name);

	if (at)
		*at = s;
	address_note(load, s);
}

static bool sockets_define(struct value *value)
{
	struct load *load = value->load;
	struct node *map = value->node, *child;

	if (map->kind != NODE_MAP)
		return kind_is_wrong(value, map, "a mapping of names");
	load->sockets = keep_alloc(load, map->n * sizeof(*load->sockets));
	for (child = map->first; child && load->sockets; child = child->next) {
		struct plan_socket *s = &load->sockets[load->n_sockets];

		if (strncmp(child->key, "x-", 2) == 0)
			continue;
		name_checked(load, child);
		socket_define(load, child, s);
		socket_note(load, s);
		load->n_sockets++;
	}
	return !load->failed && canonical_node(value, map);
}

/* ── who has them ── */

static const struct plan_socket *socket_named(struct value *value, struct node *node)
{
	struct load *load = value->load;
	const char *name = value_fill(value, node);
	const struct plan_socket *s = name ? table_get(&load->paths, &load->sockets, name) : NULL;
	struct nearest nearest = {.wanted = name};
	struct diag *diag;

	if (s || !name)
		return s;
	diag = fault(load, node, "E310", "there is no socket `%s`", name);
	for (uint32_t i = 0; i < load->n_sockets && load_may_suggest(load); i++)
		nearest_offer(&nearest, load->sockets[i].name);
	if (nearest.best)
		diag_help(load->diags, diag, "did you mean `%s`?", nearest.best);
	else if (!is_name(name))
		diag_help(load->diags, diag,
			"here stands the name that an address has at the root: %s", define_help);
	else
		diag_help(load->diags, diag,
			"say what it is at the root: `sockets: {%s: {listen: …}}`", name);
	return NULL;
}

/* The one that a list or a single name says next; NULL: said why. */
static const struct plan_socket *name_read(
	struct value *value, struct node *node, const struct plan_socket *const *before)
{
	const struct plan_socket *s;

	if (node->kind != NODE_SCALAR || node_is_null(node)) {
		(void)kind_is_wrong(value, node, "names of sockets in its list");
		return NULL;
	}
	s = socket_named(value, node);
	for (; s && *before; before++)
		if (*before == s)
			(void)fault(value->load, node, "E310", "`%s` stands here twice", s->name);
	return s;
}

/* Names in their order, which is that of the descriptors. */
static bool sockets_name(struct value *value)
{
	struct node *list = value->node, *node = list->kind == NODE_LIST ? list->first : list, *item;
	const struct plan_socket **all;
	uint32_t n = 0;

	if (list->kind == NODE_MAP)
		return kind_is_wrong(value, list, "names of sockets");
	for (item = node; item && item != list; item = item->next)
		n++;
	if (n > SOCKETS_MOST) {
		(void)fault(value->load, list, "E209", "a unit has at most %d sockets",
			SOCKETS_MOST);
		return false;
	}
	all = keep_alloc(value->load, (n + 2) * sizeof(struct plan_socket *));
	text_add(&value->text, "[");
	for (n = 0; all && node; node = list->kind == NODE_LIST ? node->next : NULL) {
		all[n] = name_read(value, node, all);
		if (!all[n])
			return false;
		text_printf(&value->text, "%s%s", n ? ", " : "", all[n]->name);
		n++;
	}
	text_add(&value->text, "]");
	*(const struct plan_socket *const **)value->to = n ? all : NULL;
	return all;
}

bool read_sockets(struct value *value)
{
	return strcmp(value->unit, "/") == 0 ? sockets_define(value) : sockets_name(value);
}

static bool texts_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

bool plan_socket_equals(const struct plan_socket *a, const struct plan_socket *b)
{
	return texts_equal(a->name, b->name) && texts_equal(a->listen, b->listen) &&
		a->backlog == b->backlog && a->mode == b->mode && texts_equal(a->user, b->user) &&
		texts_equal(a->group, b->group) && a->reuse_port == b->reuse_port;
}

/* ── what does not go together ── */

static void descriptor_check(struct load *load, const struct plan_unit *unit, uint32_t n)
{
	struct node *node = draft_node(load, unit->index, FIELD_NOTIFY_FD);

	if (unit->type != PLAN_NOTIFY_FD || unit->ways->notify_fd >= n + 3)
		return;
	if (!node)
		node = draft_node(load, unit->index, FIELD_TYPE);
	diag_help(load->diags,
		fault(load, node, "E209", "`notify_fd` %u is the descriptor of a socket: `%s`",
			unit->ways->notify_fd, unit->name),
		"write `notify_fd: %u`, which tells the program", n + 3);
}

/* A socket is one unit's, with all its replicas; one that never runs takes none away. */
static void owner_check(struct load *load, const struct plan_unit *unit, const struct plan_socket *s)
{
	struct plan_socket *own = &load->sockets[s - load->sockets];
	const struct plan_unit *other = own->owner == PLAN_NONE ? NULL : &load->units[own->owner];

	if (!other) {
		own->owner = unit->index;
		return;
	}
	if (s->reuse_port || (unit->stem && other->stem && strcmp(unit->stem, other->stem) == 0))
		return;
	diag_help(load->diags,
		fault(load, draft_node(load, unit->index, FIELD_SOCKETS), "E310",
			"`%s` and `%s` both have the socket `%s`", other->name, unit->name, s->name),
		"say `reuse_port: true` of it, if each is to take some of what comes");
}

void sockets_check(struct load *load)
{
	for (uint32_t i = 0; i < load->n_sockets; i++)
		load->sockets[i].owner = PLAN_NONE;
	for (uint32_t i = 1; i < load->n_units && !load->failed; i++) {
		const struct plan_unit *unit = &load->units[i];
		const struct plan_socket *const *s = plan_unit_sockets(unit);
		uint32_t n = 0;

		for (; s && s[n] && unit->enabled; n++)
			owner_check(load, unit, s[n]);
		if (n)
			descriptor_check(load, unit, n);
	}
}
