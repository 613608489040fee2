# aread: adaptive recommendation for all domains, inside PostgreSQL.
#
#   make && make install        build and install (needs server headers, OpenBLAS)
#   make installcheck           tests against a running server that has it installed
#   make unit                   engine tests, stand-alone, under ASan and UBSan
#   make fuzz                   hostile bytes, each target for FUZZ_SECONDS (30); all set-up included
#   make demo, make check       all set-up included, on a bare machine too
#   make check-all              make check, the same with PostgreSQL 17 and 18 in chroots, and the container's image
#
# Variables: PG_CONFIG (which PostgreSQL), WERROR=1 (warnings are errors),
# FAULTS=1 (points that fail on demand, for test/faults).

PG_CONFIG ?= pg_config
STANDALONE = demo check check-all unit fuzz

# PGXS needs pg_config, and has a "check" of its own: leave it out where no goal needs it.
ifneq ($(filter-out $(STANDALONE),$(or $(MAKECMDGOALS),all)),)

EXTENSION = aread
EXTVERSION := $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" aread.control)
MODULE_big = aread
OBJS := $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c src/*/*/*.c)))
ENGINE_OBJS := $(filter src/engine/%,$(OBJS))
DATA_built = aread--$(EXTVERSION).sql
# Scripts that upgrade earlier versions; those that made them are with the tests.
DATA = $(sort $(wildcard sql/aread--*--*.sql))
EXTRA_CLEAN = aread--*.sql $(OBJS:.o=.d) test/unit/build test/fuzz/build

PG_CPPFLAGS = -Isrc -MMD -MP -DAREAD_VERSION='"$(EXTVERSION)"'
PG_CFLAGS = -Wextra -Wshadow=compatible-local \
	-Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare
ifdef WERROR
PG_CFLAGS += -Werror
endif
ifdef FAULTS
PG_CPPFLAGS += -DAREAD_FAULTS
endif
# OpenBLAS is loaded by src/blas.c.
SHLIB_LINK = -lm -lpthread -ldl
# Nothing else is visible to the server's other libraries.
SHLIB_EXPORTS = src/exports.txt
# No bitcode: nothing here gains from being inlined into a query.
override with_llvm = no

# Tests by what lies in their directories; an empty list leaves a suite out.
REGRESS := $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --load-extension=aread
PGTAP := $(sort $(wildcard test/pgtap/*.sql))
PGTAP_DB = pgtap_regression
ISOLATION := $(patsubst test/isolation/specs/%.spec,%,$(sort $(wildcard test/isolation/specs/*.spec)))
ISOLATION_OPTS = --inputdir=test/isolation --load-extension=aread
PROVE_TESTS := $(sort $(wildcard test/t/*.pl))
TAP_TESTS := $(if $(PROVE_TESTS),1)

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# The engine is C11 without PostgreSQL's restrictions, and worth the optimizer's time.
$(ENGINE_OBJS): override CFLAGS += -O3 -fno-math-errno -fvisibility=hidden -Wno-declaration-after-statement

aread--$(EXTVERSION).sql: sql/aread.sql aread.control
	cp $< $@

# A database with pgTAP and aread loaded, in which every file runs.
.PHONY: installcheck-pgtap
installcheck-pgtap:
	$(bindir)/dropdb --if-exists $(PGTAP_DB)
	$(bindir)/createdb $(PGTAP_DB)
	$(bindir)/psql -X -q -v ON_ERROR_STOP=1 -d $(PGTAP_DB) \
		-c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION aread'
	pg_prove $(PROVE_FLAGS) --psql-bin $(bindir)/psql -d $(PGTAP_DB) $(PGTAP)
	$(bindir)/dropdb $(PGTAP_DB)
ifneq ($(strip $(PGTAP)),)
installcheck: installcheck-pgtap
endif

-include $(OBJS:.o=.d)

endif

.PHONY: $(STANDALONE)
demo:
	scripts/demo

unit:
	$(MAKE) -C test/unit check

fuzz:
	$(MAKE) -C test/fuzz check

check-all:
	scripts/check
	test/chroots
	test/image

# Only where it is asked for: PGXS's own rule of that name gives way with a warning.
ifneq ($(filter check,$(MAKECMDGOALS)),)
check:
	scripts/check
endif
