/* SPDX-License-Identifier: MIT */
/* Folders of unit tests. A test program has one, in /tmp, in which its tests make theirs; it goes with the program. What a killed
 * one has left goes when the next one begins: who runs holds a lock on its own. */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

#include <stddef.h>

/* The program's, by main(): made, after those of programs that are no more were removed; and removed. */
void test_folder_begin(void);
void test_folder_end(void);

/* How what a test makes outside of it begins its name, to be found when the program was killed. */
const char *test_folder_name(void);

/* A new folder for a test, which removes it. Its path has 32 bytes at most. Returns `ret_path`. */
char *test_folder(char *ret_path, size_t size);
/* A new file. Returns it, open. */
int test_file(char *ret_path, size_t size);

#endif
