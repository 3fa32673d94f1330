#!/bin/bash
# SPDX-License-Identifier: MIT
# A child is given exactly the descriptors, signals, ids, control group and environment that it was promised, whatever
# effd was given, and however it was made: by clone3, in effd's table of descriptors where there are many, by fork where there is no clone3.
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

# Where effd may make control groups each child has one of its unit's name, in effd's; else it is in effd's own.
effds_group=$(sed -n 's/^0:://p' /proc/self/cgroup)
has_groups=
if [ -n "$GROUP" ] && mkdir "$GROUP" 2>/dev/null; then
	rmdir "$GROUP"
	has_groups=1
fi
group_of() { # UNIT: the line that is right
	if [ -n "$has_groups" ]; then
		echo "control group $base/unit:$1"
	elif [ -n "$effds_group" ]; then
		echo "control group $effds_group"
	fi
}

wanted_world() { # UNIT UIDS GIDS GROUPS UMASK FOLDER, the environment on standard input
	local line unit=$1
	shift
	printf '%s\n' "fd 0 /dev/null" "fd 1 stream" "fd 2 stream" "status Groups: $3" 'status NoNewPrivs: 0' \
		'status SigBlk: 0000000000000000' 'status SigIgn: 0000000000000000' 'status SigCgt: 0000000000000000' \
		"uids $1" "gids $2" "session own" "group own" "umask $4" "$limits" \
		"$(like_here "^(oom score|nice|io|scheduler) ")" "$(like_here "^status Cpus_allowed_list:")" "$capabilities"
	group_of "$unit"
	printf '%s\n' "folder $5" "death signal 9"
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
	local told home shell uid gid environment other_group
	local inherited=("PATH=$PATH" HOME=/somewhere LANG=C LC_ALL=C.UTF-8 LC_TIME=C TZ=UTC)
	umask 077
	(umask 022 && tree "$1" >"$TREE")
	effd_again
	umask 022
	await_notice READY=1
	# One of them ends and was to be ready first.
	expect_exit 1 ctl start "${worlds[@]}"
	capabilities=$(like_here "^status Cap")
	# Another effd may be in the same place.
	base=$(world_of plain | sed -nE "s|^control group (${effds_group%/}/effd(\+[0-9]+)?)/unit:plain$|\1|p")
	[ -z "$has_groups" ] || [ -n "$base" ] || fail "the control group of plain: $(world_of plain | grep '^control group')"
	compare plain "$(printf '%s\n' "${inherited[@]}" |
		LC_ALL=C wanted_world plain "$own $own $own" "$own_group $own_group $own_group" "$own_groups" 0022 "$DIR")"
	told=$(world_of told)
	same "the variables of told" "$(grep ^env <<<"$told" | sed 's/^\(env NOTIFY_SOCKET\)=..*/\1/')" \
		$'env A=1\nenv EMPTY=\nenv NOTIFY_SOCKET\nenv TZ=UTC'
	[ ${#EFFD_UNDER[@]} -gt 0 ] || same "effd's own limit is the hard one" "$(awk '/^Max open files/ { print $4 == $5 }' "/proc/$EFFD/limits")" 1
	if [ "$own" -eq 0 ]; then
		IFS=: read -r _ _ uid gid _ home shell <<<"$(getent passwd nobody)"
		groups_of() { id -G "$@" | tr ' ' '\n' | sort -n | paste -sd ' '; }
		environment="PATH=$PATH HOME=$home USER=nobody LOGNAME=nobody SHELL=$shell LANG=C LC_ALL=C.UTF-8 LC_TIME=C TZ=UTC"
		capabilities=$(sed -E "s/(Prm|Eff|Amb): .*/\\1: 0000000000000000/" <<<"$capabilities")
		compare other "$(tr ' ' '\n' <<<"$environment" | LC_ALL=C wanted_world other "$uid $uid $uid" "$gid $gid $gid" "$(groups_of nobody)" 0022 "$DIR")"
		other_group=$(getent group daemon | cut -d: -f3)
		among() { tr ' ' '\n' <<<"$*" | sort -nu | paste -sd ' '; }
		compare grouped "$(tr ' ' '\n' <<<"$environment" |
			LC_ALL=C wanted_world grouped "$uid $uid $uid" "$other_group $other_group $other_group" "$other_group" 0077 /)"
		compare further "$(tr ' ' '\n' <<<"$environment" |
			LC_ALL=C wanted_world further "$uid $uid $uid" "$gid $gid $gid" "$(among "$(groups_of nobody)" "$other_group" 12345)" 0022 "$DIR")"
		capabilities=$(like_here "^status Cap")
		compare further-root "$(printf '%s\n' "${inherited[@]}" |
			LC_ALL=C wanted_world further-root "0 0 0" "0 0 0" "$other_group" 0022 "$DIR")"
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
	# Not there; and forbidden, as containers of old have it: then libc makes no threads, either.
	for error in ENOSYS EPERM; do
		EFFD_UNDER=("$DIR/bin/refuse" "$DIR/refused" "$(number sys/syscall.h __NR_clone3):$(number errno.h "$error"):0")
		worlds_are_right ""
		grep -q refused "$DIR/refused" || fail "nobody asked for clone3"
	done
fi
