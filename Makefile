# SPDX-License-Identifier: ISC
# cmd/NAME/*.c and what it needs of lib/*/*.c become build/bin/NAME; a shell
# program is cmd/NAME/NAME.sh. A new program, module, page, unit test or fuzz
# target needs no line here.

VERSION	= 0.1.0
B	= build
PREFIX	= /usr/local
CFLAGS	= -O2 -g
WARN	= -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wcast-qual -Wvla \
	  -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
	  -Wformat=2 -Wundef -Wpointer-arith -Werror
# what -fhardened stands for where the compiler has it
HARDEN	= -fPIE -fstack-protector-strong -fstack-clash-protection \
	  $(if $(filter x86_64,$(shell uname -m)),-fcf-protection) \
	  -ftrivial-auto-var-init=zero -D_FORTIFY_SOURCE=2
ALL	= -std=gnu11 -D_GNU_SOURCE -DVYX_VERSION='"$(VERSION)"' -Ilib -I. \
	  $(WARN) $(HARDEN) $(CPPFLAGS) $(CFLAGS)
LINK	= -pie -Wl,-z,relro,-z,now,--as-needed $(CFLAGS) $(LDFLAGS)
LIBS	= -ls6 -lskarnet -lsqlite3 -ljansson -lyaml -lbearssl

