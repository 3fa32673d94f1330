# make          build libeff, effd, effctl, the examples and the modules into build/ (B=DIR: elsewhere)
# make run      install what is missing, build, and run effd with conf/examples/shop.yaml in the foreground
# make check    every test: units (sanitized), corpora, system tests, tidy; the last line counts them
# make test     the unit tests of this build, T=daemon/test_life for one, SAN=address,undefined for sanitizers
# make tidy     format, lint and the house rules;  sweep  soak  tsan  valgrind  cross  cover  seldom  fuzz  afl  bench  clean
# make install  DESTDIR= PREFIX= LIBDIR= … (scripts/install has them all);  uninstall;  deb builds Debian packages
# V=1 shows the commands, WERROR=1 makes warnings errors.        SPDX-License-Identifier: MIT

CC ?= cc
AR ?= ar
# What only tests run is to be built quickly; a sanitizer names lines, and reads no more of what is said of the code.
CFLAGS ?= $(if $(STEPS),-O1,$(if $(SAN),-O1 -g1,-O2 -g))
LDFLAGS ?=
B ?= build
VERSION := $(shell sed -n 's/^.define EFF_VERSION "\(.*\)"$$/\1/p' lib/include/eff/version.h)
SOVERSION := $(firstword $(subst ., ,$(VERSION)))
FUZZ_SECONDS ?= 30
O := $(B)$(if $(SAN),/san)$(if $(COVER),/cover)$(if $(STEPS),/steps)

MAKEFLAGS += --no-print-directory --no-builtin-rules
# As many jobs as processors, unless -j was said: what the command line says wins.
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif
ifeq ($(CI),true)
WERROR ?= 1
endif

