/* SPDX-License-Identifier: MIT */
/* libyaml, which is loaded while something is read and then let go: it is some 100 KiB of an effd that mostly reads nothing,
 * and a client that asks a running effd never does. */
#ifndef EFFD_LIBYAML_H
#define EFFD_LIBYAML_H

#include <yaml.h>

#define YAML_LIBRARY "libyaml-0.so.2"

struct libyaml {
	void *handle;
	typeof(yaml_parser_initialize) *parser_initialize;
	typeof(yaml_parser_delete) *parser_delete;
	typeof(yaml_parser_set_encoding) *parser_set_encoding;
	typeof(yaml_parser_set_input_string) *parser_set_input_string;
	typeof(yaml_parser_parse) *parser_parse;
	typeof(yaml_event_delete) *event_delete;
};

/* Blocks as files do. Returns NULL, or why it cannot be had: text of the C library's, until something else is loaded. */
const char *libyaml_open(struct libyaml *yaml);
/* NULL is fine. */
void libyaml_close(struct libyaml *yaml);

#endif
