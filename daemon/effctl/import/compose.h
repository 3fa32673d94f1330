/* SPDX-License-Identifier: MIT */
/* A Compose file while it is read: its nodes, and what its values are in effd's language. */
#ifndef EFFCTL_IMPORT_COMPOSE_H
#define EFFCTL_IMPORT_COMPOSE_H

#include "effctl/import/import.h"
#include "plan/document.h"

struct compose {
	struct import *im;
	struct document *document;
	struct node *services;
	struct table once; /* (NULL, name): a service that others wait for the end of */
	bool is_outside; /* the service runs elsewhere, and only its readiness is a matter of effd's */
	bool is_once;
};

/* What of a service has an equal, and where. `path`: the field; with no function, why there is none. */
struct compose_taker {
	const char *key;
	void (*take)(struct compose *c, struct item *unit, struct node *value,
		const struct compose_taker *taker);
	const char *path;
	bool of_outside; /* of a service that runs elsewhere, too */
};

struct node *compose_get(const struct compose *c, const struct node *map, const char *key);
/* From here on notes are about this node. */
void compose_at(struct compose *c, const struct node *node, const char *setting);
/* A value with its variables in effd's language; NULL: it is none, or has what effd has not, which was said. */
const char *compose_text(struct compose *c, struct node *value);
/* A command: a text that is split, or a list; added to `words`. */
void compose_words(struct compose *c, struct node *value, struct words_list *words);
/* A duration as Go has them; NULL: it is none, which was said. */
const char *compose_duration(struct compose *c, struct node *value);
/* The port of this machine that a service publishes first; NULL: none. */
const char *compose_port(struct compose *c, struct node *service);
/* A `NAME=VALUE` of a list, in two: the value is NULL without the `=`. */
const char *compose_pair(struct compose *c, struct node *item, const char **ret_value);

/* Whether a service says how its health is told. */
bool compose_tells(const struct compose *c, const struct node *health);
bool compose_has_health(const struct compose *c, const struct node *service);

/* All settings of a service but its command. */
void compose_service(struct compose *c, struct item *unit, struct node *service);
void compose_health(struct compose *c, struct item *unit, struct node *value,
	const struct compose_taker *taker);
void compose_needs(struct compose *c, struct item *unit, struct node *value,
	const struct compose_taker *taker);
void compose_deploy(struct compose *c, struct item *unit, struct node *value,
	const struct compose_taker *taker);
/* Limits of its control group, which stand at the service or below `deploy`. */
void compose_pids(struct compose *c, struct item *unit, struct node *value,
	const struct compose_taker *taker);
void compose_cpus(struct compose *c, struct item *unit, struct node *value,
	const struct compose_taker *taker);

#endif
