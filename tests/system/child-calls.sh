#!/bin/bash
# SPDX-License-Identifier: MIT
# Whichever call fails that a child makes between its birth and its program, its program does not run, and the cause of the
# unit's end names the stage and the errno.
. "${0%/*}/lib.sh"
case $(uname -m) in x86_64 | aarch64) ;; *) skip "programs/refuse does not know this processor" ;; esac
compile refuse recorder notify
"$DIR/bin/refuse" "$DIR/refused" none true || skip "ptrace cannot tell of system calls here"
declare -A name stages
while read -r _ call value; do
	[[ ! $value =~ ^[0-9]+$ ]] || name[$value]=${call#__NR_}
	[ "$call" != __NR_recvmsg ] || recvmsg=$value
done < <(${CC:-cc} -E -dM -include sys/syscall.h - </dev/null | grep '__NR_')
# What it says of each, where it asks for all that there is.
for one in setsid:fork fcntl:fork dup3:fork close_range:fork recvmsg:fork rt_sigprocmask:fork openat:priority write:priority \
	prlimit64:rlimit setpriority:priority ioprio_set:priority sched_setscheduler:priority sched_setaffinity:priority \
	chroot:root chdir:chdir,root prctl:security,fork capget:security capset:security setgroups:group setresgid:group \
	setresuid:user execve:exec; do
	stages[${one%:*}]=${one#*:}
done
# They cannot fail; or are to fail: to close what is closed, to have KILL ignored, to become root again.
goes_on=" close rt_sigaction umask getpid setuid "
eio=$(${CC:-cc} -E -dM -include errno.h - </dev/null | awk '$2 == "EIO" { print $3 }')

check() { # NUMBER CALL STATUS TEXT, of the unit: its state and last end
	local what="$2, the call number $1"
	if [[ $goes_on == *" $2 "* ]]; then
		same "after $what" "$3 ${4%% *}" "0 up"
		return
	fi
	[ "$3" -eq 1 ] || fail "after $what the unit is started: $4"
	[ "$2" != getppid ] || return 0 # is another's then: effd has died
	matches "after $what" "$4" "^failed exec_error (${stages[$2]//,/|}): EIO \\(Input/output error\\): "
}

sweep() { # LET_BE, the number of children that come before; the tree is there
	local k=0 call status text from
	EFFD_UNDER=("$DIR/bin/refuse" "$DIR/refused" "children:$eio:$1")
	effd_again
	await_notice READY=1
	while :; do
		k=$((k + 1)) status=0
		ctl restart child >/dev/null 2>&1 || status=$?
		call=$(awk -v k="$k" '$1 == k { print $2 }' "$DIR/refused")
		[ "$call" != program ] || break
		[ -n "$call" ] || fail "no child $k was made: $(field child .last_exit.text)"
		call=${name[$call]}
		text=$(field child '"\(.state) \(.last_exit.kind) \(.last_exit.text)"')
		check "$k" "$call" "$status" "$text"
	done
	same "the last one" "$(state child)" up
	effd_stop
}

# All that can be asked for, as root alone can.
if [ "$(id -u)" -eq 0 ]; then
	cat >"$TREE" <<TREE
version: 1
units:
  child:
    activate: manual
    restart: no
    type: notify
    command: [$DIR/bin/notify, READY=1]
    watchdog: 1h
    user: nobody
    group: daemon
    supplementary_groups: ["12345"]
    root_dir: /
    working_dir: /tmp
    limits: {nofile: 100}
    priority: {nice: 1, oom_score_adj: 100, ionice: idle, sched: batch, cpus: "0-1023"}
    security: {no_new_privileges: true, capabilities: [KILL], ambient: KILL}
TREE
	sweep 0
fi

# Where there are many descriptors, a child begins in effd's table of them; its program is searched for.
many=100
cat >"$TREE" <<TREE
version: 1
units:
  child:
    activate: manual
    restart: no
    command: [sleep, infinity]
    env_inherit: []
    environment: {PATH: "$DIR:$DIR/bin:$(dirname "$(command -v sleep)")"}
    working_dir: /
$(seq -f '  u%.0f: {command: [sleep, infinity]}' "$many")
TREE
sweep "$many"
grep -q "^[0-9]* $recvmsg\$" "$DIR/refused" || fail "no child began in effd's table of descriptors"
