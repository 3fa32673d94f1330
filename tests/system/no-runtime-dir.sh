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
trap 'rm -rf "$folder"; finish' EXIT
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

# Somebody else was first.
rm -r "$folder"
for bad in "mkdir $folder" "ln -s $DIR/home $folder" "touch $folder"; do
	$bad
	expect_exit 2 as_user "$DIR/bin/effd" -c "$DIR/home/tree.yaml"
	matches "what effd says after $bad" "$ERR" '^effd: no place for the control socket: '
	expect_exit 2 as_user "$DIR/bin/effctl" ping
	matches "what effctl says after $bad" "$ERR" 'not yours alone'
	rm -r "$folder"
done
