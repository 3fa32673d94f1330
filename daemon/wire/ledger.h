/* SPDX-License-Identifier: MIT */
/* The status file beside the control socket: what each unit is, for who looks often, or has to know it while effd has no time
 * to answer. A head, then a record for each unit in the tree's order, all of one size; numbers as the machine has them. Who
 * maps or reads it takes a record by itself, and again when its check is wrong: it was being written. */
#ifndef EFFD_LEDGER_H
#define EFFD_LEDGER_H

#include <stddef.h>
#include <stdint.h>

/* Behind the socket's path. */
#define LEDGER_SUFFIX ".status"
#define LEDGER_MAGIC "effdst1\n"

enum { LEDGER_NAME_BYTES = 80 };

/* A check is the sum of the words of 64 bits behind it, each times its place counted from the end, where that is 1. */
struct ledger_head {
	char magic[8];
	uint64_t check;
	uint32_t is_over; /* 1: effd has ended, or another file is in this one's place; look there */
	uint32_t head_bytes, record_bytes, n_units;
	int32_t pid; /* effd's */
	uint32_t unused;
	uint64_t generation; /* another one: units are in other places */
	char version[16];    /* effd's; behind it zeros */
};

struct ledger_record {
	uint64_t check;
	uint32_t writes;  /* another number each time that it is written */
	int32_t pid;      /* 0: none */
	int64_t since_ns; /* of its state: of the wall clock, since 1970 */
	uint64_t starts, restarts;
	int16_t exit_code;   /* of its last end: -1 when it had none */
	uint8_t exit_signal; /* 0: none */
	uint8_t exit_cause;  /* 0: it has not ended yet; else 1 more than an enum cause_kind */
	uint8_t state;       /* enum unit_state */
	uint8_t kind;        /* enum plan_kind: process, fiber, supervisor */
	uint8_t health; /* enum unit_health: none, unknown, passing, failing; a supervisor has none here */
	uint8_t name_is_cut;          /* 1: it is longer than what is here */
	char name[LEDGER_NAME_BYTES]; /* ends with a NUL, behind it are zeros */
};

_Static_assert(sizeof(struct ledger_head) == 64, "is written as it is");
_Static_assert(sizeof(struct ledger_record) == 128, "is written as it is");

/* The check of either is right for what it is. */
void ledger_seal_head(struct ledger_head *head);
void ledger_seal(struct ledger_record *record);
void ledger_name(struct ledger_record *record, const char *name);

/* What was read. */
struct ledger {
	char *bytes; /* NULL: nothing */
	const struct ledger_head *head;
	const struct ledger_record *records; /* head->n_units of them */
};
/* Read one, whole. Returns 0; -EBADMSG: it is none, or of another effd; -ESTALE: it is over; -ENOENT and others of open(2);
 * -EPERM: it is somebody else's; -EAGAIN: it was being written each time; -ENOMEM. Does not suspend. */
int ledger_read(const char *path, struct ledger *ret);
void ledger_done(struct ledger *ledger);

#endif
