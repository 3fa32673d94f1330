/* SPDX-License-Identifier: MIT */
/* A YAML file that is no tree, read as a tree's files are: with places, aliases and merge keys resolved, and the same
 * bounds. Nothing here suspends or logs. */
#ifndef EFFD_PLAN_DOCUMENT_H
#define EFFD_PLAN_DOCUMENT_H

#include "plan/diag.h"
#include "plan/node.h"

struct document;

/* Read a text. `path` names it in places and stays the caller's. Returns 0 and a document; -EINVAL with what is wrong in
 * `diags`; -ENOMEM. An empty text is an error too. */
int document_read(const char *path, const char *bytes, size_t size, struct diags *diags,
	struct document **ret);
void document_free(struct document *document); /* NULL is fine */

/* Nodes belong to the document. */
struct node *document_root(const struct document *document);
struct node *document_find(const struct document *document, const struct node *map, const char *key);

#endif
