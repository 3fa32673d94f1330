/* SPDX-License-Identifier: MIT */
/* `effctl check`: reads a tree as effd would, and says everything that is wrong with it. Needs no effd. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "effctl/command.h"
#include "effctl/file.h"
#include "effctl/words.h"
#include "plan/diag.h"
#include "plan/plan.h"
#include "plan/source_files.h"

static struct json *related(const struct diag *diag)
{
	struct json *array = json_array();

	for (uint32_t i = 0; i < diag->n_notes; i++) {
		const struct diag_note *note = &diag->notes[i];
		struct json *one = json_object();

		(void)json_set(one, "file", json_text(note->at.file));
		(void)json_set(one, "line", json_int(note->at.line));
		(void)json_set(one, "column", json_int(note->at.column));
		(void)json_set(one, "message", json_text(note->text));
		(void)json_add(array, one);
	}
	return array;
}

static struct json *diagnostic(const struct diag *diag)
{
	struct json *one = json_object();

	(void)json_set(one, "code", json_text(diag->code));
	(void)json_set(one, "severity", json_text(diag->is_error ? "error" : "warning"));
	(void)json_set(one, "file", json_text(diag->at.file));
	(void)json_set(one, "line", json_int(diag->at.line));
	(void)json_set(one, "column", json_int(diag->at.column));
	(void)json_set(one, "message", json_text(diag->message));
	(void)json_set(one, "help", json_text(diag->help));
	(void)json_set(one, "related", related(diag));
	return one;
}

static enum code put_document(struct effctl *e, const struct diags *diags)
{
	struct json *document = json_object();
	struct json *array = json_array();
	enum code code;

	for (uint32_t i = 0; i < diags_count(diags); i++)
		(void)json_add(array, diagnostic(diags_at(diags, i)));
	(void)json_set(document, "diagnostics", array);
	code = put_json(e, document);
	json_free(document);
	return code;
}

static void put_count(struct effctl *e, const char *before, uint32_t n, const char *noun)
{
	(void)fprintf(e->out, "%s%u %s%s", before, n, noun, n == 1 ? "" : "s");
}

static void put_summary(
	struct effctl *e, const struct plan *plan, uint32_t n_errors, uint32_t n_warnings)
{
	put_text(e->out, e->before[0]);
	/* The root is no unit that anybody wrote. */
	if (plan)
		put_count(e, ": ", plan_n_units(plan) - 1, "unit");
	else
		put_count(e, ": ", n_errors, "error");
	put_count(e, ", ", n_warnings, "warning");
	(void)fputc('\n', e->out);
}

static enum code check(struct effctl *e, const char *path, struct diags *diags)
{
	struct plan_source source;
	struct plan *plan = NULL;
	uint32_t n_errors;
	uint32_t n_others;
	enum code code = CODE_DONE;

	source_files((plan_strv)environ, &source);
	source.only_checks = true;
	if (plan_load(path, &source, &plan, diags) == -ENOMEM)
		return out_of_memory(e);
	n_errors = diags_errors(diags);
	n_others = diags_warnings(diags);
	if (e->given[OPTION_JSON])
		code = put_document(e, diags);
	else
		diags_print(diags, e->out);
	if (!e->given[OPTION_JSON])
		put_summary(e, plan, n_errors, n_others);
	if (n_errors || (e->given[OPTION_STRICT] && n_others))
		code = CODE_FAILED;
	plan_unref(plan);
	return code;
}

enum code c_check(struct effctl *e)
{
	char *path = file_absolute(e->before[0]);
	struct diags *diags = path ? diags_new() : NULL;
	enum code code;

	if (!path)
		return no_folder(e);
	code = diags ? check(e, path, diags) : out_of_memory(e);
	diags_free(diags);
	free(path);
	return code;
}
