/* SPDX-License-Identifier: MIT */
/* Varlink's framing: a message is the text of one JSON object and a NUL. A frame_in takes bytes as they come and gives
 * whole messages, a frame_out takes messages and gives bytes as they can be sent. Both are memory alone: who reads and
 * writes is the caller's. Every byte is looked at once and moved at most a few times, however it comes in pieces.
 * Nothing here suspends or logs. */
#ifndef EFFD_FRAME_H
#define EFFD_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#define FRAME_LIMIT ((size_t)1 << 20) /* of a request */

struct json;
struct text;

struct frame_in {
	char *bytes;
	size_t room, start, seen, end; /* [start, end) is held, [start, seen) has no NUL */
	size_t limit;
};

void frame_in_init(struct frame_in *in, size_t limit); /* limit: the longest message, without its NUL */
void frame_in_done(struct frame_in *in);
/* Where the next bytes go: read(2) up to *ret_size (at least 1) into *ret_bytes, then say how many came. Messages given
 * before are gone after it. Returns 0, or -ENOMEM, or -ENOBUFS while more than twice the limit waits to be taken. */
int frame_in_room(struct frame_in *in, char **ret_bytes, size_t *ret_size);
void frame_in_came(struct frame_in *in, size_t n);
/* Take the next whole message, NUL-terminated; it stays valid until frame_in_room(). Returns 1; 0 when there is no whole
 * one yet; -EMSGSIZE, now and ever after, when the next is longer than the limit. */
int frame_in_next(struct frame_in *in, char **ret_text, size_t *ret_len);
bool frame_in_is_partial(const struct frame_in *in); /* something has begun and is not taken */

struct frame_out {
	char *bytes;
	size_t room, start, end; /* [start, end) is to be sent */
};

/* {0} is an empty one. */
void frame_out_done(struct frame_out *out);
/* Add one message; it stays the caller's. Returns 0, or -ENOMEM (also of a message that does not print). No bound of its
 * own: ask frame_out_pending() before. */
int frame_out_add(struct frame_out *out, const struct json *message);
int frame_out_add_text(struct frame_out *out, const char *text); /* one that is printed already */
int frame_out_take(struct frame_out *out, struct text *text); /* likewise; what it holds is taken */
/* An empty text for that, which has the room that nothing is in now. */
struct text frame_out_lend(struct frame_out *out);
size_t frame_out_pending(const struct frame_out *out);    /* bytes not sent yet */
const char *frame_out_bytes(const struct frame_out *out); /* the first of them */
void frame_out_sent(struct frame_out *out, size_t n);

#endif
