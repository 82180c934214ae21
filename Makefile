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
	  -fcf-protection -ftrivial-auto-var-init=zero -D_FORTIFY_SOURCE=2
ALL	= -std=gnu11 -D_GNU_SOURCE -DVYX_VERSION='"$(VERSION)"' -Ilib -I. \
	  $(WARN) $(HARDEN) $(CPPFLAGS) $(CFLAGS)
LINK	= -pie -Wl,-z,relro,-z,now,--as-needed $(CFLAGS) $(LDFLAGS)
LIBS	= -ls6 -lskarnet -lsqlite3 -ljansson -lyaml

PROGS	:= $(notdir $(patsubst %/,%,$(dir $(wildcard cmd/*/main.c))))
SHELLS	:= $(basename $(notdir $(wildcard cmd/*/*.sh)))
LIBSRC	:= $(wildcard lib/*/*.c)
UNITS	:= $(basename $(notdir $(wildcard tests/unit/*.c)))
FUZZERS	:= $(basename $(notdir $(wildcard tests/fuzz/*.c)))
SRC	:= $(wildcard cmd/*/*.[ch] lib/*.h lib/*/*.[ch] tests/*/*.[ch])
PAGES	:= $(wildcard man/*.[1-9])

all: $(PROGS:%=$(B)/bin/%) $(SHELLS:%=$(B)/bin/%)

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL) -MMD -MP -c -o $@ $<

$(B)/libvyx.a: $(LIBSRC:%.c=$(B)/obj/%.o)
	rm -f $@ && $(AR) rc $@ $^

define program
$(B)/bin/$(1): $(patsubst %.c,$(B)/obj/%.o,$(wildcard cmd/$(1)/*.c)) \
    $(B)/libvyx.a
	@mkdir -p $$(@D)
	$$(CC) $$(LINK) -o $$@ $$^ $$(LIBS)
endef
$(foreach p,$(PROGS),$(eval $(call program,$(p))))

define shell
$(B)/bin/$(1): cmd/$(1)/$(1).sh
	@mkdir -p $$(@D)
	sed 's|@VERSION@|$(VERSION)|' $$< >$$@.new
	chmod 755 $$@.new && mv $$@.new $$@
endef
$(foreach p,$(SHELLS),$(eval $(call shell,$(p))))

$(B)/unit/%: $(B)/obj/tests/unit/%.o $(B)/libvyx.a
	@mkdir -p $(@D)
	$(CC) $(LINK) -o $@ $^ -lcmocka $(LIBS)

units: $(UNITS:%=$(B)/unit/%)

$(B)/fuzz/%: tests/fuzz/%.c $(LIBSRC)
	@mkdir -p $(@D)
	clang-14 $(ALL) -fsanitize=fuzzer,address,undefined -o $@ $< $(LIBSRC) $(LIBS)

-include $(wildcard $(B)/obj/*/*/*.d $(B)/obj/*/*/*/*.d)
.SECONDARY:
.PHONY: all units