# Sources, by folder.
FLOORS := base plan wire os unit tree control
LIB := $(wildcard lib/src/*.c lib/src/*.S)
LIB_EV := $(LIB:%/loop_uv.c=%/loop_none.c)
DAEMON := $(wildcard $(FLOORS:%=daemon/%/*.c))
EFFD := $(wildcard daemon/effd/*.c)
EFFCTL := $(wildcard daemon/effctl/*.c daemon/effctl/import/*.c)
SELDOM := $(shell sed '/^#/d' daemon/seldom)
FAKE := $(wildcard tests/fake/*.c)
TESTS := $(wildcard tests/lib/test_*.c tests/daemon/test_*.c)
SCALE := $(wildcard tests/scale/test_*.c)
FUZZ := $(wildcard tests/fuzz/*.c)
BENCH := $(wildcard tests/bench/*.c)
BENCH_BESIDE := $(wildcard tests/bench/supervisors/*.c)
BENCH_PROGRAMS := $(wildcard tests/bench/programs/*.c)
EXAMPLES := $(wildcard lib/examples/*.c)
MODULES := $(wildcard conf/examples/*.c tests/system/modules/*.c)
COMPLETIONS := $(wildcard daemon/completions/*/*)
HEADERS := $(wildcard lib/include/eff/*.h)
SYSTEM := $(filter-out %/lib.sh,$(wildcard tests/system/*.sh))
SHARED_TEST := tests/main.c tests/leak.c tests/folder.c
LIB_TEST := tests/lib/backend.c
SCALE_TEST := tests/scale/cost.c tests/scale/shape.c
STRINGS := tests/scale/strings.c
STEPPED := tests/scale/steps.c
comma := ,
obj = $(patsubst %,$(O)/%.o,$(basename $(1)))
ALL_OBJ := $(call obj,$(LIB) $(DAEMON) $(EFFD) $(EFFCTL) $(FAKE) $(TESTS) $(FUZZ) $(BENCH) $(BENCH_BESIDE) \
	$(EXAMPLES) $(SHARED_TEST) $(LIB_TEST) $(SCALE) $(SCALE_TEST) $(STRINGS) $(STEPPED) tests/replay.c)

# Programs.
libs := $(if $(LIB),$(O)/libeff.a $(O)/libeff.so)
mains := $(if $(EFFD),$(O)/effd) $(if $(EFFCTL),$(O)/effctl)
completions := $(COMPLETIONS:daemon/%=$(O)/%)
pages := $(patsubst daemon/%,$(O)/%,$(wildcard daemon/man/*.[1-8])) $(O)/man/libeff.3 \
	$(HEADERS:lib/include/eff/%.h=$(O)/man/eff_%.3) $(O)/man/effd_fiber.3
examples := $(EXAMPLES:lib/%.c=$(O)/%)
modules := $(foreach m,$(MODULES),$(O)/modules/$(basename $(notdir $m)).so)
tests := $(TESTS:%.c=$(O)/%)
scales := $(SCALE:%.c=$(O)/%)
replays := $(FUZZ:%.c=$(O)/%)
fuzzers := $(FUZZ:tests/fuzz/%.c=$(O)/%)
dictionaries := $(FUZZ:%.c=$(O)/%.dict)
benches := $(BENCH:%.c=$(O)/%)
bench_programs := $(BENCH_PROGRAMS:%.c=$(O)/%)
beside := $(if $(BENCH_BESIDE),$(O)/tests/bench/beside)

# Flags: ours around the packager's.
WARN := -Wall -Wextra -Wshadow -Wvla -Walloca -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 -Wundef \
	-Wwrite-strings -Wimplicit-fallthrough -Wframe-larger-than=2048
pkg = $(shell pkg-config $(1) 2>/dev/null)
UV := $(call pkg,--libs libuv)
CHECK_LIBS := $(or $(call pkg,--libs check),-lcheck -lsubunit -lrt)
MODE := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=undefined -fno-omit-frame-pointer \
	-Wno-frame-larger-than) $(if $(COVER),--coverage) $(if $(STEPS),-fsanitize-coverage=trace-pc)
FLAGS := -std=gnu17 -D_GNU_SOURCE -fvisibility=hidden $(WARN) $(if $(WERROR),-Werror) $(MODE)
# What is resident of a daemon is mostly its own text: a fifth less of it for 3 % more instructions. But for what goes over bytes,
# in base and wire, that would be 20 %. And what the loader is to relocate takes a bit each, where linker and C library know of it.
SMALL := $(if $(strip $(MODE)),$(CFLAGS),$(CFLAGS:-O2=-Os))
RELR := $(shell grep -qs GLIBC_ABI_DT_RELR "$$($(CC) -print-file-name=libc.so.6)" && f=-Wl,-z,pack-relative-relocs && \
	$(CC) -shared -Wl,--fatal-warnings $$f -o /dev/null -x c /dev/null 2>/dev/null && echo $$f)
# A few hundred programs are linked to be run once: where there is a linker that does it in half the time, by that one.
GOLD := $(if $(findstring /,$(shell $(CC) -print-prog-name=ld.gold)),-fuse-ld=gold)
inc := -Ilib/include -Idaemon -Idaemon/effd/include $(call pkg,--cflags libcjson)
LINK = $(CC) $(LDFLAGS) $(CFLAGS) $(MODE) -Wl,--as-needed
EFF_LIBS := -lev $(UV) -lm -lpthread
CJSON := $(or $(call pkg,--libs libcjson),-lcjson)
LIBS := $(EFF_LIBS) $(CJSON) -ldl

# Stacks of fibers are not where ASan looks for fake frames.
export ASAN_OPTIONS ?= detect_stack_use_after_return=0:detect_leaks=1
export UBSAN_OPTIONS ?= print_stacktrace=1:halt_on_error=1

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-4s %s\n' $(1) $(2);) mkdir -p $(@D) &&

.DEFAULT_GOAL := all
.PHONY: all run check test build-tests build-scales tidy sweep soak tsan valgrind cross cover seldom fuzz afl fuzzers bench install uninstall deb clean FORCE
.SECONDARY:
.DELETE_ON_ERROR:

all: $(libs) $(mains) $(examples) $(modules) $(completions) $(pages)

build-tests: $(tests) $(replays)
# With STEPS=1.
build-scales: $(scales) $(O)/effd

# Compiling. lib/ sees the library alone; only its own tests see its insides.
$(O)/lib/%.o: inc := -Ilib/include
$(O)/lib/src/%.o: pic := -fPIC -fno-semantic-interposition
$(O)/tests/%.o: inc += -Itests
$(O)/daemon/%.o: small := $(SMALL)
$(O)/daemon/base/%.o $(O)/daemon/wire/%.o: small := $(CFLAGS)
# A test keeps what it looks at in its frame, and its fibers have room for that.
$(O)/tests/%.o: private FLAGS += -Wno-frame-larger-than
$(O)/tests/lib/%.o: inc := -Ilib/include -Ilib/src -Itests
# Under the sanitizers a test is compiled once for each time that it runs; but random programs run it for minutes.
$(if $(SAN),$(call obj,$(filter-out %_structure.c %_random.c,$(TESTS))): small := $(CFLAGS:-O1=-O0))
$(O)/lib/src/loop_uv.o $(O)/lib/examples/host_uv.o: inc += $(if $(UV),-DEFF_HAVE_UV=1 $(call pkg,--cflags libuv))

$(O)/%.o: %.c $(O)/flags
	$(call say,CC,$<) $(CC) $(FLAGS) $(pic) $(inc) $(CPPFLAGS) $(or $(small),$(CFLAGS)) -MMD -MP -c -o $@ $<

# effd runs on libev and is not to load another loop: there the function says that there is none.
$(O)/lib/src/loop_none.o: lib/src/loop_uv.c $(O)/flags
	$(call say,CC,$<) $(CC) $(FLAGS) $(pic) $(inc) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/%.o: %.S $(O)/flags
	$(call say,AS,$<) $(CC) $(MODE) $(inc) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Each is written anew only when what it says has changed: then all is compiled, or collected, again.
$(O)/flags: says = $(CC) $(FLAGS) $(CPPFLAGS) $(CFLAGS) $(SMALL) $(LDFLAGS) $(RELR) $(UV)
$(O)/sources: says = $(LIB) $(DAEMON) $(EFFD) $(EFFCTL) $(FAKE)
$(O)/flags $(O)/sources: FORCE
	@mkdir -p $(@D); echo '$(says)' | cmp -s - $@ || echo '$(says)' >$@

# Archives. Quick append: two folders may have files of one name.
$(O)/libeff.a: $(call obj,$(LIB))
$(O)/libeff_ev.a: $(call obj,$(LIB_EV))
$(O)/libdaemon.a: $(call obj,$(DAEMON))
$(O)/libfake.a: $(call obj,$(FAKE))
$(O)/libeffd.a: $(call obj,$(filter-out %/main.c,$(EFFD)))
$(O)/libeffctl.a: $(call obj,$(filter-out %/main.c,$(EFFCTL)))

$(O)/%.a: $(O)/sources
	$(call say,AR,$@) rm -f $@ && $(AR) qcs $@ $(filter %.o,$^)

daemon_libs := $(O)/libdaemon.a $(O)/libeff.a
# Modules find eff_* and effd_fiber_* in effd: all goes in, with what is marked for export. What most never need stands together,
# behind what each needs, and so is not resident with it.
whole := $(EFFD) $(DAEMON) $(LIB_EV)
$(O)/effd: daemon/seldom $(O)/sources $(call obj,$(filter-out $(SELDOM),$(whole)) $(filter $(SELDOM),$(whole)))
$(O)/effd: group := -rdynamic
$(O)/effd: end :=
# A client waits for its socket alone: it links no runtime, and so loads no loop.
$(O)/effctl: $(call obj,$(EFFCTL)) $(O)/libdaemon.a
$(O)/effctl: LIBS = $(CJSON) -lm -ldl
$(examples): $(O)/examples/%: $(O)/lib/examples/%.o $(O)/libeff.a
$(benches) $(tests) $(scales) $(replays): $(O)/%: $(O)/%.o
$(tests) $(scales): $(call obj,$(SHARED_TEST))
$(tests) $(scales): more := $(CHECK_LIBS)
$(scales): $(call obj,$(SCALE_TEST) $(STEPPED)) $(O)/libfake.a $(O)/libeffd.a $(O)/libeffctl.a $(O)/libdaemon.a $(O)/libeff_ev.a
$(scales): more += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
# Where texts are read, what the C library looks at for us is counted, too.
read_texts := $(filter %/test_plans %/test_texts %/test_imports,$(scales))
$(read_texts): $(call obj,$(STRINGS))
$(read_texts): more += $(foreach f,strlen strnlen strchr strrchr strcspn strspn strpbrk strstr memmem memchr strcmp strncmp memcpy \
	memmove memset,-Wl$(comma)--wrap=$f)
$(if $(STEPS),$(mains): $(call obj,$(STEPPED)))
$(call obj,$(STEPPED) $(STRINGS)): private FLAGS := $(filter-out -fsanitize-coverage=%,$(FLAGS))
# Those that let allocations fail.
$(patsubst %.c,$(O)/%,$(shell grep -lsE '"(alloc|memory)\.h"' $(TESTS))): more += \
	$(foreach f,malloc calloc realloc aligned_alloc mmap,-Wl$(comma)--wrap=$f)
$(filter $(O)/tests/lib/%,$(tests)): $(call obj,$(LIB_TEST)) $(O)/libeff.a
$(filter $(O)/tests/lib/%,$(tests)): more += -Wl,--wrap=eff_rt_new
# Where the calendar's clock is set.
$(O)/tests/daemon/test_schedule_clock: more += -Wl,--wrap=eff_wall
$(filter $(O)/tests/lib/%,$(tests)) $(examples): LIBS = $(EFF_LIBS)
$(filter $(O)/tests/daemon/%,$(tests)): $(O)/libfake.a $(O)/libeffd.a $(O)/libeffctl.a $(daemon_libs)
$(benches) $(replays) $(fuzzers): $(O)/libfake.a $(O)/libeffctl.a $(daemon_libs)
$(replays): $(call obj,tests/replay.c)
$(fuzzers): $(O)/%: $(O)/tests/fuzz/%.o
$(fuzzers): more := -fsanitize=fuzzer
# What reads trees by the thousand is not to load what reads them for each.
$(filter $(O)/tests/daemon/%,$(tests)) $(replays) $(fuzzers): more += -Wl,--no-as-needed -lyaml

$(mains): more := $(RELR)
$(tests) $(scales) $(replays): more += $(GOLD)
group := -Wl,--start-group
end := -Wl,--end-group
$(mains) $(examples) $(tests) $(scales) $(replays) $(benches) $(fuzzers):
	$(call say,LD,$@) $(LINK) -o $@ $(filter %.o,$^) $(group) $(filter %.a,$^) $(end) $(LIBS) $(more)

$(O)/libeff.so: $(call obj,$(LIB)) $(O)/sources
	$(call say,LD,$@) $(LINK) -shared -Wl,-soname,libeff.so.$(SOVERSION) -o $@ $(filter %.o,$^) \
		$(EFF_LIBS) && ln -sf libeff.so $@.$(SOVERSION)

# A module is built as its author would build it: one file, its own names visible, linked with neither.
define module
$(O)/modules/$(basename $(notdir $(1))).so: $(1) $(O)/flags
	$$(call say,MOD,$$<) $$(CC) $$(FLAGS) -fvisibility=default -Wno-missing-prototypes -fPIC -shared \
		-Ilib/include -Idaemon/effd/include $$(CPPFLAGS) $$(CFLAGS) $$(LDFLAGS) -MMD -MP -o $$@ $$<
endef
$(foreach m,$(MODULES),$(eval $(call module,$m)))

# The tables of the code as rows, and what shells make of them.
$(O)/completions/rows: daemon/completions/tables.def $(wildcard daemon/*/*.def)
	$(call say,GEN,$@) $(CC) -E -P -x c -Idaemon $< >$@
