/* SPDX-License-Identifier: MIT */
/* The bytes of a file, judged before libyaml sees them, because it reads UTF-16 too and tells of the first bad byte without
 * a column; and the one question about them that comes up afterwards. */
#include <string.h>

#include "plan/load.h"

uint32_t file_tab_in_indent(const struct file *file, size_t line)
{
	const char *p = file->bytes, *end = file->bytes + file->size;
	uint32_t column = 1;

	for (; p && line > 0; line--) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p ? p + 1 : NULL;
	}
	for (; p && p < end && (*p == ' ' || *p == '\t'); p++, column++)
		if (*p == '\t')
			return column;
	return 0;
}

/* What libyaml shall not see: other encodings, controls, and %TAG (no tags here; their list is searched each time). */
bool file_is_text(struct load *load, const struct file *file)
{
	size_t valid = utf8_span(file->bytes, file->size), i;
	struct plan_place at = {file->path, 1, 1};
	unsigned char c;

	for (i = 0; i < file->size; i++) {
		c = (unsigned char)file->bytes[i];
		if (i == valid || (c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
			(void)fault_at(load, at, "E104",
				i == valid ? "not UTF-8: byte 0x%02x" : "a control character: 0x%02x",
				c);
			return false;
		}
		if (c == 0xef && i + 2 < file->size &&
			memcmp(file->bytes + i, "\xef\xbb\xbf", 3) == 0) {
			(void)fault_at(load, at, "E104", "a byte-order mark inside the text");
			return false;
		}
		if (c == '%' && at.column == 1 && i + 4 <= file->size &&
			memcmp(file->bytes + i, "%TAG", 4) == 0) {
			(void)fault_at(load, at, "E106", "tags are not supported");
			return false;
		}
		if (c == '\n')
			at = (struct plan_place){file->path, at.line + 1, 1};
		else if ((c & 0xc0) != 0x80)
			at.column++;
	}
	return true;
}
