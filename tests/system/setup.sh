#!/bin/bash
# SPDX-License-Identifier: MIT
# scripts/setup is silent where all is there, installs as root or by a sudo that does not ask, and else prints the one
# command and ends with 1. What it would do to this machine is played: dpkg-query lacks a package, id, sudo and apt-get are ours.
. "${0%/*}/lib.sh"
need dpkg-query
setup=$here/../../scripts/setup
mkdir "$DIR/fakes"
fake() { # NAME, its text on standard input
	{ echo '#!/bin/sh' && cat; } >"$DIR/fakes/$1"
	chmod 755 "$DIR/fakes/$1"
}
query=$(command -v dpkg-query)
fake dpkg-query <<END
"$query" "\$@" | grep -v -e " libev-dev" -e " libyaml-dev"
# As if these two were all that is not here.
for package in "\$@"; do
	case \$package in libev-dev | libyaml-dev | -* | \\\$*) ;; *) echo "installed \$package" ;; esac
done
END
fake id <<<'echo 1000'
fake apt-get <<<"echo apt-get \"\$@\" >>$DIR/done"
with() { PATH=$DIR/fakes:$PATH "$setup" "$@"; }

# A plain user whose sudo asks for a password.
fake sudo <<<'exit 1'
for what in "" build; do
	# shellcheck disable=SC2086
	expect_exit 1 with $what
	same "what goes to standard output" "$OUT" ""
	same "what is to be typed" "$(tail -n 1 <<<"$ERR")" "    sudo apt-get install -y --no-install-recommends libev-dev libyaml-dev"
done
[ ! -e "$DIR/done" ] || fail "something was installed: $(cat "$DIR/done")"
expect_exit 2 with everything

# `make run` begins with it, and says the same.
expect_exit 2 env PATH="$DIR/fakes:$PATH" make --no-print-directory -C "$here/../.." run
matches "what make run says" "$ERR" '^ +sudo apt-get install -y --no-install-recommends libev-dev libyaml-dev$'

# One who may: sudo is told all, and nothing of it touches this machine.
fake sudo <<END
[ "\$1" = -n ] && shift
[ "\$*" = true ] && exit 0
cat >/dev/null </dev/null
echo "sudo \$*" >>$DIR/done
END
expect_exit 0 with
matches "what was run" "$(cat "$DIR/done")" '^sudo env .*apt-get .* update$'
matches "what was run" "$(cat "$DIR/done")" '^sudo env .*apt-get .* install -y --no-install-recommends libev-dev libyaml-dev$'
if [ ! -e /usr/sbin/policy-rc.d ]; then
	matches "services are kept from starting" "$(head -n 1 "$DIR/done")" '^sudo tee /usr/sbin/policy-rc.d$'
	matches "and may again" "$(tail -n 1 "$DIR/done")" '^sudo rm -f /usr/sbin/policy-rc.d$'
fi

# All is there: not a word.
fake dpkg-query <<'END'
for package in "$@"; do echo "installed $package"; done
END
rm "$DIR/done"
for what in build check deb valgrind cross afl; do
	expect_exit 0 with "$what"
	same "what is said of $what when all is there" "$OUT$ERR" ""
done
[ ! -e "$DIR/done" ] || fail "something was done though all is there: $(cat "$DIR/done")"