$(completions): $(O)/%: daemon/% daemon/completions/generate $(O)/completions/rows
	$(call say,GEN,$@) daemon/completions/generate $< <$(O)/completions/rows >$@

# Manual pages: of templates and the tables, of headers, and the overview with a line for each of these.
$(O)/man/rows: daemon/man/tables.def $(wildcard daemon/*/*.def) daemon/plan/rows.h
	$(call say,GEN,$@) $(CC) -E -P -x c -Idaemon $< >$@
$(O)/man/%: daemon/man/% daemon/man/generate $(O)/man/rows lib/include/eff/version.h
	$(call say,MAN,$@) daemon/man/generate $< <$(O)/man/rows >$@
$(O)/man/eff_%.3: lib/include/eff/%.h lib/man/generate lib/include/eff/version.h
	$(call say,MAN,$@) lib/man/generate $< >$@
$(O)/man/effd_%.3: daemon/effd/include/effd/%.h lib/man/generate lib/include/eff/version.h
	$(call say,MAN,$@) lib/man/generate $< >$@
$(O)/man/libeff.3: lib/man/libeff.3 $(HEADERS:lib/include/eff/%.h=$(O)/man/eff_%.3) $(O)/man/effd_fiber.3
	$(call say,MAN,$@) { sed '/^@headers@/,$$d' $<; \
		sed -n 's/^\.Nm \(.*\)/.It Xr \1 3/p; s/^\.Nd //p' $(filter-out $<,$^); sed '1,/^@headers@/d' $<; } >$@

# Dictionaries for the fuzzers: of templates and the tables.
$(O)/tests/fuzz/rows: tests/fuzz/tables.def $(wildcard daemon/*/*.def) daemon/plan/rows.h
	$(call say,GEN,$@) $(CC) -E -P -x c -Idaemon $< >$@
