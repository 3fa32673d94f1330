#!/bin/bash
# SPDX-License-Identifier: MIT
# What is installed works from where it is: the programs, the library shared and static, a module, the example trees. And
# uninstalling takes all of it back, wherever it was.
. "${0%/*}/lib.sh"
need make pkg-config
compile recorder
root=$(cd "$here/../.." && pwd)
prefix=$DIR/prefix

# As it was built: nothing is made anew by a make that knows other flags.
from_make() { # TARGET VARIABLE=…
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$root" -o all "B=$built" "$@"
}
built=$BUILD
mkdir -p "$prefix/share/zsh/site-functions" # Somebody else's, though nothing is in it.
from_make install "PREFIX=$prefix"

# ── The programs ──

version=$(sed -n 's/^#define EFF_VERSION "\(.*\)"/\1/p' "$prefix/include/eff/version.h")
same "effd's version" "$("$prefix/bin/effd" --version)" "effd $version"
BUILD=$prefix/bin # What the test runs from here on.
export TICKER=$DIR/ticker.so
cc=${CC:-cc}
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
read -ra flags < <(pkg-config --cflags eff)
examples=$prefix/share/doc/effd/examples
$cc -Wall -Wextra -Werror -fPIC -shared "${flags[@]}" -o "$TICKER" "$examples/ticker.c"

# Every tree of the examples: nothing is wrong with it, and it runs until all of it has settled.
for tree in "$examples"/*.yaml; do
	expect_exit 0 "$BUILD/effctl" check --strict "$tree"
	TREE=$tree effd_again
	await_notice READY=1
	[ "${tree##*/}" != ticker.yaml ] || wait_for up tick
	[ "${tree##*/}" != shop.yaml ] || wait_for up workers/index
	# The stop of its application is what it ends with.
	[ "${tree##*/}" = container.yaml ] || { effd_stop && continue; }
	expect_exit 0 ctl shutdown
	effd_ended 143
done
# What effd.yaml suggests behind a single # is right, too, though the programs are not there.
sed 's/^#\([^#]\)/\1/' "$examples/effd.yaml" >all.yaml
expect_exit 0 "$BUILD/effctl" --json check all.yaml
same "what is said of the suggestions" "$(jq -r '.diagnostics[].code' <<<"$OUT" | sort -u)" W404
[ "$(jq '.diagnostics | length' <<<"$OUT")" -ge 3 ] || fail "the suggestions were not there"

# ── The library ──

cat >hello.c <<'C'
#include <eff.h>
#include <stdio.h>
static eff_exit hello(void *arg)
{
	return eff_sleep(EFF_MS(1)) == 0 && printf("hello, %s\n", (const char *)arg) > 0 ? eff_ok(NULL) : eff_fail(1);
}
int main(void)
{
	return eff_main(EFF(hello, EFF_VERSION), NULL);
}
C
link() { # NAME FLAGS…
	local name=$1
	shift
	$cc -Wall -Wextra -Werror "${flags[@]}" -o "$name" hello.c "$@"
}
read -ra libs < <(pkg-config --libs eff)
link shared "${libs[@]}"
same "with the shared library" "$(LD_LIBRARY_PATH=$prefix/lib ./shared)" "hello, $version"
matches "what it loads" "$(LD_LIBRARY_PATH=$prefix/lib ldd ./shared)" "libeff\.so\.0 => $prefix/lib/libeff\.so\.0"
same "the library's file" "$(readlink -f "$prefix/lib/libeff.so")" "$prefix/lib/libeff.so.$version"
# The library's examples are there, and see what any program sees; each can do without shared libraries, too.
read -ra static < <(pkg-config --static --libs eff)
for example in "$prefix"/share/doc/libeff/examples/*.c; do
	$cc -Wall -Wextra -Werror "${flags[@]}" -static -o example "$example" "${static[@]}"
	[ "${example##*/}" != simple_computation.c ] || same "a static example" "$(./example)" "Simple calculation: 84"
	$cc -Wall -Wextra -Werror "${flags[@]}" -o example "$example" "${libs[@]}"
	[ "${example##*/}" != simple_computation.c ] ||
		same "an example" "$(LD_LIBRARY_PATH=$prefix/lib ./example)" "Simple calculation: 84"
done
same "how many there are" "$(find "$prefix/share/doc/libeff/examples" -name '*.c' | wc -l)" "$(find "$root/lib/examples" -name '*.c' | wc -l)"
read -ra libs < <(pkg-config --static --libs eff)
link archive -Wl,-Bstatic -leff -Wl,-Bdynamic "${libs[@]}"
same "with the archive" "$(./archive)" "hello, $version"
link static -static "${libs[@]}"
same "with nothing shared at all" "$(./static)" "hello, $version"
if ldd ./static >/dev/null 2>&1; then fail "it loads something all the same"; fi
same "the version of eff.pc" "$(pkg-config --modversion eff)" "$version"

# ── Elsewhere, for a packager ──

from_make install "DESTDIR=$DIR/stage" PREFIX=/usr LIBDIR=/usr/lib/somewhere
pc=$(<stage/usr/lib/somewhere/pkgconfig/eff.pc)
matches "where eff.pc says that all is" "$pc" '^prefix=/usr$'
matches "where eff.pc says that the library is" "$pc" '^libdir=\$\{prefix\}/lib/somewhere$'
[[ $pc != *"$DIR"* ]] || fail "eff.pc knows the staging folder: $pc"
matches "the service" "$(<stage/usr/lib/systemd/system/effd.service)" '^ExecStart=/usr/bin/effd$'
matches "the service of another prefix" "$(<"$prefix/lib/systemd/system/effd.service")" "^ExecReload=$prefix/bin/effctl reload\$"
[ -x stage/usr/bin/effctl ] || fail "effctl is not in the staging folder"

# ── In a folder whose name means something to a shell, make, sed, pkg-config and systemd ──

odd="$DIR/o d  d&|%x"
from_make install "PREFIX=$odd"
eval "$cc -Wall -Werror -o odd hello.c $(PKG_CONFIG_PATH=$odd/lib/pkgconfig pkg-config --cflags --libs eff)"
same "with a library in an odd folder" "$(LD_LIBRARY_PATH=$odd/lib ./odd)" "hello, $version"
same "its service's program" "$(sed -n 's/^ExecStart=//p' "$odd/lib/systemd/system/effd.service")" "\"${odd/\%/%%}/bin/effd\""
mkdir units
cp "$odd"/lib/systemd/system/*.service units
! command -v systemd-analyze >/dev/null || expect_exit 0 systemd-analyze verify --man=no units/effd.service
from_make install "DESTDIR=$odd/st age" "PREFIX=$odd"

# ── And back, also when nothing is built any more ──

touch "$prefix/lib/not-ours" stage/usr/bin/not-ours
from_make uninstall "PREFIX=$prefix" B=build/nowhere
from_make uninstall "DESTDIR=$DIR/stage" PREFIX=/usr LIBDIR=/usr/lib/somewhere
from_make uninstall "DESTDIR=$odd/st age" "PREFIX=$odd"
from_make uninstall "PREFIX=$odd"
same "what is left" "$(find prefix stage "${odd##*/}" | sort)" "$(printf '%s\n' "${odd##*/}" "${odd##*/}/st age" \
	prefix prefix/lib prefix/lib/not-ours prefix/share prefix/share/zsh prefix/share/zsh/site-functions stage stage/usr stage/usr/bin stage/usr/bin/not-ours | sort)"
