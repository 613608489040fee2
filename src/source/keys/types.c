/*
 * types.c
 *	  Types of values: what the catalog says of them now, and whether it has
 *	  changed since.
 *
 * Models keep types by name, and nothing holds a type while a session holds the
 * model: it may be dropped, made anew as something else, renamed.  Whatever was
 * made of types is made again when syscache_state() says so.  A type is read as
 * one row at once, for between two look-ups it may be gone.
 */
#include "postgres.h"

#include "source/keys/types.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "syscache_state.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

/* One row; false if it is gone. */
static bool
read_row(Oid type, ValueType *read, Oid *domain_of)
{
	HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	Form_pg_type row;

	if (!HeapTupleIsValid(tuple))
		return false;
	row = (Form_pg_type) GETSTRUCT(tuple);
	*read = (ValueType) {
		.type = type,.kind = row->typtype,.category = row->typcategory,.length = row->typlen,
		.by_value = row->typbyval,.align = row->typalign,
		.element = IsTrueArrayType(row) ? row->typelem : InvalidOid,
		.is_citext = row->typcategory == TYPCATEGORY_STRING && row->typlen == -1 &&
		strcmp(NameStr(row->typname), "citext") == 0,
		.input = row->typinput,.output = row->typoutput,.io_param = getTypeIOParam(tuple)
	};
	*domain_of = row->typtype == TYPTYPE_DOMAIN ? row->typbasetype : InvalidOid;
	ReleaseSysCache(tuple);
	return true;
}

bool
type_read(Oid type, ValueType *read)
{
	do
	{
		if (!read_row(type, read, &type))
			return false;
	} while (OidIsValid(type));
	return true;
}

void
type_require(Oid type, ValueType *read)
{
	if (!type_read(type, read))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type with OID %u does not exist", type)));
}

/* The types whose names do not tell their schema; InvalidOid if it is none of them. */
static Oid
standard_type(const char *name)
{
	static const struct
	{
		const char *name;
		Oid			type;
	}			standard[] = {
		{"bigint", INT8OID}, {"bit", BITOID}, {"bit varying", VARBITOID}, {"boolean", BOOLOID},
		{"character", BPCHAROID}, {"character varying", VARCHAROID},
		{"double precision", FLOAT8OID}, {"integer", INT4OID}, {"interval", INTERVALOID},
		{"numeric", NUMERICOID}, {"real", FLOAT4OID}, {"smallint", INT2OID},
		{"time with time zone", TIMETZOID}, {"time without time zone", TIMEOID},
		{"timestamp with time zone", TIMESTAMPTZOID},
		{"timestamp without time zone", TIMESTAMPOID}
	};

	for (int i = 0; i < lengthof(standard); i++)
		if (strcmp(standard[i].name, name) == 0)
			return standard[i].type;
	return InvalidOid;
}

/*
 * A type by the name that format_type_extended() gives it with its schema:
 * what is stored may come from anywhere, and is not worth a parser.
 */
Oid
type_by_name(const char *name)
{
	Oid			type = standard_type(name);
	List	   *parts;
	Oid			namespace;

	if (OidIsValid(type) || !SplitIdentifierString(pstrdup(name), '.', &parts) ||
		list_length(parts) != 2)
		return type;
	/* no schema is called pg_temp; it stands for the session's own */
	namespace = strcmp(linitial(parts), "pg_temp") == 0 ?
		LookupExplicitNamespace("pg_temp", true) : get_namespace_oid(linitial(parts), true);
	if (!OidIsValid(namespace))
		return InvalidOid;
	return GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum(lsecond(parts)),
						   ObjectIdGetDatum(namespace));
}

void
types_resolve(FeatureSpec *spec)
{
	uint64		now = syscache_state();	/* before the look-ups, which may meet a change */

	if (spec->resolved == now)
		return;
	for (int f = 0; f < spec->n_features + spec->has_history; f++)
		spec->features[f].type = type_by_name(spec->features[f].type_name);
	spec->resolved = now;
}
