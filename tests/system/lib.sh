# SPDX-License-Identifier: MIT
# What every system test begins with: `. "${0%/*}/lib.sh"`. The test then runs a second time, as the child of
# programs/guard, with a folder of its own ($DIR) and, as root, with pid, mount and network namespaces of its own; when
# it has ended, the guard fails it for every process that is still there. Nothing here waits for time: a test waits for
# `effctl wait`, for events, for a line of a FIFO or for the end of a process. Any command that fails fails the test.
set -Eeuo pipefail
: "${BUILD:?is the folder of effd and effctl}"
here=$(cd "${0%/*}" && pwd)
limit=60 # Seconds until a wait is given up, so that a failure says where it is.

compile() { # PROGRAM…: from programs/ into $DIR/bin
	local program
	mkdir -p "$DIR/bin"
	for program in "$@"; do
		${CC:-cc} -std=gnu17 -D_GNU_SOURCE -O1 -Wall -Wextra -o "$DIR/bin/$program" "$here/programs/$program.c"
	done
}

skip() { # WHY
	echo "skipped: $*"
	exit 77
}

# The control group that a test may have for itself: named as its folder, below that of who runs it. Nothing where there are none.
group_of_folder() { # FOLDER
	local at own
	at=$(awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
	own=$(sed -n 's/^0:://p' /proc/self/cgroup)
	[ -z "$at" ] || [ -z "$own" ] || echo "$at${own%/}/${1##*/}"
}

# The folder goes last: while it is there, another run sees to what is left of the group.
clear_away() { # FOLDER
	local group
	group=$(group_of_folder "$1")
	[ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
	[ -d "$group" ] || rm -rf --one-file-system "$1"
}

# Folders of tests that were killed. Who runs holds a lock on its own, which is seen from other namespaces, too.
clear_away_dead() {
	local folder
	for folder in "${TMPDIR:-/tmp}"/effd-case.??????; do
		[ ! -O "$folder" ] || [ -L "$folder" ] || ! flock -n "$folder" true 2>/dev/null || clear_away "$folder"
	done
}

# The first run: make the folder, run the second under the guard, show what effd said if it went wrong.
if [ -z "${DIR-}" ]; then
	clear_away_dead
	unlocked=$(mktemp -d "${TMPDIR:-/tmp}/.effd-case.XXXXXX")
	DIR=${unlocked%/*}/${unlocked##*/.}
	export DIR
	chmod 755 "$unlocked"
	exec {lock}<"$unlocked"
	flock "$lock"
	mv -T "$unlocked" "$DIR"
	trap 'clear_away "$DIR"' EXIT
	compile guard
	run=("$DIR/bin/guard" bash "$here/${0##*/}")
	apart=(unshare --fork --pid --net --mount-proc --kill-child)
	if [ "$(id -u)" -eq 0 ] && "${apart[@]}" true 2>/dev/null; then
		export APART=1
		run=("${apart[@]}" "${run[@]}")
	fi
	status=0
	"${run[@]}" {lock}<&- || status=$?
	if [ "$status" -ne 0 ] && [ "$status" -ne 77 ]; then
		for file in "$DIR"/effd*.log; do
			[ ! -s "$file" ] || { echo "--- the end of ${file##*/}"; tail -n 40 "$file"; }
		done
	fi
	exit "$status"
fi

GROUP=$(group_of_folder "$DIR")
SOCKET=$DIR/control.sock
TREE=$DIR/tree.yaml
export TMPDIR=$DIR/tmp
unset EFFD_SOCKET NOTIFY_SOCKET
mkdir "$TMPDIR"
umask 022
cd "$DIR"
EFFD= # The pid of the effd that runs, if one does.
n_fifos=0

# ── Saying what is wrong ──

fail() { # WHAT…
	trap - ERR
	echo "FAIL: $*" >&2
	local frame=0 place
	while place=$(caller $frame); do
		echo "    at ${place##*/}: line ${place%% *}" >&2
		frame=$((frame + 1))
	done
	exit 1
}
trap 'fail "exit $? of: $BASH_COMMAND"' ERR

same() { # WHAT GOT WANTED
	[ "$2" = "$3" ] || fail "$1:"$'\n'"--- got"$'\n'"$2"$'\n'"--- wanted"$'\n'"$3"
}

matches() { # WHAT GOT PATTERN, an extended regular expression that some line matches
	grep -qE -e "$3" <<<"$2" || fail "$1:"$'\n'"--- got"$'\n'"$2"$'\n'"--- wanted"$'\n'"$3"
}

# Run a command that is to end with that status; its output is in $OUT and $ERR.
expect_exit() { # STATUS COMMAND…
	local wanted=$1 got=0
	shift
	"$@" >"$DIR/out.txt" 2>"$DIR/err.txt" || got=$?
	OUT=$(tr -d '\0' <"$DIR/out.txt")
	ERR=$(tr -d '\0' <"$DIR/err.txt")
	[ "$got" -eq "$wanted" ] ||
		fail "exit $got, not $wanted, of: $*"$'\n'"--- stdout"$'\n'"$OUT"$'\n'"--- stderr"$'\n'"$ERR"
}

# ── What a test needs ──

need_root() { [ "$(id -u)" -eq 0 ] || skip "needs root"; }
need_apart() { [ -n "${APART-}" ] || skip "needs root and namespaces"; }
need() { # COMMAND…
	local command
	for command in "$@"; do
		command -v "$command" >/dev/null || skip "needs $command"
	done
}

# A file system in $DIR/mount that does not answer, until a line goes to $ORDERS; needs a namespace of its own.
mount_hanging() {
	compile hangfs
	mkdir "$DIR/mount"
	new_fifo
	mkfifo "$DIR/orders"
	exec {ORDERS}<>"$DIR/orders"
	"$DIR/bin/hangfs" "$DIR/mount" <"$DIR/orders" >"$FIFO" 2>"$DIR/hangfs.txt" {ORDERS}>&- &
	HANGFS=$!
	exec {HELD}<"$FIFO"
	await_held mounted
}
await_held() { # WORD, as it says when it is mounted, and for each who hangs
	local line
	read -r -t "$limit" line <&"$HELD" || skip "no file system of one's own: $(<"$DIR/hangfs.txt")"
	same "what the file system says" "$line" "$1"
}
unmount_hanging() {
	exec {ORDERS}>&-
	wait "$HANGFS"
}

new_fifo() { # sets FIFO
	n_fifos=$((n_fifos + 1))
	FIFO=$DIR/fifo.$n_fifos
	mkfifo "$FIFO"
}

# The pids of the processes that run a program of $DIR/bin, one a line.
processes_of() { # PROGRAM
	local exe
	for exe in /proc/[0-9]*/exe; do
		if [ "$(readlink "$exe" 2>/dev/null)" = "$DIR/bin/$1" ]; then
			exe=${exe#/proc/}
			echo "${exe%/exe}"
		fi
	done
}

# ── effd ──

# Start effd with the tree on standard input, and return as soon as it can be asked. EFFD_UNDER may hold a command that it is run under.
EFFD_UNDER=()
EFFD_PROGRAM=$BUILD/effd
effd_launch() { # ARGS…
	[ -x "$DIR/bin/recorder" ] || compile recorder
	cat >"$TREE"
	effd_again "$@"
	eventually answers
}
answers() { ctl ping >/dev/null 2>&1; }

# The same with the tree that is there.
effd_again() {
	local bound pid_to
	new_fifo
	rm -f "$DIR/notify.sock"
	mkfifo "$FIFO.pid"
	"$DIR/bin/recorder" "$DIR/notify.sock" <"$FIFO.pid" >"$FIFO" &
	RECORDER=$!
	exec {pid_to}>"$FIFO.pid" {NOTED}<"$FIFO"
	read -r bound <&"$NOTED"
	same "what the recorder says" "$bound" bound
	NOTIFY_SOCKET=$DIR/notify.sock "${EFFD_UNDER[@]}" "$EFFD_PROGRAM" -c "$TREE" --socket "$SOCKET" "$@" \
		>>"$DIR/effd.out" 2>>"$DIR/effd.log" {NOTED}<&- {pid_to}>&- &
	EFFD=$!
	echo "$EFFD" >&"$pid_to"
	exec {pid_to}>&-
}

# Read what effd tells its service manager, until that; all of those, in whatever order they come.
await_notice() { # PATTERN…, of a whole line
	local line pattern until=$((SECONDS + limit)) missing=("$@") left
	while [ "$SECONDS" -lt "$until" ] && read -r -t "$limit" line <&"$NOTED"; do
		[ "$line" != ended ] || fail "effd ended instead of saying ${missing[*]}: $(tail -n 5 "$DIR/effd.log")"
		left=()
		for pattern in "${missing[@]}"; do
			[[ $line =~ ^($pattern)$ ]] || left+=("$pattern")
		done
		missing=("${left[@]}")
		[ "${#missing[@]}" -gt 0 ] || return 0
	done
	fail "effd did not say ${missing[*]}"
}

effd_start() { # ARGS…, a tree on standard input
	effd_launch "$@"
	await_notice READY=1
}

# Wait for the end of effd; its status is to be that.
effd_ended() { # [STATUS]
	local status=0
	wait "$EFFD" || status=$?
	# To the last: what nobody reads any more would kill the recorder, and leave its socket behind.
	cat <&"$NOTED" >/dev/null
	exec {NOTED}<&-
	wait "$RECORDER" || fail "the recorder failed"
	EFFD=
	[ "$status" -eq "${1-0}" ] || fail "effd ended with $status, not with ${1-0}"
}

# Stop effd as a user would; it leaves no socket.
effd_stop() {
	expect_exit 0 ctl shutdown
	effd_ended 0
	[ ! -e "$SOCKET" ] || fail "the control socket is still there"
}

ctl() { timeout -k 5 "$limit" "$BUILD/effctl" -s "$SOCKET" "$@"; }

# The same in the background: what is killed there is effctl, and not a shell that waits for it.
ctl_in_place() { exec timeout -k 5 "$limit" "$BUILD/effctl" -s "$SOCKET" "$@"; }

# Ask again and again until a command succeeds. Each question to effd is a turn of it.
eventually() { # COMMAND…
	local until=$((SECONDS + limit))
	until "$@"; do
		[ "$SECONDS" -lt "$until" ] || fail "never came true: $*"
	done
}

# A field of a unit's status, as jq writes it. That status ends with 3 for one that is not up is no matter here.
field() { # UNIT FILTER
	local all
	all=$(ctl --json status "$1" || [ $? -eq 3 ])
	jq -r ".units[0] | $2" <<<"$all"
}

# What an effd has open, without what it keeps to use it again: a unit that has started twice has the other end of its pipe and the
# file of its group's events, too; and of the sockets that carry descriptors there are as many as children were made at once.
descriptors_of() { # PID
	{
		awk '$5 == "0005" && NF == 7 { print "carrier", "socket:[" $7 "]" }' "/proc/$1/net/unix"
		find "/proc/$1/fd" -mindepth 1 -printf '%l\n' 2>/dev/null || true # one may go meanwhile
	} | awk '
		$1 == "carrier" { kept[$2]; next }
		$1 in kept || /cgroup\.events$/ || (/^pipe:/ && seen[$1]++) { next }
		{ print }'
}

state() { field "$1" .state; }
pid_of() { field "$1" .pid; }
wait_for() { # STATE UNIT…
	local wanted=$1
	shift
	ctl wait --for "$wanted" --timeout "${limit}s" "$@" >/dev/null
}

last_seq() { ctl --json events | jq -s 'last.seq // 0'; }

# Follow a stream of effctl until that many documents satisfy a filter, and print those.
follow() { # NUMBER FILTER COMMAND…
	local number=$1 filter=$2 pid found
	shift 2
	new_fifo
	ctl_in_place --json "$@" >"$FIFO" &
	pid=$!
	found=$(jq -nc --unbuffered "limit($number; inputs | select($filter))" <"$FIFO")
	kill "$pid" 2>/dev/null || true
	wait "$pid" || true
	[ "$(grep -c . <<<"$found")" -eq "$number" ] || fail "followed $* for $number of $filter, and saw:"$'\n'"$found"
	echo "$found"
}

await_events() { # NUMBER FILTER [UNIT…]
	local number=$1 filter=$2
	shift 2
	follow "$number" "$filter" events -f "$@"
}

# Wait until a file has a line that matches.
await_line() { # FILE PATTERN
	local pid found=0
	new_fifo
	timeout "$limit" tail -n +1 -F "$1" >"$FIFO" 2>/dev/null &
	pid=$!
	grep -m 1 -E -e "$2" <"$FIFO" || found=$?
	kill "$pid" 2>/dev/null || true
	wait "$pid" || true
	[ "$found" -eq 0 ] || fail "no line matches $2 in $1:"$'\n'"$(tail -n 20 "$1")"
}

# ── The end ──

finish() {
	local status=$? left
	trap - EXIT ERR
	if [ -n "$EFFD" ]; then
		if [ "$status" -eq 0 ]; then
			echo "FAIL: the test ended and did not stop its effd" >&2
			status=1
		fi
		kill -KILL "$EFFD" 2>/dev/null
	fi
	if [ "$status" -ne 0 ]; then
		# What is left of a test that failed is no finding of its own.
		touch "$DIR/failed"
		exit "$status"
	fi
	left=$(find "$DIR" -type s)
	if [ -n "$left" ]; then
		echo "FAIL: sockets are left: $left" >&2
		status=1
	fi
	exit "$status"
}
trap finish EXIT
