/* SPDX-License-Identifier: MIT */
/* What checkers must be told of a fiber's stack and of a switch. Without a checker all of it is nothing. */
#ifndef EFF_SANITIZE_H
#define EFF_SANITIZE_H

#if defined(__SANITIZE_ADDRESS__)
#define EFF__ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define EFF__TSAN 1
#endif
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define EFF__ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define EFF__TSAN 1
#endif
#endif
#ifndef EFF__ASAN
#define EFF__ASAN 0
#endif
#ifndef EFF__TSAN
#define EFF__TSAN 0
#endif

#if EFF__ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#if EFF__TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>) && !EFF__ASAN && !EFF__TSAN
#include <valgrind/valgrind.h>
#define EFF__VALGRIND 1
#define EFF__ON_VALGRIND RUNNING_ON_VALGRIND
#endif
#endif
#ifndef EFF__VALGRIND
#define EFF__VALGRIND 0
#define EFF__ON_VALGRIND 0
#endif

#endif
