/* SPDX-License-Identifier: MIT */
/* Sockets. What systemd listens on becomes sockets of the root's, one for each address, and the service that the first who
 * comes starts is on demand. */
#include <stdlib.h>
#include <string.h>

#include "effctl/import/systemd.h"

struct listening {
	struct systemd *s;
	const struct systemd_unit *from;
	const struct setting *named; /* FileDescriptorName; NULL: not given */
	struct item *first; /* of its sockets, which follow each other; NULL: none yet */
	uint32_t n;
};

/* The last one that its [Socket] gives; NULL: none. */
static const struct setting *setting_of(const struct systemd_unit *from, const char *key)
{
	const struct setting *found = NULL;

	for (const struct section *section = from->first;
		section && section->file == from->first->file; section = section->next)
		for (const struct setting *v = section->first; v; v = v->next)
			if (!strcmp(section->name, "Socket") && !strcmp(v->key, key))
				found = v;
	return found;
}

/* "80", "127.0.0.1:80", "[::1]:80", "/run/x" in effd's words; NULL: it has none. */
static const char *address_of(struct import *im, const char *kind, const char *value)
{
	if (*value == '/')
		return !strcmp(kind, "tcp") ? im_printf(im, "unix:%s", value) : NULL;
	if (strspn(value, "0123456789") == strlen(value))
		return im_printf(im, "%s:*:%s", kind, value);
	return strchr(value, ':') && strchr("0123456789[", *value)
		? im_printf(im, "%s:%s", kind, value)
		: NULL;
}

static void take_listen(struct listening *l, const char *kind, const char *value)
{
	struct import *im = l->s->im;
	const char *address = address_of(im, kind, value),
		   *name = l->named ? l->named->value : l->from->stem;
	struct item *sockets, *socket = address ? item_new(im, ITEM_MAP, NULL) : NULL;

	if (!address)
		no_equal(im, "effd does not listen at `%s`", value);
	if (!socket)
		return;
	sockets = item_map(im, im->root, "sockets");
	if (++l->n == 2)
		assumed(im, "each address has a name of its own in LISTEN_FDNAMES: `%s-2` and so on",
			name);
	if (l->n > 1)
		name = im_printf(im, "%s-%u", name, l->n);
	socket->key = unit_name(im, sockets, name);
	item_set(im, socket, "listen", literal(im, address));
	item_put(im, sockets, socket);
	item_add(im, item_list(im, l->from->item, "sockets"), socket->key);
	if (!l->first)
		l->first = socket;
}

static bool is_unix(const struct import *im, const struct item *socket)
{
	const struct item *listen = item_find(im, socket, "listen");

	return listen && strncmp(listen->text, "unix:", 5) == 0;
}

/* What holds for each address of the unit that can have it. */
static void set_all(struct listening *l, const char *field, const char *value)
{
	struct import *im = l->s->im;
	bool of_files = !strcmp(field, "mode") || !strcmp(field, "user") || !strcmp(field, "group");

	for (struct item *socket = l->first; socket; socket = socket->next) {
		const struct item *listen = item_find(im, socket, "listen");
		bool is_udp = listen && strncmp(listen->text, "udp:", 4) == 0;

		if (!strcmp(field, "backlog") ? is_udp : is_unix(im, socket) != of_files)
			continue;
		if (!strcmp(field, "mode") || !strcmp(field, "user") || !strcmp(field, "group"))
			item_set(im, socket, field, value);
		else
			item_set_plain(im, socket, field, value);
	}
}

static void take_backlog(struct listening *l, const char *value)
{
	unsigned long n = strspn(value, "0123456789") == strlen(value) ? strtoul(value, NULL, 10)
								       : 0;

	if (n >= 1 && n <= 65535)
		set_all(l, "backlog", value);
	else
		no_equal(l->s->im, "effd takes 1 to 65535; it is 511");
}

