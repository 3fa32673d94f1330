/* SPDX-License-Identifier: MIT */
/* Destructors for what a frame owns, by GNU cleanup. They hide bookkeeping, never plot. */
#ifndef EFFD_AUTO_H
#define EFFD_AUTO_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void auto__free(void *p)
{
	free(*(void **)p);
}

static inline void auto__close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void auto__fclose(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

static inline void auto__closedir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

#define auto_free __attribute__((cleanup(auto__free)))
#define auto_close __attribute__((cleanup(auto__close)))
#define auto_fclose __attribute__((cleanup(auto__fclose)))
#define auto_closedir __attribute__((cleanup(auto__closedir)))

#endif
