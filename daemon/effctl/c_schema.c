/* SPDX-License-Identifier: MIT */
/* `effctl schema`: what a tree may be, for editors. Needs no effd. */
#include <stdlib.h>

#include "control/schema.h"
#include "effctl/command.h"
#include "effctl/words.h"

enum code c_schema(struct effctl *e)
{
	struct json *tree = schema_tree();
	char *text = tree ? json_print_pretty(tree) : NULL;

	json_free(tree);
	if (!text)
		return out_of_memory(e);
	(void)fputs(text, e->out);
	(void)fputc('\n', e->out);
	free(text);
	return CODE_DONE;
}
