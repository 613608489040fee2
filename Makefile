# aread: adaptive recommendation for all domains, inside PostgreSQL.
#
#   make && make install        build and install (needs server headers, OpenBLAS)
#   make installcheck           SQL tests against a running server
#   make unit                   engine tests, stand-alone, under ASan and UBSan
#   make demo, make check       everything by themselves, on a bare machine too
#
# PGXS needs pg_config; demo and check must work without it.

PG_CONFIG ?= pg_config
SCRIPTED := demo check

ifneq ($(filter $(SCRIPTED),$(MAKECMDGOALS)),)

.PHONY: $(SCRIPTED)
$(SCRIPTED):
	scripts/$@

else ifneq ($(filter unit,$(MAKECMDGOALS)),)

.PHONY: unit
unit:
	$(MAKE) -C test/unit check

else

EXTENSION = aread
EXTVERSION = $(shell sed -n "s/^default_version = '\(.*\)'/\1/p" aread.control)
MODULE_big = aread
ENGINE_OBJS = $(patsubst %.c,%.o,$(wildcard src/engine/*.c))
OBJS = $(patsubst %.c,%.o,$(wildcard src/*.c src/source/*.c src/catalog/*.c src/serve/*.c src/api/*.c)) \
	$(ENGINE_OBJS)
DATA_built = aread--$(EXTVERSION).sql
EXTRA_CLEAN = aread--*.sql $(OBJS:.o=.d) test/unit/build

PG_CPPFLAGS = -Isrc -MMD -MP
PG_CFLAGS = -fvisibility=hidden -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Wno-sign-compare
ifdef WERROR
PG_CFLAGS += -Werror
endif
SHLIB_LINK = -lopenblas -lm

REGRESS = $(patsubst test/sql/%.sql,%,$(sort $(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --load-extension=aread
ISOLATION = $(patsubst test/isolation/%.spec,%,$(sort $(wildcard test/isolation/*.spec)))
with_llvm = no

PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# The engine is C11 without PostgreSQL's restrictions, and worth the optimizer's time.
$(ENGINE_OBJS): PG_CFLAGS += -O3 -fno-math-errno -Wno-declaration-after-statement

aread--$(EXTVERSION).sql: sql/aread.sql aread.control
	cp $< $@

-include $(OBJS:.o=.d)

endif
