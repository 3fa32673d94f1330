/* SPDX-License-Identifier: MIT */
/* shares PID: for each child of PID its user and whether the two share their memory: "0 shared", "65534 own". */
#include <errno.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char path[64];
	FILE *children;
	int parent, child;

	if (argc != 2)
		return 2;
	parent = atoi(argv[1]);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
	children = fopen(path, "re");
	if (!children)
		return 2;
	while (fscanf(children, "%d", &child) == 1) {
		long differs = syscall(SYS_kcmp, parent, child, KCMP_VM, 0, 0);
		struct stat st;

		snprintf(path, sizeof(path), "/proc/%d/task", child);
		if (differs < 0 && errno == ENOSYS)
			return 3;
		if (differs >= 0 && stat(path, &st) == 0)
			printf("%u %s\n", (unsigned)st.st_uid, differs ? "own" : "shared");
	}
	fclose(children);
	return 0;
}
