#!/bin/bash
# SPDX-License-Identifier: MIT
# A user without XDG_RUNTIME_DIR, as after su or in a container, has a socket all the same, and both programs know where;
# never in a folder that somebody else has made there.
. "${0%/*}/lib.sh"
need_root
need setpriv
compile family
uid=$((64000 + $$ % 1000))
folder=/tmp/effd-$uid
[ ! -e "$folder" ] && [ ! -e "/run/user/$uid" ] || skip "somebody is user $uid"
shm=/dev/shm/effd-$uid
trap 'rm -rf "$folder" "$shm"; finish' EXIT
cp "$BUILD/effd" "$BUILD/effctl" "$DIR/bin"
mkdir -m 777 "$DIR/home"
user=(setpriv --reuid "$uid" --regid "$uid" --clear-groups env -i PATH="$PATH" HOME="$DIR/home")
as_user() { "${user[@]}" "$@"; }
cat >"$DIR/home/tree.yaml" <<TREE
version: 1
units: {a: {command: $DIR/bin/family}}
TREE

expect_exit 5 as_user "$DIR/bin/effctl" ping
matches "where effctl looks" "$ERR" "$folder/control.sock"
as_user_in_place() { exec "${user[@]}" "$@"; }
as_user_in_place "$DIR/bin/effd" -c "$DIR/home/tree.yaml" >"$DIR/effd.out" 2>"$DIR/effd.log" &
EFFD=$!
there() { as_user "$DIR/bin/effctl" ping >/dev/null 2>&1; }
eventually there
same "the folder" "$(stat -c '%a %u' "$folder")" "700 $uid"
matches "what effd says of it" "$(cat "$DIR/effd.log")" 'look with: effctl status$'
expect_exit 0 as_user "$DIR/bin/effctl" wait --for up a
expect_exit 0 as_user "$DIR/bin/effctl" shutdown
wait "$EFFD"
EFFD=

# Somebody else was first: then it is in the next place, or there is none, and the tree runs all the same.
rm -r "$folder"
for bad in "mkdir $folder" "ln -s $DIR/home $folder" "touch $folder"; do
	$bad
	as_user_in_place "$DIR/bin/effd" -c "$DIR/home/tree.yaml" >"$DIR/effd.out" 2>"$DIR/effd.log" &
	EFFD=$!
	eventually there
	matches "what effd says after $bad" "$(cat "$DIR/effd.log")" "control socket $shm/control.sock; look with: effctl status\$"
	same "the folder after $bad" "$(stat -c '%a %u' "$shm")" "700 $uid"
	expect_exit 0 as_user "$DIR/bin/effctl" shutdown
	wait "$EFFD"
	EFFD=
	rm -r "$shm"
	mkdir "$shm"
	as_user_in_place "$DIR/bin/effd" -c "$DIR/home/tree.yaml" >"$DIR/effd.out" 2>"$DIR/effd.log" &
	EFFD=$!
	await_line "$DIR/effd.log" 'without a control socket, for no place of one can be written to' >/dev/null
	expect_exit 2 as_user "$DIR/bin/effctl" ping
	matches "what effctl says after $bad" "$ERR" 'no folder for the socket is yours alone'
	kill "$EFFD"
	wait "$EFFD"
	EFFD=
	rm -r "$folder" "$shm"
done

# Nor is it where log files go of who has no home, and nothing is remembered; both are said.
cat >"$DIR/home/tree.yaml" <<TREE
version: 1
units:
  a: {command: $DIR/bin/family}
  says: {type: oneshot, command: echo something, log: {stdout: file}}
  later: {type: oneshot, command: "true", schedule: {every: 1h, catch_up: once}}
TREE
homeless=(setpriv --reuid "$uid" --regid "$uid" --clear-groups env -i PATH="$PATH")
mkdir "$folder"
expect_exit 2 "${homeless[@]}" "$DIR/bin/effd" -c "$DIR/home/tree.yaml" --socket "$DIR/home/control.sock"
same "what effd says of a folder that is not its own" "$ERR" \
	"effd: no place for log files, $folder is not yours alone: set HOME, or \`daemon.log_dir\`"
expect_exit 0 "${homeless[@]}" "$DIR/bin/effd" --socket "$DIR/home/control.sock" -- "$(type -P true)"
rmdir "$folder"
homeless_in_place() { exec "${homeless[@]}" "$@"; }
homeless_in_place "$DIR/bin/effd" -c "$DIR/home/tree.yaml" >"$DIR/effd.out" 2>"$DIR/effd.log" &
EFFD=$!
eventually there
expect_exit 0 as_user "$DIR/bin/effctl" wait --for done says
same "the log of who has no home" "$(cat "$folder/log/says.log")" something
matches "what is said of who has no home" "$(cat "$DIR/effd.log")" 'cannot remember anything: set HOME, or `daemon.state_dir`$'
expect_exit 0 as_user "$DIR/bin/effctl" shutdown
wait "$EFFD"
EFFD=
