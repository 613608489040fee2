/*
 * stored_role.c
 *	  Roles in the catalog's tables: the type aread.stored_role.
 *
 * The type's input, output, send and receive functions, and functions that SQL and
 * views ask about roles.  Reading looks a name up in pg_authid, and so does writing:
 * none of them is immutable.  Nothing is locked; a role that is dropped later stays
 * in a value as an OID without a role, which nobody holds.
 */
#include "postgres.h"

#include "catalog/stored_role.h"

#include <ctype.h>

#include "compat.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

/* A value of the type; its storage is plain, so it is never packed nor compressed. */
typedef struct StoredRole
{
	int32		vl_len_;
	Oid			role;			/* 0: PUBLIC, or unresolved */
	char		text[FLEXIBLE_ARRAY_MEMBER];	/* of an unresolved one, without '\0'; else of no length */
} StoredRole;

#define DatumGetStoredRole(datum) ((const StoredRole *) PG_DETOAST_DATUM(datum))
#define PUBLIC_TEXT "public"

static StoredRole *
make_role(Oid role, const char *text)
{
	Size		length = strlen(text);
	StoredRole *stored = palloc0(offsetof(StoredRole, text) + length);

	SET_VARSIZE(stored, offsetof(StoredRole, text) + length);
	stored->role = role;
	memcpy(stored->text, text, length);
	return stored;
}

static Size
text_length(const StoredRole *stored)
{
	return VARSIZE(stored) - offsetof(StoredRole, text);
}

static bool
is_resolved(const StoredRole *stored)
{
	return text_length(stored) == 0;
}

static char *
text_of(const StoredRole *stored)
{
	return pnstrdup(stored->text, text_length(stored));
}

/* The name within quotes; NULL: the quotes are not well formed. */
static char *
unquoted(const char *text)
{
	char	   *name = palloc(strlen(text) + 1);
	char	   *end = name;

	for (text++; *text != '\0'; text++)
	{
		if (*text == '"' && *++text != '"')
		{
			*end = '\0';
			return *text == '\0' && end > name ? name : NULL;
		}
		*end++ = *text;
	}
	return NULL;
}

/* The name that a text means: "quoted", or one that needs no quotes.  NULL: it is none. */
static char *
name_of_text(const char *text)
{
	if (text[0] == '"')
		return unquoted(text);
	if (isdigit((unsigned char) text[0]) ||
		text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0')
		return NULL;
	return pstrdup(text);
}

/* What a text means now. */
static StoredRole *
read_role(const char *text)
{
	char	   *name;
	Oid			role;

	if (strcmp(text, PUBLIC_TEXT) == 0 || strcmp(text, "0") == 0)
		return make_role(InvalidOid, "");
	name = name_of_text(text);
	role = name ? get_role_oid(name, true) : InvalidOid;
	return OidIsValid(role) ? make_role(role, "") : make_role(InvalidOid, text);
}

static StoredRole *
read_nonempty(const char *text)
{
	if (text[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%s\"", "aread.stored_role", text)));
	return read_role(text);
}

static char *
write_role(const StoredRole *stored)
{
	const char *name;

	if (!is_resolved(stored))
		return text_of(stored);
	if (!OidIsValid(stored->role))
		return pstrdup(PUBLIC_TEXT);
	name = GetUserNameFromId(stored->role, true);
	return name ? pstrdup(quote_identifier(name)) : psprintf("dropped %u", stored->role);
}

bool
stored_role_is_held(Oid user, Datum role)
{
	const StoredRole *stored = DatumGetStoredRole(role);

	if (!is_resolved(stored))
		return false;
	if (!OidIsValid(stored->role))
		return true;
	/* superusers would have the rights of a role that is gone, too */
	return SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(stored->role)) &&
		has_privs_of_role(user, stored->role);
}

/*
 * The name that a stored role goes by, or did: its present one, the one that it
 * was read as, or what was noted beside it.
 */
static const char *
known_name(const StoredRole *stored, const char *noted)
{
	const char *name;

	if (!is_resolved(stored))
		name = name_of_text(text_of(stored));
	else if (!OidIsValid(stored->role))
		name = PUBLIC_TEXT;
	else
		name = GetUserNameFromId(stored->role, true);
	return name ? name : noted;
}

PG_FUNCTION_INFO_V1(aread_stored_role_in);
Datum
aread_stored_role_in(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(read_nonempty(PG_GETARG_CSTRING(0)));
}

PG_FUNCTION_INFO_V1(aread_stored_role_out);
Datum
aread_stored_role_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(write_role(DatumGetStoredRole(PG_GETARG_DATUM(0))));
}

PG_FUNCTION_INFO_V1(aread_stored_role_recv);
/* As text, because an OID says nothing elsewhere. */
Datum
aread_stored_role_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			length;

	PG_RETURN_POINTER(read_nonempty(pq_getmsgtext(message, message->len - message->cursor,
												  &length)));
}

PG_FUNCTION_INFO_V1(aread_stored_role_send);
Datum
aread_stored_role_send(PG_FUNCTION_ARGS)
{
	const char *text = write_role(DatumGetStoredRole(PG_GETARG_DATUM(0)));
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendtext(&message, text, strlen(text));
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

PG_FUNCTION_INFO_V1(aread_as_role);
/* as_role(oid); 0 is PUBLIC */
Datum
aread_as_role(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(make_role(PG_GETARG_OID(0), ""));
}

PG_FUNCTION_INFO_V1(aread_role_oid);
/* role_oid(role); 0 for PUBLIC, NULL if it is unresolved */
Datum
aread_role_oid(PG_FUNCTION_ARGS)
{
	const StoredRole *stored = DatumGetStoredRole(PG_GETARG_DATUM(0));

	if (!is_resolved(stored))
		PG_RETURN_NULL();
	PG_RETURN_OID(stored->role);
}

PG_FUNCTION_INFO_V1(aread_has_role);
/* has_role(role): of the current user, which a view's caller is, not its owner */
Datum
aread_has_role(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(stored_role_is_held(GetUserId(), PG_GETARG_DATUM(0)));
}

PG_FUNCTION_INFO_V1(aread_role_name);
/* role_name(role, noted) */
Datum
aread_role_name(PG_FUNCTION_ARGS)
{
	const char *name = known_name(DatumGetStoredRole(PG_GETARG_DATUM(0)),
								  NameStr(*PG_GETARG_NAME(1)));

	PG_RETURN_DATUM(DirectFunctionCall1(namein, CStringGetDatum(name)));
}

PG_FUNCTION_INFO_V1(aread_find_role);
/*
 * find_role(role, noted): what an unresolved one means by now, by its text or,
 * where that is 0.2.0's OID, by the name that was noted; others are as they were.
 */
Datum
aread_find_role(PG_FUNCTION_ARGS)
{
	const StoredRole *stored = DatumGetStoredRole(PG_GETARG_DATUM(0));
	const char *text;
	StoredRole *found;

	if (is_resolved(stored))
		PG_RETURN_POINTER(stored);
	text = text_of(stored);
	if (text[strspn(text, "0123456789")] != '\0')
		PG_RETURN_POINTER(read_role(text));
	found = read_role(quote_identifier(NameStr(*PG_GETARG_NAME(1))));
	PG_RETURN_POINTER(is_resolved(found) ? found : stored);
}
