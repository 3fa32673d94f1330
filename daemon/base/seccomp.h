/* SPDX-License-Identifier: MIT */
/* libseccomp, which is loaded when it is first asked for: it is some 70 KiB of an effd that mostly has no filter to make. */
#ifndef EFFD_SECCOMP_H
#define EFFD_SECCOMP_H

#include <seccomp.h>

struct seccomp {
	typeof(seccomp_init) *init;
	typeof(seccomp_release) *release;
	typeof(seccomp_attr_set) *attr_set;
	typeof(seccomp_rule_add) *rule_add;
	typeof(seccomp_export_bpf) *export_bpf;
	typeof(seccomp_syscall_resolve_name) *resolve_name;
	typeof(seccomp_syscall_resolve_num_arch) *resolve_num_arch;
};

/* NULL: it is not there, or not what it should be. From any thread. */
const struct seccomp *seccomp_get(void);

#endif
