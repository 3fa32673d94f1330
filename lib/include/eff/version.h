/* SPDX-License-Identifier: MIT */
/* The version of libeff and of effd, which are released together. It stands here and nowhere else: the names of the shared
 * library, eff.pc, the packages and `effd --version` are made from this line. While it begins with 0 the soname is
 * libeff.so.0 and no two versions promise to be compatible: build programs anew. */
#ifndef EFF_VERSION_H
#define EFF_VERSION_H

#define EFF_VERSION "0.1.0"

#endif