static bool is_of_all(const char *key)
{
	static const char *const keys[] = {
		"Backlog", "SocketMode", "SocketUser", "SocketGroup", "ReusePort", NULL};
	size_t i = 0;

	while (keys[i] && strcmp(keys[i], key) != 0)
		i++;
	return keys[i];
}

/* The rest, when all addresses are known. What holds for all of them is said to each of them once. */
static void setting_take(struct listening *l, const struct setting *v)
{
	static const char *const known[] = {"Service", "Accept", "FileDescriptorName", NULL};
	struct import *im = l->s->im;

	if (is_of_all(v->key) && table_get(&im->table, l->from->first, v->key) != v)
		return;
	for (size_t i = 0; known[i]; i++)
		if (!strcmp(v->key, known[i]) || !strncmp(v->key, "Listen", 6))
			return;
	if (!strcmp(v->key, "Backlog"))
		take_backlog(l, v->value);
	else if (!strcmp(v->key, "SocketMode"))
		set_all(l, "mode", literal(im, v->value));
	else if (!strcmp(v->key, "SocketUser"))
		set_all(l, "user", literal(im, v->value));
	else if (!strcmp(v->key, "SocketGroup"))
		set_all(l, "group", literal(im, v->value));
	else if (!strcmp(v->key, "ReusePort") && truth(v->value) >= 0)
		set_all(l, "reuse_port", truth(v->value) ? "true" : "false");
	else if (strcmp(v->key, "RemoveOnStop") != 0 || truth(v->value) != 1)
		no_equal(im, "effd has no such setting");
}

/* Of each setting the last one holds. */
static void setting_note(struct listening *l, const struct setting *v)
{
	void **at = table_at(&l->s->im->table, l->from->first, v->key);

	if (at)
		*at = (void *)v;
	else
		l->s->im->failed = true;
}

/* Each setting of its [Socket]: first the addresses, then what holds for all of them. */
static void settings_take(struct listening *l, bool addresses)
{
	struct import *im = l->s->im;

	for (const struct section *section = l->from->first;
		section && section->file == l->from->first->file; section = section->next) {
		for (const struct setting *v = section->first; v && !im->failed; v = v->next) {
			if (strcmp(section->name, "Socket") != 0)
				continue;
			im->line = v->line;
			im->setting = v->key;
			if (addresses)
				setting_note(l, v);
			if (!addresses)
				setting_take(l, v);
			else if (!strcmp(v->key, "ListenStream") && *v->value)
				take_listen(l, "tcp", v->value);
			else if (!strcmp(v->key, "ListenDatagram") && *v->value)
				take_listen(l, "udp", v->value);
			else if (!strncmp(v->key, "Listen", 6))
				no_equal(im, "effd listens for streams and datagrams alone");
		}
	}
	im->line = 0;
	im->setting = NULL;
}

static struct systemd_unit *target_of(struct systemd *s, const struct systemd_unit *from)
{
	const struct setting *named = setting_of(from, "Service");
	const char *name = named ? named->value : im_printf(s->im, "%s.service", from->stem);
	struct systemd_unit *target = name ? table_get(&s->names, NULL, name) : NULL;

	if (target && target->item)
		return target;
	refused(s->im, "`%s`, which it starts, is not among these files", name ? name : "");
	return NULL;
}

void systemd_socket(struct systemd *s)
{
	const struct setting *accept = setting_of(s->unit, "Accept");
	struct systemd_unit *target = target_of(s, s->unit);
	struct listening l = {.s = s};

	if (!target)
		return;
	if (accept && truth(accept->value) > 0) {
		refused(s->im, "effd starts no process for each connection (`Accept=yes`)");
		return;
	}
	/* Its addresses are noted with the service that has them. */
	l.named = setting_of(s->unit, "FileDescriptorName");
	l.from = &(struct systemd_unit){
		.stem = s->unit->stem, .first = s->unit->first, .item = target->item};
	settings_take(&l, true);
	if (!l.first) {
		refused(s->im, "it has no address at which effd could listen");
		return;
	}
	settings_take(&l, false);
	target->by_socket = true;
}
