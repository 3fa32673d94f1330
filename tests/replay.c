/* SPDX-License-Identifier: MIT */
/* The main() of a fuzz target outside the fuzzer: it hands the target every file of the folders (or files) named, in
 * name order, and the empty input first. A crash is the failure; the input being tried is named before it. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Copied to a block of its very size, so that a read beyond the end is seen. */
static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	uint8_t *data;
	size_t size;
	int r = -1;

	if (!file || fstat(fileno(file), &st) < 0) {
		perror(path);
		if (file)
			(void)fclose(file);
		return -1;
	}
	size = (size_t)st.st_size;
	data = malloc(size ? size : 1);
	if (data && fread(data, 1, size, file) == size) {
		printf("%s\n", path);
		(void)LLVMFuzzerTestOneInput(data, size);
		r = 0;
	}
	free(data);
	(void)fclose(file);
	return r;
}

static int replay_folder(const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort);
	int r = n < 0 ? -1 : 0;

	for (int i = 0; i < n; i++) {
		char file[1024];

		(void)snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && replay_file(file) < 0)
			r = -1;
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return r;
}

int main(int argc, char **argv)
{
	static const uint8_t nothing[1];
	int r = EXIT_SUCCESS;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)LLVMFuzzerTestOneInput(nothing, 0);
	for (int i = 1; i < argc; i++) {
		struct stat st;

		if (stat(argv[i], &st) < 0)
			continue; /* a target may have no corpus yet */
		if ((S_ISDIR(st.st_mode) ? replay_folder(argv[i]) : replay_file(argv[i])) < 0)
			r = EXIT_FAILURE;
	}
	return r;
}
