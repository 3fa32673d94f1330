#!/bin/bash
# SPDX-License-Identifier: MIT
# Any system call of effd's may fail, once, whenever: it goes on, or refuses at the very start and says why; no unit is lost
# and nothing is left. Each case is a whole life of a small tree, in which one call fails, by programs/refuse. Here sixty
# of them are chosen by a seed; SWEEP=all takes each (make sweep), SWEEP=2/4 the second of four parts of them, SWEEP=openat
# those of a call, SWEEP_SEED=N the sixty of that seed, and SWEEP_CASE='CALL ERRNO N' one, and shows what effd said.
. "${0%/*}/lib.sh"
need pgrep
case $(uname -m) in x86_64 | aarch64) ;; *) skip "programs/refuse does not know this processor" ;; esac
compile refuse recorder family notify
"$DIR/bin/refuse" "$DIR/refused" none true || skip "ptrace cannot tell of system calls here"

# Where control groups can be had, one that is this test's, in which effd makes its own.
home=
[ -z "$GROUP" ] || ! mkdir "$GROUP" 2>/dev/null || home=$GROUP
groups() { [ -z "$home" ] || find "$home" -mindepth 1 -depth -type d; }
# Not by cgroup.kill: of a group that this was said to once, some kernels let no process be born into another.
home_is_empty() {
	[ -n "$(groups)" ] || return 0
	find "$home" -mindepth 2 -name cgroup.procs -exec cat {} + | xargs -r kill -KILL 2>/dev/null || true
	groups | xargs -r rmdir 2>/dev/null
}
leave_home() {
	[ -z "$home" ] || { eventually home_is_empty && rmdir "$home"; }
}
trap 'leave_home; finish' EXIT
printf '#!/bin/sh\n[ -z "%s" ] || echo 0 >%s/cgroup.procs\nexec "$@"\n' "$home" "$home" >"$DIR/at-home"
chmod 755 "$DIR/at-home"

# ── which calls, and what becomes of them ──

