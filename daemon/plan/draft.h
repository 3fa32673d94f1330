/* SPDX-License-Identifier: MIT */
/* A unit while it is being made: the steps from the root mapping to a checked tree, in their order. */
#ifndef EFFD_PLAN_DRAFT_H
#define EFFD_PLAN_DRAFT_H

#include "plan/layer.h"

#define UNITS_DEEP (TREE_MAX_DEPTH / 2 + 1) /* a level of units is two of mappings */

struct draft {
	struct node *map;          /* what the author wrote */
	struct node **nodes;       /* of each of the unit's values; the same order */
	const struct layer *below; /* of a supervisor: what its units inherit; NULL: nothing */
	bool is_broken;            /* what it is could not be made out; that was said */
	bool is_shared;            /* its mapping, or what is in it, may be others' too */
	struct node *template;     /* of a supervisor: what its children are made from; NULL */
};

/* An order between two units: `from` waits for `to`. */
enum edge_kind { EDGE_NEED, EDGE_AFTER, EDGE_BEFORE, EDGE_SEQUENCE };
struct edge {
	uint32_t from, to;
	enum edge_kind kind;
	bool until_started; /* not until it is up */
	bool told;          /* something was said of it, so it is in no cycle */
	struct plan_place at;
};

/* A unit names one that was added. */
struct naming {
	uint32_t named, by;
};

/* What decoding a tree works with. */
struct decoder {
	struct load *load;
	struct plan_unit preset;
	struct plan_rules rules;             /* of the unit that is being read */
	const struct plan_rules *kept_rules; /* the last ones: many units say the same */
	struct plan_ways ways;               /* likewise */
	const struct plan_ways *kept_ways;
	struct plan_process process; /* of the unit that is being read */
	bool has_process;            /* something of it was given */
	const struct plan_process *kept; /* the last one: many units are given the same by `defaults` */
	struct plan_value *values; /* of the unit that is being read: room for all fields */
	struct node **nodes;
	uint32_t n_values;
	struct layer layer; /* of the unit that is being read */
	struct layer made;  /* of its supervisor's template, and what that inherits */
	struct {
		struct node *next;
		uint32_t unit, last; /* the supervisor, and the child before `next` */
	} levels[UNITS_DEEP];
	uint32_t depth;
};

/* Units that follow each other: what a name stands for. `first` is PLAN_NONE where there is no such name. */
struct range {
	uint32_t first, n;
};

/* Pieces of decoding that the root and units share. */
uint32_t unit_add(struct decoder *decoder, struct node *map);
void slot_read(struct decoder *decoder, struct plan_unit *unit, enum field_id id, struct node *node);
void slots_read(struct decoder *decoder, struct plan_unit *unit, const struct layer *layer);
/* The filter of a process, from its calls. */
void filter_settle(struct load *load, struct plan_process *process, const struct layer *layer);
/* What of a supervisor depends on more than one field. */
void supervisor_settle(struct decoder *decoder, const struct layer *layer);
/* What the unit that has been read says stands apart; mostly it is what the one before it says. */
void rules_keep(struct decoder *decoder, struct plan_unit *unit);
struct node **values_keep(
	struct decoder *decoder, const struct plan_value **ret_values, uint32_t *ret_n);
void defaults_lay(struct decoder *decoder, uint32_t index, struct node *defaults,
	const struct layer *above);
void units_open(struct decoder *decoder, uint32_t index, struct node *units);
/* Reads one unit, from its mapping and what it inherits. */
void unit_decode(struct decoder *decoder, uint32_t index);
/* Reads all units of the supervisors that are open, and of those within. */
void units_decode(struct decoder *decoder);
/* ── template.c ── */
/* A template as a value of its supervisor. What it holds is read with each child; but that it has changed has to be seen
 * while there is none. */
void template_keep(struct decoder *decoder, struct node *template);
/* Opens the units of a supervisor, declared or added. Says what is wrong with its template, and whether the two fit its
 * strategy. */
void children_open(struct decoder *decoder, uint32_t index, const struct layer *layer);
/* What a unit of this name has from above: the template of its supervisor, if it has one, upon what that hands down. Valid
 * until the next unit's. */
const struct layer *template_layer(struct decoder *decoder, uint32_t supervisor, const char *unit);
/* Whether what templates name is there. */
void templates_check(struct load *load);
void root_decode(struct decoder *decoder, struct node *root);