PROGS	:= $(notdir $(patsubst %/,%,$(dir $(wildcard cmd/*/main.c))))
SHELLS	:= $(basename $(notdir $(wildcard cmd/*/*.sh)))
LIBSRC	:= $(wildcard lib/*/*.c)
UNITS	:= $(basename $(notdir $(wildcard tests/unit/*.c)))
FUZZERS	:= $(basename $(notdir $(wildcard tests/fuzz/*.c)))
SRC	:= $(wildcard cmd/*/*.[ch] lib/*.h lib/*/*.[ch] tests/*/*.[ch])
PAGES	:= $(wildcard man/*.[1-9])
SV	:= $(shell find sv -type f 2>/dev/null)
# as many at a time as there are processors, unless make was told otherwise
J	= $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
SELF	= $(MAKE) --no-print-directory
# linked into every program; only `make asan` has some
EXTRA	=
ASAN	= EXTRA=etc/dev/sanitized.c HARDEN=-fPIE \
	  CPPFLAGS='-DSANITIZED_LOG=\"$(abspath $(B))/asan/check/asan/report\"' \
	  CFLAGS='-O1 -g -Wno-error -fno-omit-frame-pointer \
	  -fsanitize=address,undefined -fno-sanitize-recover=undefined'
# these look at sources, not at what was built
SKIP	= CHECK_SKIP='dev.bats map.bats'
SECONDS	= 20
# V=1 shows the whole commands
Q	= $(if $(V),,@)
say	= $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),@:,@echo '  $(1)')

all: $(PROGS:%=$(B)/bin/%) $(SHELLS:%=$(B)/bin/%) $(B)/share/vyx/sv

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,cc $<)
	$(Q)$(CC) $(ALL) -MMD -MP -c -o $@ $<

$(B)/libvyx.a: $(LIBSRC:%.c=$(B)/obj/%.o)
	$(Q)rm -f $@ && $(AR) rc $@ $^

define program
$(B)/bin/$(1): $(patsubst %.c,$(B)/obj/%.o,$(wildcard cmd/$(1)/*.c) $(EXTRA)) \
    $(B)/libvyx.a
	@mkdir -p $$(@D)
	$$(call say,ld $$@)
	$$(Q)$$(CC) $$(LINK) -o $$@ $$^ $$(LIBS)
endef
$(foreach p,$(PROGS),$(eval $(call program,$(p))))

define script
$(B)/bin/$(1): cmd/$(1)/$(1).sh
	@mkdir -p $$(@D)
	$$(call say,sh $$@)
	$$(Q)sed 's|@VERSION@|$(VERSION)|' $$< >$$@.new
	$$(Q)chmod 755 $$@.new && mv $$@.new $$@
endef
$(foreach p,$(SHELLS),$(eval $(call script,$(p))))

# templates of service directories, beside bin as they are once installed
$(B)/share/vyx/sv: $(SV)
	@mkdir -p $(@D)
	$(Q)rm -rf $@ && cp -R sv $@

$(B)/unit/%: $(B)/obj/tests/unit/%.o $(EXTRA:%.c=$(B)/obj/%.o) $(B)/libvyx.a
	@mkdir -p $(@D)
	$(call say,ld $@)
	$(Q)$(CC) $(LINK) -o $@ $^ -lcmocka $(LIBS)

units: $(UNITS:%=$(B)/unit/%)

# sanitized and instrumented objects of their own, by clang
FUZZ	= -fsanitize=fuzzer-no-link,address,undefined
$(B)/fuzzobj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,clang $<)
	$(Q)clang-14 $(filter-out $(HARDEN),$(ALL)) -fPIE -O1 $(FUZZ) -MMD -MP -c -o $@ $<

$(B)/fuzz/%: $(B)/fuzzobj/tests/fuzz/%.o $(LIBSRC:%.c=$(B)/fuzzobj/%.o)
	@mkdir -p $(@D)
	$(call say,ld $@)
	$(Q)clang-14 -pie -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS)

# the other parser that http1_llhttp compares with, from Debian's node-llhttp
$(B)/fuzzobj/llhttp/%.o: /usr/share/llhttp/%.c
	@mkdir -p $(@D)
	$(Q)clang-14 -O1 -fPIE -w -DLLHTTP_STRICT_MODE=1 \
	    -I/usr/share/include/llhttp -c -o $@ $<
$(B)/fuzz/http1_llhttp: $(patsubst %,$(B)/fuzzobj/llhttp/%.o,api http llhttp)

fuzzers: $(FUZZERS:%=$(B)/fuzz/%)

deps: ## install the Debian packages that are missing; all others need the network only then
	@etc/dev/deps build
	@etc/dev/deps test

run: ## install what is missing, build, run the demo of etc/demo in the foreground
	@etc/dev/deps build
	@$(SELF) $(J) all
	@exec etc/dev/run $(B)

# the tests, then again under the sanitizers; each adds its sum to $(B)/sum
check: ## install what is missing, build, run all tests, plain and sanitized; T=word chooses
	@etc/dev/deps test
	@mkdir -p $(B) && rm -f $(B)/sum
	@CHECK_SUM=$(abspath $(B)/sum) $(SELF) check-here || :
	@CHECK_SUM=$(abspath $(B)/sum) $(SKIP) $(SELF) B=$(B)/asan $(ASAN) check-here || :
	@awk '{ p += $$1; f += $$2 } END { if (NR < 2) { f++; \
	    print "a build failed, see above" } \
	    print p+0 " passed, " f+0 " failed"; exit f > 0 }' $(B)/sum

check-here: # the tests on $(B), as it is built
	@$(SELF) $(J) all units
	@etc/dev/check $(B) '$(T)'

check-slow: ## all tests, and those that take minutes (tests/flow_s_*)
	@CHECK_SLOW=1 $(SELF) check

asan: ## the tests under the address and undefined-behaviour sanitizers alone
	@$(SKIP) $(SELF) B=$(B)/asan $(ASAN) check-here

fuzz: ## each fuzz target for SECONDS=20; what it finds is in build/corpus
	@$(SELF) $(J) fuzzers
	@for f in $(FUZZERS); do echo "fuzz $$f"; \
	    mkdir -p $(B)/corpus/$$f && \
	    ( cd $(B)/corpus && ../fuzz/$$f -max_total_time=$(SECONDS) \
	    -timeout=5 -rss_limit_mb=1024 \
	    -artifact_prefix=$$f- $$f $(CURDIR)/tests/fuzz/corpus/$$f \
	    >$$f.log 2>&1 || { tail -n 60 $$f.log; exit 1; }; \
	    tail -n 1 $$f.log ) || exit 1; done

lint: ## format, manual pages, shell, layers, lengths, compilers, analysers; L=check for one
	@etc/dev/deps test
	@B=$(B) CC='$(CC)' WARN='$(WARN)' etc/dev/lint $(L)

cover: ## lines that the tests reach, per file, lowest first
	@$(SELF) B=$(B)/cover HARDEN=-fPIE CFLAGS='-O0 -g -Wno-error --coverage' \
	    check-here || :
	@etc/dev/cover $(B)/cover

map: ## who talks to whom, and what they say: the tables of lib/vyx.h
	@etc/dev/map lib/vyx.h

install: all ## into $(DESTDIR)$(PREFIX), /usr/local unless told
	install -d '$(DESTDIR)$(PREFIX)/bin'
	install -t '$(DESTDIR)$(PREFIX)/bin' $(PROGS:%=$(B)/bin/%) \
	    $(SHELLS:%=$(B)/bin/%)
	install -d '$(DESTDIR)$(PREFIX)/share/vyx'
	rm -rf '$(DESTDIR)$(PREFIX)/share/vyx/sv'
	cp -R $(B)/share/vyx/sv '$(DESTDIR)$(PREFIX)/share/vyx'
	for p in $(PAGES); do install -D -m 644 -t \
	    '$(DESTDIR)$(PREFIX)/share/man'/man$${p##*.} $$p || exit; done

uninstall: ## take away what install put there
	for p in $(PROGS) $(SHELLS); do rm -f '$(DESTDIR)$(PREFIX)/bin'/$$p; done
	rm -rf '$(DESTDIR)$(PREFIX)/share/vyx'
	for p in $(PAGES:man/%=%); do \
	    rm -f '$(DESTDIR)$(PREFIX)/share/man'/man$${p##*.}/$$p; done

clean: ## remove what was built
	rm -rf $(B)

help: ## this list
	@echo 'make            build all programs into build/bin'
	@sed -n 's/^\([a-z-]*\):[^#]*## /make \1	/p' Makefile | \
	    expand -t 16

-include $(wildcard $(B)/obj/*/*/*.d $(B)/obj/*/*/*/*.d $(B)/fuzzobj/*/*/*.d)
.SECONDARY:
.PHONY: all units fuzzers deps run check check-here check-slow asan fuzz lint \
    cover map install uninstall clean help
