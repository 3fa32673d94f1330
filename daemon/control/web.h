/* SPDX-License-Identifier: MIT */
/* A small server of HTTP for what is asked of a tree by programs that know nothing else: GET and HEAD, one request a
 * connection, an answer of plain text. Whoever is slow or says too much is closed, and for one too many the one of whom nothing
 * has come for the longest. */
#ifndef EFFD_CONTROL_WEB_H
#define EFFD_CONTROL_WEB_H

#include <effd/fiber.h>

#include "base/text.h"
#include "tree/tree.h"

struct web_page {
	int status;
	const char *type; /* of its content; NULL: text/plain */
	struct text body;
};

/* Make the page of that path; a page of status 0 is not found. It may suspend: then units come and go. */
typedef void web_maker(struct tree *t, const char *path, struct web_page *page);
/* Listen at with.listen and answer, until it is cancelled. A story of a built-in fiber. Suspends. */
EFF_SUSPENDS eff_exit web_serve(struct effd_fiber *self, web_maker *make);

/* The built-in fibers `health` and `metrics`; NULL: it is none of them. */
eff_fn *web_fiber(const char *name);

#endif