/* The root mapping of a tree of one unit, which runs this command. NULL: out of memory. */
struct node *command_tree(struct load *load, plan_strv argv);
/* Every unit and its values, from the root mapping. */
void tree_decode(struct load *load, struct node *root);
/* What a unit is; `above` is what it inherits, NULL: nothing. What cannot be made out is told, and the draft is broken. */
enum plan_kind unit_kind(struct load *load, uint32_t index, const struct layer *above);
/* Keeps what of a process stands apart, if it has any. */
void process_settle(struct decoder *decoder, struct plan_unit *unit, const struct layer *layer);
/* Would this unit find it? Yes, when nobody can tell. */
bool program_is_there(struct load *load, const struct plan_unit *unit, const char *program);
/* Whether this machine has what the unit names in a field, where it starts, and who it is. */
void program_check(
	struct load *load, const struct plan_unit *unit, enum field_id field, plan_strv argv);
void folder_check(struct load *load, const struct plan_unit *unit);
void who_check(struct load *load, const struct plan_unit *unit);
/* Likewise of those who may use the control socket. */
void clients_check(struct load *load);
/* The code of what only root may grant: an error where effd is about to run, and is not root. */
const char *needs_root(const struct load *load);
/* Does this machine know the user or group of that node (NULL: none)? Else it is said. `ask`: which of the source's. */
void who_known(struct load *load, struct node *node, const char *name,
	bool (*const *ask)(void *context, const char *name));
/* Whether the terms of a process make sense, and are effd's to grant. */
void terms_check(struct load *load, const struct plan_unit *unit);
/* What a mapping says that it is; NULL: nothing. A second key that says something else is an error. */
struct node *kind_find(struct load *load, struct node *map, enum plan_kind *ret_kind);
/* Which of its probes a unit has, from its slots. */
void probes_decode(struct load *load, struct plan_rules *rules, const struct layer *layer);
/* The environment of every process. */
void environments_make(struct load *load);
/* What sockets and the units that have them make of each other. */
void sockets_check(struct load *load);

/* ── signals.c ── */
/* What signals do when nobody says anything. */
void signals_preset(struct plan_daemon *daemon);
/* Whom they are passed on to. */
void signals_resolve(struct load *load);

/* Names in depends_on, after, before, exit_code_from become indices, and all orders edges. */
void references_resolve(struct load *load);
/* What a name stands for, seen from a unit; from the root, what it stands for among its units. */
struct range units_find(const struct load *load, uint32_t from, const char *name);
/* Say that `node` names a unit that is not there, and which could be meant. */
void unit_unknown(struct load *load, struct node *node, const char *name);
/* The units that `node` names for `from`; none that it could `verb` ("wait for"): that was said. */
struct range reference_find(struct load *load, uint32_t from, struct node *node,
	const char *name, const char *verb);
/* Charges the tree for what `replicas` make of one reference; false: that is too much, and was said. */
bool replicas_charge(struct load *load, struct node *node, uint64_t nodes);
/* How many units a mapping of `units` makes; is it a unit that says `replicas`, if only by `defaults`? */
uint32_t replicas_read(
	struct load *load, struct node *node, const struct layer *above, bool *ret_numbered);
/* What all replicas of a unit would share and cannot. */
void replicas_check(struct load *load, const struct plan_unit *unit);
/* May `from` name these? Not from outside of where they were added. Else it is said. */
bool reference_lasts(struct load *load, uint32_t from, struct node *node, struct range others);
/* Who never runs beside whom, and whether that can be. */
void conflicts_resolve(struct load *load);
/* after, before and needed_by of all units, from the edges. */
void orders_make(struct load *load);
/* named_by of all units. */
void namings_make(struct load *load);
/* In rest_for_one, who depends on what comes after it. */
void rest_check(struct load *load);
/* Cycles of all that waits, and how long a stop may take. */
void cycles_check(struct load *load);
/* Intensities that the backoffs below never reach, or reach at once. */
void intensities_check(struct load *load);
/* Probes that notice too late, or ask somebody else. */
void probes_check(struct load *load);
/* What a built-in fiber was given that it does not take. */
void builtin_check(struct load *load, const struct plan_unit *unit);
/* Whether its program stays where effd sees it. */
void forks_check(struct load *load, const struct plan_unit *unit);
void shell_check(struct load *load, const struct plan_unit *unit);
/* Secrets that others may read. */
void secrets_check(struct load *load, const struct plan_unit *unit);
/* Whether the control socket is open to others. */
void socket_check(struct load *load);
/* What of a unit's `log` cannot be meant. */
void log_check(struct load *load, const struct plan_unit *unit);
/* What is well-formed but cannot be meant. */
void units_check(struct load *load);

/* Significant units, and supervisors that wait for such. */
void significant_check(struct load *load);

/* What a unit was given for a field, and where; NULL: nothing, nor by `defaults`. */
struct node *draft_node(const struct load *load, uint32_t unit, enum field_id id);
/* The same of the root's `daemon`. */
struct node *daemon_node(const struct load *load, enum field_id id);

#endif
