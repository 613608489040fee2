/*
 * convert.c
 *	  Values from one type to another, and to text, without foreign code.
 *
 * Casts are decided once, when an encoder is made: none, a cast's function, digits,
 * or text through the input function.  Rights to functions are checked then, as the
 * user of that moment; conversion_state() says how long that holds.
 *
 * Domains count as their base type: none of their constraints is checked, so no
 * function of theirs runs.  Output functions whose text depends on settings run
 * under fixed ones, which an error resets, too.
 */
#include "postgres.h"

#include "source/keys/convert.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/objectaccess.h"
#include "catalog/pg_cast.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "source/keys/decimal.h"
#include "syscache_state.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

ConversionState
conversion_state(void)
{
	return (ConversionState) {.catalog = syscache_state(),.user = GetUserId()};
}

bool
conversions_hold(const ConversionState *made)
{
	return made->catalog == syscache_state() && made->user == GetUserId();
}

/* What decides whether a function may be called. */
typedef struct FunctionFacts
{
	Oid			owner;
	Oid			language;
	int			n_arguments;
} FunctionFacts;

static FunctionFacts
read_function(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	FunctionFacts facts;
	Form_pg_proc row;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("function with OID %u does not exist", function)));
	row = (Form_pg_proc) GETSTRUCT(tuple);
	facts = (FunctionFacts) {.owner = row->proowner,.language = row->prolang,
	.n_arguments = row->pronargs};
	ReleaseSysCache(tuple);
	return facts;
}

static bool
is_trusted(Oid owner)
{
	return owner == GetUserId() || superuser_arg(owner);
}

/*
 * A type's input or output function.  Only superusers can make one, for it has
 * to be in C; but they may have given it away, and its new owner can change
 * under which settings and as whom it runs.
 */
static void
io_init(FmgrInfo *info, Oid function, const ValueType *type, MemoryContext context)
{
	if (function >= FirstNormalObjectId)
	{
		FunctionFacts facts = read_function(function);

		if ((facts.language != INTERNALlanguageId && facts.language != ClanguageId) ||
			!is_trusted(facts.owner))
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("values of type %s cannot be read or written",
							format_type_be(type->type)),
					 errdetail("Its function %s is not in C, or belongs to a role that is neither superuser nor the current one.",
							   format_procedure(function)),
					 errhint("Let a superuser own the function, or use a value of another type.")));
	}
	fmgr_info_cxt(function, info, context);
}

void
output_init(ValueOutput *output, const ValueType *type, MemoryContext context)
{
	io_init(&output->function, type->output, type, context);
	/* enums have no settings */
	output->pin_settings = type->kind == TYPTYPE_BASE;
}

/* Settings that types are written by. */
typedef struct OutputSettings
{
	int			float_digits;
	int			date_style;
	int			date_order;
	int			interval_style;
	int			bytea;
	pg_tz	   *zone;
} OutputSettings;

static OutputSettings
current_settings(void)
{
	return (OutputSettings) {
		.float_digits = extra_float_digits,.date_style = DateStyle,.date_order = DateOrder,
		.interval_style = IntervalStyle,.bytea = bytea_output,.zone = session_timezone
	};
}

/* The variables themselves: SET and back for each value would cost more than the value. */
static void
use_settings(const OutputSettings *settings)
{
	extra_float_digits = settings->float_digits;
	DateStyle = settings->date_style;
	DateOrder = settings->date_order;
	IntervalStyle = settings->interval_style;
	bytea_output = settings->bytea;
	session_timezone = settings->zone;
}

static char *
output_pinned(ValueOutput *output, Datum value)
{
	const OutputSettings before = current_settings();
	const OutputSettings pinned = {
		.float_digits = 1,.date_style = USE_ISO_DATES,.date_order = DATEORDER_MDY,
		.interval_style = INTSTYLE_POSTGRES,.bytea = BYTEA_OUTPUT_HEX,.zone = pg_tzset("GMT")
	};
	char	   *string;

	PG_TRY();
	{
		use_settings(&pinned);
		string = OutputFunctionCall(&output->function, value);
	}
	PG_FINALLY();
	{
		use_settings(&before);
	}
	PG_END_TRY();
	return string;
}

char *
output_value(ValueOutput *output, Datum value)
{
	return output->pin_settings ? output_pinned(output, value) :
		OutputFunctionCall(&output->function, value);
}

/* The cast that the catalog has, if it is an implicit or assignment one. */
static bool
find_cast(Oid from, Oid to, Oid *function, char *method)
{
	HeapTuple	tuple = SearchSysCache2(CASTSOURCETARGET, ObjectIdGetDatum(from),
										ObjectIdGetDatum(to));
	Form_pg_cast row;
	bool		found;

	if (!HeapTupleIsValid(tuple))
		return false;
	row = (Form_pg_cast) GETSTRUCT(tuple);
	found = row->castcontext != COERCION_CODE_EXPLICIT;
	*function = row->castfunc;
	*method = row->castmethod;
	ReleaseSysCache(tuple);
	return found;
}

/* A cast's function; what the server checks in a query's expression, and whose it is. */
static void
check_cast(const char *feature, const ValueType *from, const ValueType *to, Oid function,
		   Oid owner)
{
	bool		executable = function_aclcheck(function, GetUserId()) == ACLCHECK_OK;

	if (executable && is_trusted(owner))
	{
		InvokeFunctionExecuteHook(function);
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("feature \"%s\" cannot take a value of type %s as %s", feature,
					format_type_be(from->type), format_type_be(to->type)),
			 executable ?
			 errdetail("The cast's function %s belongs to \"%s\", who is neither superuser nor the current user.",
					   format_procedure(function), GetUserNameFromId(owner, true)) :
			 errdetail("The current user may not execute the cast's function %s.",
					   format_procedure(function)),
			 errhint("Pass a value that is of type %s.", format_type_be(to->type))));
}

