#!/bin/bash
# SPDX-License-Identifier: MIT
# A tree as Kubernetes mounts a ConfigMap or a Secret: links of root's by way of ..data, which is put in place anew as a whole, in
# a folder that all may write by its mode, and nobody may by its mount. What somebody else could lead elsewhere is refused.
. "${0%/*}/lib.sh"
need_apart
need setpriv
sleeps() { echo "{command: [/bin/sleep, \"1000000\"]${1-}}"; }
tree() { # more lines
	echo "version: 1"
	echo "include: [more.yaml]"
	echo "units:"
	echo "  given: $(sleeps ", env_file: vars")"
	printf '%s\n' "$@"
}
there() { ctl status "$1" >/dev/null 2>&1; }
gone() { ! there "$1"; }
other_pid() { [ "$(pid_of "$1")" != "$2" ]; }

# What the kubelet has, where no container sees it.
pods=$DIR/pods map=$DIR/pods/map
mkdir "$pods" "$DIR/etc"
mount -t tmpfs -o mode=0700 none "$pods"
mkdir -m 777 "$map"
chmod 777 "$map"
n=0
publish() { # VARS, the tree on standard input
	n=$((n + 1))
	mkdir "$map/..$n"
	cat >"$map/..$n/tree.yaml"
	echo "units: {included: $(sleeps)}" >"$map/..$n/more.yaml"
	echo "A=$1" >"$map/..$n/vars"
	ln -s "..$n" "$map/..data_tmp"
	mv -T "$map/..data_tmp" "$map/..data"
	rm -rf "$map/..$((n - 1))"
}
publish 1 < <(tree)
for name in tree.yaml more.yaml vars; do ln -s "..data/$name" "$map/$name"; done
mount --bind "$map" "$DIR/etc"
mount -o remount,bind,ro "$DIR/etc"

# The container: there the map is mounted in one place, and process 1 is effd.
box=(unshare --fork --pid --mount --mount-proc --kill-child
	sh -c "umount -l '$pods' && exec \"\$@\"" sh)
begin() {
	EFFD_UNDER=("${box[@]}")
	effd_again
	eventually answers
	await_notice READY=1
}
TREE=$DIR/etc/tree.yaml
[ -x "$DIR/bin/recorder" ] || compile recorder
begin
wait_for up given included
pid=$(pid_of included)

# Another one in its place: by hand, and then by itself.
publish 1 < <(tree "  one: $(sleeps)" "daemon: {watch: true}")
expect_exit 0 ctl reload
there one
publish 1 < <(tree "  two: $(sleeps)" "daemon: {watch: true}")
eventually there two
eventually gone one
given=$(pid_of given)
publish 2 < <(tree "  two: $(sleeps)" "daemon: {watch: true}")
eventually other_pid given "$given"
same "who is the same" "$(pid_of included)" "$pid"
effd_stop

# The whole folder is a tree, too.
TREE=$DIR/etc
publish 1 < <(tree | sed /include/d)
begin
wait_for up given included
effd_stop

# A Secret: sticky, and a file system of its own.
chmod 1777 "$map"
begin
effd_stop
chmod 777 "$map"

# By another way somebody else could change what is there: by one that this container has, or by one that its process 1 has.
refused() { # WHAT HELP COMMAND…
	local what=$1 help=$2
	shift 2
	expect_exit 78 "$@"
	matches "$what" "$ERR" 'error\[E107\]: cannot read it: others than root could change it$'
	matches "what to do: $what" "$ERR" "$help"
}
TREE=$DIR/etc/tree.yaml
writable="help: chown root '$DIR/etc' && chmod go-w '$DIR/etc'"
effd=("$BUILD/effd" --check -c "$TREE")
expect_exit 0 "${box[@]}" "${effd[@]}"
refused "a way that this container has" "$writable" unshare --fork --pid --mount --mount-proc "${effd[@]}"
refused "a way that process 1 has" "$writable" unshare --mount sh -c "umount -l '$pods' && exec \"\$@\"" sh "${effd[@]}"
refused "nobody can know" "$writable" "${box[@]}" sh -c 'mount -t tmpfs none /proc && exec "$@"' sh "${effd[@]}"
matches "where" "$ERR" "note: $DIR/etc: it lies here, where others than root may write$"
mount -o remount,bind,rw "$DIR/etc"
refused "a mount that can be written" "$writable" "${box[@]}" "${effd[@]}"

# Links that are another's, wherever.
mkdir -m 1777 "$DIR/shared"
chmod 1777 "$DIR/shared"
mkdir "$DIR/own"
tree | sed /include/d >"$DIR/own/tree.yaml"
echo A=1 >"$DIR/own/vars"
ln -s ../own "$DIR/shared/roots"
setpriv --reuid 65534 --regid 65534 --clear-groups ln -s ../own "$DIR/shared/strangers"
expect_exit 0 "$BUILD/effctl" check "$DIR/shared/roots/tree.yaml"
refused "a link of somebody else's" "help: chown -h root '$DIR/shared/strangers'" \
	"$BUILD/effd" --check -c "$DIR/shared/strangers/tree.yaml"
ln -s "$DIR/shared/strangers/vars" "$DIR/own/other"
sed -i 's/vars/other/' "$DIR/own/tree.yaml"
expect_exit 78 "$BUILD/effd" --check -c "$DIR/own/tree.yaml"
matches "an env_file by a link of somebody else's" "$ERR" "note: $DIR/shared/strangers: it leads through this link, which is not root's"
umount "$DIR/etc" "$pods"
