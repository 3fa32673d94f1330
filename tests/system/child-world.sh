#!/bin/bash
# SPDX-License-Identifier: MIT
# A child is given exactly the descriptors, signals, ids and environment that it was promised, whatever effd was given, and
# however it was made: by clone3, in effd's table of descriptors where there are many, by fork where there is no clone3.
. "${0%/*}/lib.sh"
compile world refuse recorder
own=$(id -u) own_group=$(id -g)
own_groups=$(awk '/^Groups:/ { $1 = ""; print substr($0, 2) }' /proc/self/status)
user_units= worlds=(plain told)
if [ "$own" -eq 0 ]; then
	worlds+=(other grouped further further-root)
	user_units="
  other:
    type: oneshot
    command: $DIR/bin/world
    user: nobody
    log: {stdout: ring}
  grouped:
    type: oneshot
    command: $DIR/bin/world
    user: nobody
    group: daemon
    umask: \"0077\"
    working_dir: /
    log: {stdout: ring}
  further:
    type: oneshot
    command: $DIR/bin/world
    user: nobody
    supplementary_groups: [daemon, \"12345\"]
    log: {stdout: ring}
  further-root:
    type: oneshot
    command: $DIR/bin/world
    supplementary_groups: daemon
    log: {stdout: ring}"
fi

# A harsh place to be started in: descriptors open, signals ignored and blocked, limits, a umask and variables of its own.
ulimit -S -n 512
limits=$(prlimit --pid $$ --raw --noheadings -o RESOURCE,SOFT,HARD |
	awk '{ for (i = 2; i <= 3; i++) if ($i == "unlimited") $i = -1; print "limit", tolower($1), $2, $3 }' | sort)
like_here() { "$DIR/bin/world" | grep -E "$1"; } # What runs beside effd has it, and so has what effd starts.
exec 7</dev/zero 8>/dev/full
trap '' HUP PIPE USR1 QUIT
export PATH HOME=/somewhere LANG=C LC_ALL=C.UTF-8 LC_TIME=C TZ=UTC SECRET=hidden NOTIFY_FD=3 LISTEN_FDS=1 LISTEN_PID=1 \
	LISTEN_FDNAMES=x WATCHDOG_USEC=10000000 WATCHDOG_PID=1 JOURNAL_STREAM=1:1 INVOCATION_ID=1 LD_TEST=1
tree() { # FURTHER-UNITS
	cat <<TREE
version: 1
defaults: {activate: manual}
units:
  plain:
    type: oneshot
    command: $DIR/bin/world
    log: {stdout: ring}
  told:
    type: notify
    command: $DIR/bin/world
    restart: no
    environment: {A: "1", EMPTY: ""}
    env_inherit: [TZ]
    log: {stdout: ring}$user_units
$1
TREE
}

world_of() { ctl --json logs "$1" | jq -r .text; }
wanted_world() { # UIDS GIDS GROUPS UMASK FOLDER, the environment on standard input
	local line
	printf '%s\n' "fd 0 /dev/null" "fd 1 stream" "fd 2 stream" "status Groups: $3" 'status NoNewPrivs: 0' \
		'status SigBlk: 0000000000000000' 'status SigIgn: 0000000000000000' 'status SigCgt: 0000000000000000' \
		"uids $1" "gids $2" "session own" "group own" "umask $4" "$limits" \
		"$(like_here "^(oom score|nice|io|scheduler) ")" "$(like_here "^status Cpus_allowed_list:")" "$capabilities" "folder $5" "death signal 9"
	sort | while read -r line; do echo "env $line"; done
	echo end
}
ordered() { sed -E '/^status /!d' | sort; }
compare() { # UNIT WANTED
	local got
	got=$(world_of "$1")
	# The kernel's order of its status lines is no promise.
	same "the world of $1" "$(grep -v '^status' <<<"$got")" "$(grep -v '^status' <<<"$2")"
	same "the kernel's view of $1" "$(ordered <<<"$got")" "$(ordered <<<"$2")"
}

worlds_are_right() { # FURTHER-UNITS
	local told home shell uid gid environment grouped other_group
	umask 077
	(umask 022 && tree "$1" >"$TREE")
	effd_again
	umask 022
	await_notice READY=1
	# One of them ends and was to be ready first.
	expect_exit 1 ctl start "${worlds[@]}"
	capabilities=$(like_here "^status Cap")
	compare plain "$(printf '%s\n' "PATH=$PATH" HOME=/somewhere LANG=C LC_ALL=C.UTF-8 LC_TIME=C TZ=UTC |
		LC_ALL=C wanted_world "$own $own $own" "$own_group $own_group $own_group" "$own_groups" 0022 "$DIR")"
	told=$(world_of told)
	same "the variables of told" "$(grep ^env <<<"$told" | sed 's/^\(env NOTIFY_SOCKET\)=..*/\1/')" \
		$'env A=1\nenv EMPTY=\nenv NOTIFY_SOCKET\nenv TZ=UTC'
	[ ${#EFFD_UNDER[@]} -gt 0 ] || same "effd's own limit is the hard one" "$(awk '/^Max open files/ { print $4 == $5 }' "/proc/$EFFD/limits")" 1
	if [ "$own" -eq 0 ]; then
		IFS=: read -r _ _ uid gid _ home shell <<<"$(getent passwd nobody)"
		groups_of() { id -G "$@" | tr ' ' '\n' | sort -n | paste -sd ' '; }
		environment="PATH=$PATH HOME=$home USER=nobody LOGNAME=nobody SHELL=$shell LANG=C LC_ALL=C.UTF-8 LC_TIME=C TZ=UTC"
		capabilities=$(sed -E "s/(Prm|Eff|Amb): .*/\\1: 0000000000000000/" <<<"$capabilities")
		compare other "$(tr ' ' '\n' <<<"$environment" | LC_ALL=C wanted_world "$uid $uid $uid" "$gid $gid $gid" "$(groups_of nobody)" 0022 "$DIR")"
		grouped=$(world_of grouped)
		other_group=$(getent group daemon | cut -d: -f3)
		same "the ids of one with a group" "$(grep -E '^(uids|gids|umask|folder)' <<<"$grouped")" \
			"uids $uid $uid $uid"$'\n'"gids $other_group $other_group $other_group"$'\n'"umask 0077"$'\n'"folder /"
		same "the groups of one with further ones" "$(world_of further | grep -E '^(uids|gids|status Groups)' | sort)" \
			"gids $gid $gid $gid"$'\n'"status Groups: $(echo "$(groups_of nobody) $other_group 12345" | tr ' ' '\n' |
				sort -n | paste -sd ' ')"$'\n'"uids $uid $uid $uid"
		same "the groups of root's with a further one" "$(world_of further-root | grep -E '^(gids|status Groups)' | sort)" \
			"gids 0 0 0"$'\n'"status Groups: $other_group"
		! grep -qE 'Groups:.*\b0\b' <<<"$grouped" || fail "root's group survived: $grouped"
	fi
	effd_stop
}

worlds_are_right ""

many=100
worlds_are_right "$(seq -f '  m%.0f: {command: [sleep, infinity], activate: boot}' "$many")"

number() { # HEADER NAME
	${CC:-cc} -E -dM -include "$1" - </dev/null | awk -v name="$2" '$2 == name { print $3 }'
}
if "$DIR/bin/refuse" "$DIR/refused" none true; then
	EFFD_UNDER=("$DIR/bin/refuse" "$DIR/refused" "$(number sys/syscall.h __NR_clone3):$(number errno.h ENOSYS):0")
	worlds_are_right ""
	grep -q refused "$DIR/refused" || fail "nobody asked for clone3"
fi