static bool
is_text(Oid type)
{
	return type == UNKNOWNOID || type == TEXTOID || type == VARCHAROID || type == BPCHAROID;
}

/* Digits of numbers are never asked of foreign casts. */
static bool
is_number_cast(Oid from, Oid to)
{
	return has_digits(from) && (has_digits(to) || to == BOOLOID);
}

static void
init_through_text(ValueCast *cast, const ValueType *from, const ValueType *to,
				  MemoryContext context)
{
	/* input functions of others call those of their parts, whose domains have functions of users */
	if ((to->kind != TYPTYPE_BASE && to->kind != TYPTYPE_ENUM) || OidIsValid(to->element))
		ereport(ERROR,
				(errcode(ERRCODE_CANNOT_COERCE),
				 errmsg("cannot cast type %s to %s", format_type_be(from->type),
						format_type_be(to->type))));
	if (!is_text(cast->from))
		output_init(&cast->output, from, context);
	if (to->kind == TYPTYPE_ENUM)
	{
		cast->kind = CAST_LABEL;
		return;
	}
	cast->kind = has_digits(to->type) || to->type == BOOLOID ? CAST_DIGITS : CAST_TEXT;
	cast->io_param = to->io_param;
	io_init(&cast->function, to->input, to, context);
}

void
cast_init(ValueCast *cast, const char *feature, const ValueType *from, const ValueType *to,
		  MemoryContext context)
{
	FunctionFacts facts;
	Oid			function;
	char		method;

	cast->from = from->type;
	cast->to = to->type;
	cast->kind = CAST_NONE;
	if (from->type == to->type)
		return;
	if (is_number_cast(from->type, to->type))
	{
		cast->kind = CAST_DIGITS;
		return;
	}
	if (from->type != UNKNOWNOID && find_cast(from->type, to->type, &function, &method))
	{
		if (method == COERCION_METHOD_BINARY)
			return;				/* such casts are a superuser's */
		if (method == COERCION_METHOD_FUNCTION)
		{
			facts = read_function(function);
			if (facts.n_arguments == 1)
			{
				check_cast(feature, from, to, function, facts.owner);
				cast->kind = CAST_FUNCTION;
				fmgr_info_cxt(function, &cast->function, context);
				return;
			}
		}
	}
	init_through_text(cast, from, to, context);
}

/* A new string, as casts to text have it: char(n) without its blanks, booleans in full. */
static char *
value_string(ValueCast *cast, Datum value)
{
	char	   *string;

	if (cast->from == UNKNOWNOID)
		return pstrdup(DatumGetCString(value));
	if (cast->from == BOOLOID)
		return pstrdup(DatumGetBool(value) ? "true" : "false");
	string = is_text(cast->from) ? TextDatumGetCString(value) : output_value(&cast->output, value);
	if (cast->from == BPCHAROID)
		string[bpchartruelen(string, strlen(string))] = '\0';
	return string;
}

char *
cast_digits(ValueCast *cast, Datum value)
{
	char	   *string;

	if (cast->kind != CAST_DIGITS)
		return NULL;
	if (has_digits(cast->from))
		return decimal_digits(cast->from, value);
	string = value_string(cast, value);
	return is_decimal(string) ? string : NULL;
}

Datum
cast_apply(ValueCast *cast, Datum value)
{
	switch (cast->kind)
	{
		case CAST_NONE:
			return value;
		case CAST_FUNCTION:
			return FunctionCall1(&cast->function, value);
		case CAST_DIGITS:
		case CAST_TEXT:
			return InputFunctionCall(&cast->function, value_string(cast, value), cast->io_param,
									 -1);
		case CAST_LABEL:
			return CStringGetTextDatum(value_string(cast, value));
	}
	pg_unreachable();
}

/* NaN is above all numbers, as PostgreSQL orders it. */
static int64
nearest_integer(const char *digits, int64 lowest, int64 highest)
{
	int64		number;

	if (strpbrk(digits, "nN"))
		return digits[0] == '-' ? lowest : highest;
	number = strtoll(decimal_canonical(digits, true), NULL, 10);
	return Min(Max(number, lowest), highest);
}

Datum
cast_nearest(ValueCast *cast, Datum value)
{
	char	   *digits = cast_digits(cast, value);
	bool		past;

	if (!digits)
		return cast_value(cast, value);
	switch (cast->to)
	{
		case INT2OID:
			return Int16GetDatum((int16) nearest_integer(digits, PG_INT16_MIN, PG_INT16_MAX));
		case INT4OID:
			return Int32GetDatum((int32) nearest_integer(digits, PG_INT32_MIN, PG_INT32_MAX));
		case INT8OID:
			return Int64GetDatum(nearest_integer(digits, PG_INT64_MIN, PG_INT64_MAX));
		case OIDOID:
			return ObjectIdGetDatum((Oid) nearest_integer(digits, 0, PG_UINT32_MAX));
		case FLOAT4OID:
			return Float4GetDatum((float4) decimal_float(digits, FLOAT4OID, &past));
		case FLOAT8OID:
			return Float8GetDatum(decimal_float(digits, FLOAT8OID, &past));
		case BOOLOID:
			return BoolGetDatum(nearest_integer(digits, 0, 1) == 1);
		default:
			return NumericGetDatum(decimal_numeric(digits));
	}
}
