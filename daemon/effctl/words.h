/* SPDX-License-Identifier: MIT */
/* effd's answers in words. */
#ifndef EFFCTL_WORDS_H
#define EFFCTL_WORDS_H

#include "base/text.h"
#include "effctl/command.h"
#include "effctl/grid.h"
#include "wire/json.h"

enum paint state_paint(const char *state);
/* A cause and those behind it: "exit 1", "SIGKILL", "stop requested by effctl (pid 7, uid 0)", "max restarts; because of
 * exit 1". Nothing for what is no cause. */
void add_cause(struct text *to, const struct json *cause);
/* What is worth knowing of a unit's state beside its name: when it is tried next, why it is so, how it ended last. */
void add_remark(struct text *to, const struct json *status);
void add_number(struct text *to, uint64_t number);
/* "3.2s", "5m12s", "3d4h": two units at most. */
void add_seconds(struct text *to, double seconds);
/* "1.5MiB". */
void add_bytes(struct text *to, double bytes);

/* Print, without the controls in it. */
void put_text(FILE *to, const char *text);
/* Print a piece of a line of output. A tab in it is one: what is indented or in columns is to be read. */
void put_line_part(FILE *to, const char *text);
/* Print the end of a line of output, and end it. A carriage return before the newline, as sshd(8) writes one, is part of that. */
void put_line_end(FILE *to, const char *text);
/* Print that nothing goes by this name, which is in the tree. */
void put_no_replicas(FILE *to, const char *name);
/* Nor by any of the names that were given. */
void put_units_have_none(const struct effctl *e, FILE *to);
/* Print a document; at a terminal in many lines, for people. put_json_line(): one of many, always on one line. */
enum code put_json(struct effctl *e, const struct json *document);
enum code put_json_line(struct effctl *e, const struct json *document);
enum code out_of_memory(struct effctl *e);
/* The same of file_absolute(), by errno. */
enum code no_folder(struct effctl *e);

#endif