declare -A number name errno
while read -r _ call value; do
	[[ $value =~ ^[0-9]+$ ]] || continue
	number[${call#__NR_}]=$value
	name[$value]=${call#__NR_}
done < <(${CC:-cc} -E -dM -include sys/syscall.h - </dev/null | grep '__NR_')
while read -r _ word value; do
	[[ ! $value =~ ^[0-9]+$ ]] || errno[$word]=$value
done < <(${CC:-cc} -E -dM -include errno.h - </dev/null | grep ' E')

# These cannot fail, as they are called; glibc ends the process where some of them do.
never=" futex rt_sigaction rt_sigprocmask rt_sigreturn getpid getppid gettid getuid geteuid getgid getegid umask exit exit_group
	clock_gettime set_robust_list set_tid_address rseq restart_syscall sched_yield clock_nanosleep sysinfo "
declare -A fitting=([clone]="EAGAIN ENOMEM" [clone3]="EAGAIN ENOMEM ENOSYS" [brk]=ENOMEM [mmap]=ENOMEM
	[mprotect]=ENOMEM [munmap]=ENOMEM [madvise]=ENOMEM [mremap]=ENOMEM [pipe2]="EMFILE ENFILE" [socket]="EMFILE ENOBUFS"
	[socketpair]=EMFILE [accept4]="EMFILE ENFILE ECONNABORTED" [epoll_create1]=EMFILE [timerfd_create]=EMFILE [signalfd4]=EMFILE
	[eventfd2]=EMFILE [pidfd_open]="EMFILE ENOSYS" [inotify_init1]=EMFILE [inotify_add_watch]=ENOSPC [openat]="EMFILE EIO EACCES"
	[open]="EMFILE EIO" [fcntl]="EMFILE EINVAL" [read]="EIO EINTR" [pread64]="EIO EINTR" [write]="ENOSPC EIO EINTR"
	[writev]="ENOSPC EIO" [recvmsg]="ENOMEM EINTR" [recvfrom]="ECONNRESET EINTR" [sendmsg]="ENOBUFS EPIPE"
	[sendto]="ENOBUFS EAGAIN" [epoll_wait]=EINTR [epoll_pwait]=EINTR [epoll_pwait2]=EINTR [epoll_ctl]="ENOMEM ENOSPC"
	[mkdir]="ENOSPC EACCES" [mkdirat]="ENOSPC EACCES" [rename]="EIO ENOSPC" [renameat]="EIO ENOSPC" [renameat2]="EIO ENOSPC"
	[waitid]=EINTR [wait4]=EINTR [prctl]=EPERM [prlimit64]=EPERM [kill]=EPERM [pidfd_send_signal]=EPERM [flock]=ENOLCK
	[bind]=EACCES [listen]=EADDRINUSE [connect]=EACCES)

# ── a life ──

lines=600
tree() { # VALUE, of a variable
	cat <<TREE
version: 1
name: sweep
defaults: {restart: {backoff: {initial: 1ms, factor: 1, jitter: 0}}, stop: {timeout: 2s}, start_timeout: infinity}
units:
  web: {command: $DIR/bin/family, environment: {V: "$1"}}
  flaky: {shell: '[ -e $RUN/once ] || { : >$RUN/once; exit 3; }; exec $DIR/bin/family'}
  talker:
    type: oneshot
    command: [seq, 1, $lines]
    log: {stdout: {file: $RUN/logs/talker}, rotate: {size: 1KiB, keep: 9, compress: gzip}}
  ready: {type: notify, command: [$DIR/bin/notify, READY=1], depends_on: [flaky]}
  probed: {command: $DIR/bin/family, readiness_probe: {exec: {command: ['true']}, period: 1s}}
  hooked: {command: $DIR/bin/family, hooks: {pre_start: ['true'], post_stop: ['true']}, user: $(id -un)}
  beat: {fiber: heartbeat, with: {every: 1h}}
TREE
}
up=(web flaky ready probed hooked beat)

read_notices() { # until effd is ready: 0, or has ended: 1
	local line
	while read -r -t "$limit" line <&"$NOTED"; do
		case $line in
		READY=1) return 0 ;;
		ended) return 1 ;;
		esac
	done
	fail "effd is neither ready nor has it ended"
}
child_of() { tr -d " " <"/proc/$1/task/$1/children"; }
# The second epoll, for control groups, is made when it is first needed.
descriptors() { descriptors_of "$1" | awk '!/eventpoll/ || ++polls > 2 { n++ } END { print n }'; }
no_more_descriptors() { [ "$(descriptors "$1")" -le "$2" ]; }
complaints() { grep -cE '^effd: (warn|error): ' "$DIR/effd.log" || true; }
# A client may be turned away, or lose its connection; the next one is not.
asked() { ctl "$@" >"$DIR/out.txt" 2>"$DIR/err.txt"; }
await_asked() {
	asked "$@" || [ $? -eq 3 ] || asked "$@" || [ $? -eq 3 ] || fail "effctl $*, the second time: $(<"$DIR/err.txt")"
}
nothing_is_left() {
	same "processes" "$(pgrep -r D,R,S,T -x 'family|notify' || true)" ""
	# What the kernel refused to remove, or to tell whose it is, is taken over by the next effd.
	[[ $CALL =~ ^(unlink|unlinkat|rmdir|flock|fstat|newfstatat)$ ]] ||
		same "what is in the folder" "$(find "$RUN" -mindepth 1 ! -path "$RUN/logs*" ! -name once ! \( -empty -name sock.notify \))" ""
	# So is a group that could not be looked into.
	[[ $CALL =~ ^(unlink|unlinkat|rmdir|flock|fstat|newfstatat|open|openat|getdents64)$ ]] || same "which groups are left" "$(groups)" ""
}

# Prints a word for what became of it: refused (at the start), told (went on, and said so), unnoticed.
life() { # WHAT
	local pid starts web
	RUN=$DIR/run SOCKET=$DIR/run/sock limit=30
	trap '[ -z "$EFFD" ] || kill -KILL "$EFFD"; rm -f "$DIR/notify.sock"; eventually home_is_empty' EXIT
	rm -rf "$RUN" "$DIR"/fifo.* "$DIR/notify.sock"
	mkdir "$RUN"
	: >"$DIR/effd.log"
	tree 1 >"$TREE"
	EFFD_UNDER=("$DIR/at-home" "$DIR/bin/refuse" "$DIR/refused" "$1")
	effd_again
	if ! read_notices; then
		local status=0
		wait "$EFFD" || status=$?
		EFFD=
		matches "why it refused" "$(<"$DIR/effd.log")" '(cannot |out of memory|another effd)'
		[[ $status =~ ^(1|75|78)$ ]] || fail "effd refused with $status"
		nothing_is_left
		echo refused >"$DIR/outcome"
		return 0
	fi
	await_asked wait --for up --timeout "${limit}s" "${up[@]}"
	await_asked wait --for done --timeout "${limit}s" talker
	tree 2 >"$TREE"
	await_asked reload
	await_asked wait --for up --timeout "${limit}s" "${up[@]}"
	await_asked --json plan
	same "what is left to change" "$(jq -c .changes "$DIR/out.txt")" "[]"
	await_asked --json status "${up[@]}" talker
	read -r starts web < <(jq -r '"\([.units[].starts] | tojson) \(.units[0].pid)"' "$DIR/out.txt")
	tr '\0' '\n' <"/proc/$web/environ" | grep -qx V=2 || fail "web is not the new one"
	pid=$(child_of "$EFFD")
	if [ -n "${most_descriptors-}" ]; then
		eventually no_more_descriptors "$pid" "$most_descriptors"
	else
		descriptors "$pid" >"$DIR/descriptors"
	fi
	# Who has heard nothing and asks again may find that it has gone.
	asked shutdown || asked shutdown || [ $? -eq 5 ] || fail "effctl shutdown, the second time: $(<"$DIR/err.txt")"
	while read_notices; do :; done # of the reload
	effd_ended 0
	nothing_is_left
	if [ "$(complaints)" -gt "${few_complaints-0}" ]; then
		echo told >"$DIR/outcome"
	else
		same "the starts, and nothing was said of any" "$starts" "${usual_starts-$starts}"
		echo unnoticed >"$DIR/outcome"
	fi
	echo "$starts" >"$DIR/starts"
}

# ── the cases ──

CALL=
life none & # as the others, in a shell of its own
wait $!
most_descriptors=$(<"$DIR/descriptors")
few_complaints=$(complaints)
usual_starts=$(<"$DIR/starts")
declare -A count refused told unnoticed missed
cases=()
while read -r call n; do
	call=${name[$call]}
	count[$call]=$n
	[[ $never != *[[:space:]]"$call"[[:space:]]* ]] || continue
	for error in ${fitting[$call]-EIO}; do
		for ((i = 1; i <= n; i++)); do cases+=("$call $error $i"); done
	done
done <"$DIR/refused"
total=${#cases[@]}

seed=${SWEEP_SEED-$RANDOM} beyond=1
case ${SWEEP-} in
all) chosen=("${cases[@]}") ;;
*/*)
	# Which of them are a part's is known without the count, which is another one in each life.
	chosen=()
	for one in "${cases[@]}"; do
		read -r call _ n <<<"$one"
		(((n + ${number[$call]}) % ${SWEEP#*/} != ${SWEEP%/*} - 1)) || chosen+=("$one")
	done
	;;
[a-z]*) mapfile -t chosen < <(printf '%s\n' "${cases[@]}" | grep -E "^$SWEEP ") ;;
*)
	beyond=
	chosen=("socket EMFILE 1" "epoll_ctl ENOMEM 1" "epoll_ctl ENOSPC 2" "fcntl EMFILE 5" "recvmsg ENOMEM 1") # each was a bug
	mapfile -t -O ${#chosen[@]} chosen < <(printf '%s\n' "${cases[@]}" |
		awk -v seed="$seed" 'BEGIN { srand(seed) } { print rand() "\t" $0 }' | sort -n | sed -n '1,60s/^[^\t]*\t//p')
	;;
esac
[ -z "${SWEEP_CASE-}" ] || beyond='' chosen=("$SWEEP_CASE")
echo "seed $seed: ${#chosen[@]} of $total cases, of ${#count[@]} system calls"

failed=()
for ((i = 0; i < ${#chosen[@]}; i++)); do
	one=${chosen[i]}
	read -r call error n <<<"$one"
	[ -n "${errno[$error]-}" ] || fail "no such error: $error"
	status=0 CALL=$call
	life "${number[$call]}:${errno[$error]}:$n" >"$DIR/life.out" 2>&1 &
	wait $! || status=$?
	if [ "$status" -ne 0 ]; then
		failed+=("$one")
		printf '%s\n' "--- $one" "$(<"$DIR/life.out")" "--- what effd said" "$(tail -n 30 "$DIR/effd.log")"
		continue
	fi
	outcome=$(<"$DIR/outcome")
	grep -q refused "$DIR/refused" || outcome=missed
	# There may be more of them than in the life that was counted.
	[ "$outcome" = missed ] || [ -z "$beyond" ] || ((n < ${count[$call]-0})) || chosen+=("$call $error $((n + 1))")
	declare -n of=$outcome
	of[$call]=$((${of[$call]-0} + 1))
	[ -z "${SWEEP_CASE-}" ] || cat "$DIR/effd.log"
done

printf '%-18s %6s %8s %6s %10s %7s\n' call count refused told unnoticed missed
for call in $(printf '%s\n' "${!count[@]}" | sort); do
	[ -z "${refused[$call]-}${told[$call]-}${unnoticed[$call]-}${missed[$call]-}" ] ||
		printf '%-18s %6d %8s %6s %10s %7s\n' "$call" "${count[$call]}" "${refused[$call]--}" "${told[$call]--}" \
			"${unnoticed[$call]--}" "${missed[$call]--}"
done
rm -f "$DIR"/effd.log
[ ${#failed[@]} -eq 0 ] || fail "${#failed[@]} of ${#chosen[@]} cases, again by SWEEP_CASE='CALL ERRNO N':"$'\n'"$(printf '%s\n' "${failed[@]}")"