$(dictionaries): $(O)/%: % tests/fuzz/generate $(O)/tests/fuzz/rows $(wildcard daemon/effctl/import/*.c)
	$(call say,GEN,$@) tests/fuzz/generate $(abspath $<) <$(O)/tests/fuzz/rows >$@

run:
	$Qscripts/setup build
	$Q$(MAKE) all
	$Q$(O)/effd -c conf/examples/shop.yaml

# The library's tests run on each loop. A corpus is replayed under the sanitizers, system tests run on what is installed:
# the plain build, in which alone there are a hundred thousand fibers, and most of the random scenarios. Scale is held by a
# build of its own, that counts what it does. The long ones are first. What is random and in virtual time opens no loop, and is
# the same with another one. What switches where there is no assembly for it runs the core's first tests. System tests wait for
# each other's processes half of the time: in which tidy runs.
plain := $(O)/tests/daemon/test_scenarios $(O)/tests/daemon/test_random_verbs $(O)/tests/lib/test_many
san := $(B)/san
long := $(san)/tests/lib/test_structure $(san)/tests/daemon/test_pairs_failing $(san)/tests/daemon/test_scenarios
lengthy := $(patsubst %,tests/system/%.sh,soak package syscalls many-reloads child-world)
on_uv := $(filter-out %/test_structure %/test_supervise_random,$(filter tests/lib/%,$(TESTS:%.c=%)))
portable := CPPFLAGS=-DEFF_UCONTEXT CFLAGS=-O0 O=$(B)/portable UV=
ported := $(foreach t,switch fiber scope effect,$(B)/portable/tests/lib/test_$t)
replay = "$(san)/$(1:%.c=%) tests/fuzz/corpus/$(basename $(notdir $(1)))"
check:
	$Qscripts/setup check
	$Q$(MAKE) SAN=address,undefined build-tests $(EXAMPLES:lib/%.c=$(san)/%)
	$Q$(MAKE) all $(plain) $(dictionaries)
	$Q$(MAKE) STEPS=1 build-scales
	$Q$(MAKE) $(portable) $(ported)
	$QBUILD=$(abspath $(O)) scripts/run-tests -t 1200 $(ported) $(plain) $(SCALE:%.c=$(B)/steps/%) $(long) \
		$(filter-out $(long),$(TESTS:%.c=$(san)/%)) $(on_uv:%="EFF_BACKEND=uv $(san)/%") \
		$(foreach f,$(FUZZ),$(call replay,$f)) \
		-- -j 2 -t 3600 "nice -n 19 scripts/tidy" -t 600 $(lengthy) $(filter-out $(lengthy),$(SYSTEM))

test: $(if $(T),$(T:%=$(O)/tests/%),$(tests))
	$Qscripts/run-tests $(if $(T),-v) -t 1200 $^

tidy:
	$Qscripts/tidy

# What `make check` does a part of: each system call of a small tree's life fails once, in each of the ways that it can
# (SWEEP=openat: those of one call); and a hundred thousand restarts with ten thousand reloads and clients.
# A life of one is mostly its processes waiting for each other.
parts := $(shell seq $$(($$(nproc) * 3)))
sweep: all
	$QJOBS=$(words $(parts)) BUILD=$(abspath $(O)) scripts/run-tests -v -t 7200 $(if $(SWEEP),"SWEEP=$(SWEEP) tests/system/syscalls.sh",\
		$(foreach i,$(parts),"SWEEP=$i/$(words $(parts)) tests/system/syscalls.sh"))

soak: all
	$QBUILD=$(abspath $(O)) SOAK="$(or $(SOAK),100000 10000 10000)" scripts/run-tests -v -t 7200 tests/system/soak.sh

# The library under other eyes: ThreadSanitizer where threads meet; valgrind, which knows of its stacks, over what needs no
# limits of memory; another processor, in emulation, for the switch and the core. Random programs are fewer there.
THREADED := blocking runtime loop host watchdog
CORE := switch fiber scope structure event exit timers schedule clock_virtual effect retry deferred queue hub semaphore mutex
tsan:
	$Qscripts/setup check
	$Q$(MAKE) SAN=thread B=$(B)/tsan $(THREADED:%=$(B)/tsan/san/tests/lib/test_%)
	$Qscripts/run-tests -t 600 $(THREADED:%='setarch -R $(B)/tsan/san/tests/lib/test_%')

valgrind:
	$Qscripts/setup valgrind
	$Q$(MAKE) $(CORE:%=$(O)/tests/lib/test_%)
	$QCK_TIMEOUT_MULTIPLIER=20 EFF_PROGRAMS=400 scripts/run-tests -t 1200 \
		$(CORE:%='valgrind -q --error-exitcode=9 --leak-check=full $(O)/tests/lib/test_%')

cross:
	$Qscripts/setup cross
	$Q$(MAKE) CC=aarch64-linux-gnu-gcc O=$(B)/aarch64 UV= $(CORE:%=$(B)/aarch64/tests/lib/test_%)
	$QCK_TIMEOUT_MULTIPLIER=20 EFF_PROGRAMS=400 scripts/run-tests -t 1200 $(CORE:%='qemu-aarch64 -L / $(B)/aarch64/tests/lib/test_%')

cover:
	$Q$(MAKE) COVER=1 SAN= build-tests
	$Qfind $(B)/cover -name '*.gcda' -delete
	$Qscripts/run-tests -t 1200 $(TESTS:%.c=$(B)/cover/%)
	$Qscripts/cover $(B)/cover

# What effd is linked behind all else: daemon/seldom.
seldom:
	$Q$(MAKE) COVER=1 $(B)/cover/effd
	$Qscripts/seldom $(B)/cover >$(B)/seldom && mv $(B)/seldom daemon/seldom

# Both fuzzers go on from where they were, and say what they find by ending with an error: what is left in $(B)/fuzz, or in
# $(B)/afl/found. AFL++ wants it said that nobody waits for cores, and its own ways of dying.
fuzz:
	$Q$(MAKE) CC=clang O=$(B)/fuzz SAN=fuzzer-no-link,address,undefined fuzzers
	$Qset -e; for f in $(FUZZ:tests/fuzz/%.c=%); do \
		mkdir -p $(B)/fuzz/corpus/$$f tests/fuzz/corpus/$$f; \
		$(B)/fuzz/$$f -dict=$(B)/fuzz/tests/fuzz/$$f.dict -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$(B)/fuzz/ \
			-print_final_stats=1 $(B)/fuzz/corpus/$$f tests/fuzz/corpus/$$f; done
	$Q$(MAKE) SAN=address,undefined $(san)/tests/daemon/test_scenarios
	$QEFFD_SECONDS=$(FUZZ_SECONDS) $(san)/tests/daemon/test_scenarios

afl: export AFL_NO_UI=1
afl: export AFL_AUTORESUME=1
afl: export AFL_SKIP_CPUFREQ=1
afl: export AFL_NO_AFFINITY=1
afl: export AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1
afl: export ASAN_OPTIONS=detect_stack_use_after_return=0:detect_leaks=0:abort_on_error=1:symbolize=0:allocator_may_return_null=1
afl: export UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1
afl:
	$Qscripts/setup afl
	$Q$(MAKE) CC=afl-clang-fast O=$(B)/afl SAN=address,undefined fuzzers
	$Qset -e; for f in $(FUZZ:tests/fuzz/%.c=%); do \
		found=$(B)/afl/found/$$f; mkdir -p $$found; \
		afl-fuzz -V $(FUZZ_SECONDS) -t 5000 -m none -x $(B)/afl/tests/fuzz/$$f.dict -i tests/fuzz/corpus/$$f -o $$found \
			-- $(B)/afl/$$f </dev/null; \
		for bad in $$found/default/crashes/id* $$found/default/hangs/id*; do \
			[ ! -e "$$bad" ] || { echo "afl: $$f does not stand this: $$bad"; exit 1; }; done; done

fuzzers: $(fuzzers) $(dictionaries)

# What is measured from outside stands alone; its helpers are as small as programs can be.
$(beside): $(call obj,$(BENCH_BESIDE))
	$(call say,LD,$@) $(LINK) -o $@ $^
$(O)/tests/bench/programs/%: tests/bench/programs/%.c $(O)/flags
	$(call say,LD,$@) $(CC) $(FLAGS) -O2 -fno-stack-protector -static -o $@ $< $(nostart)
ifneq ($(filter x86_64%,$(shell $(CC) -dumpmachine)),)
$(O)/tests/bench/programs/service: nostart := -nostdlib
endif

bench: all $(benches) $(beside) $(bench_programs)
	$QBUILD=$(abspath $(O)) tests/bench/run

# Where to: what is said to make is in the script's environment.
install: all
	$QBUILD='$(O)' UV='$(UV)' scripts/install
uninstall:
	$QBUILD='$(O)' UV='$(UV)' scripts/install remove

deb:
	$Qscripts/setup deb
	$Qscripts/deb $(B)/deb

clean:
	$Qrm -rf $(B)

-include $(ALL_OBJ:.o=.d) $(modules:.so=.d)
