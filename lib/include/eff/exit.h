/* SPDX-License-Identifier: MIT */
/* An exit: how an effect or a fiber ended, as a value of three words.
 *
 * OK carries a value; FAIL is an expected failure with a code; DIE is a defect (a signal, a broken promise); INTERRUPT
 * is an end that somebody asked for. Texts and further causes hang behind it, counted by reference: an exit that was
 * made with a text, or that eff_await() returned, is the holder's to give on or to drop. Dropping one without is fine. */
#ifndef EFF_EXIT_H
#define EFF_EXIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eff/api.h>

enum eff_tag { EFF_OK, EFF_FAIL, EFF_DIE, EFF_INTERRUPT };

struct eff_note;

typedef struct eff_exit {
	enum eff_tag tag;
	int code; /* of FAIL: never 0; else 0 */
	union {
		void *pointer;
		int64_t number;
	} value;                /* of OK */
	struct eff_note *notes; /* texts, and what else went wrong, first things first; NULL: none */
} eff_exit;

static inline eff_exit eff_ok(void *pointer)
{
	return (eff_exit){.tag = EFF_OK, .value.pointer = pointer};
}

static inline eff_exit eff_ok_number(int64_t number)
{
	return (eff_exit){.tag = EFF_OK, .value.number = number};
}

static inline eff_exit eff_fail(int code)
{
	return (eff_exit){.tag = EFF_FAIL, .code = code};
}

static inline eff_exit eff_interrupted(void)
{
	return (eff_exit){.tag = EFF_INTERRUPT};
}

/* With a text; when there is no memory for it, without. */
EFF_API eff_exit eff_failf(int code, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
EFF_API eff_exit eff_die(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* From what a wait returned: 0 and more is OK with that number, -ECANCELED is INTERRUPT, any other errno FAIL. */
EFF_API eff_exit eff_exit_of(int64_t result);

static inline bool eff_is_ok(eff_exit e)
{
	return e.tag == EFF_OK;
}

/* Another reference to the same. */
EFF_API eff_exit eff_exit_keep(eff_exit e);
EFF_API void eff_exit_drop(eff_exit e);
/* Keep the first and put the second behind it, if that one is no OK. Takes both. Without memory for all of that, as much of
 * it as there was; the first one's tag, code and texts are always kept. */
EFF_API eff_exit eff_exit_join(eff_exit first, eff_exit second);
/* Put a text behind it. Takes `e`. Without memory, `e` as it was. */
EFF_API eff_exit eff_exit_note(eff_exit e, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* "ok", "fail 3: text", "die: text; and fail 2" … in at most `size` bytes, NUL-terminated. Returns `buf`. */
EFF_API const char *eff_exit_text(eff_exit e, char *buf, size_t size);
/* The first text behind it; "" when there is none. Valid as long as a reference is held. */
EFF_API const char *eff_exit_words(eff_exit e);

#endif
