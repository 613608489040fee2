/*
 * history.c
 *	  What became of a model's versions, event by event, and the way back.
 */
#include "postgres.h"

#include "catalog/history.h"

#include "catalog/access.h"
#include "catalog/arguments.h"
#include "miscadmin.h"
#include "utils/builtins.h"

/* Versions, the deployed one on top; none twice in a row. */
typedef struct Stack
{
	int32	   *versions;
	uint64		n;
} Stack;

void
history_add(const LockedModel *model, const HistoryEvent *event)
{
	Arguments	arguments = {0};

	add_int8(&arguments, model->id);
	add_int4(&arguments, event->version);
	add_int4(&arguments, model->deployed);
	add_bool(&arguments, event->deployed);
	add_oid(&arguments, model->user);
	add_text(&arguments, GetUserNameFromId(model->user, false));
	add_text(&arguments, event->action);
	add_text(&arguments, event->reason);
	run_statement("INSERT INTO aread.stored_deployment"
				  " (model_id, version, previous, deployed, role, role_name, at, action, reason)"
				  " VALUES ($1, $2, NULLIF($3, 0), $4, aread.as_role($5), $6, pg_catalog.now(), $7, $8)",
				  &arguments);
}

void
history_drop(const LockedModel *model)
{
	Arguments	arguments = {0};

	add_int8(&arguments, model->id);
	run_statement("DELETE FROM aread.stored_deployment WHERE model_id = $1", &arguments);
}

static void
push(Stack *stack, int32 version)
{
	if (version > 0 && (stack->n == 0 || stack->versions[stack->n - 1] != version))
		stack->versions[stack->n++] = version;
}

/* Back to a version below the top; to one that is not there, nothing is left. */
static void
go_back(Stack *stack, int32 version)
{
	do
	{
		if (stack->n > 0)
			stack->n--;
	} while (stack->n > 0 && stack->versions[stack->n - 1] != version);
	push(stack, version);
}

/* An integer column of the rows at hand; 0 is NULL. */
static int32
integer_at(uint64 row, int column)
{
	bool		isnull;
	Datum		value = catalog_value(row, column, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

/*
 * All deployments once more.  What was deployed before the first of them, by a
 * version of this extension that kept no history, lies at the bottom.
 */
static Stack
replay(const LockedModel *model)
{
	Arguments	arguments = {0};
	Stack		stack = {0};
	uint64		n;

	add_int8(&arguments, model->id);
	n = run_statement("SELECT version, previous, action = 'rollback' FROM aread.stored_deployment"
					  " WHERE model_id = $1 AND deployed ORDER BY deployment_id", &arguments);
	stack.versions = MemoryContextAllocHuge(CurrentMemoryContext, (n + 2) * sizeof(int32));
	push(&stack, n > 0 ? integer_at(0, 2) : model->previous);
	for (uint64 row = 0; row < n; row++)
	{
		int32		version = integer_at(row, 1);

		if (DatumGetBool(catalog_value(row, 3, NULL)))
			go_back(&stack, version);
		else
			push(&stack, version);
	}
	/* superusers may have written the model by hand */
	push(&stack, model->deployed);
	return stack;
}

static bool
is_there(const LockedModel *model, int32 version)
{
	Arguments	arguments = {0};

	add_int8(&arguments, model->id);
	add_int4(&arguments, version);
	return run_statement("SELECT FROM aread.stored_version WHERE model_id = $1 AND version = $2",
						 &arguments) == 1;
}

/* The next version below the top that is there, and not "but"; takes those above it away. */
static int32
next_below(const LockedModel *model, Stack *stack, int32 but, int32 *gone)
{
	while (stack->n > 1)
	{
		int32		version = stack->versions[--stack->n - 1];

		CHECK_FOR_INTERRUPTS();
		if (version == but)
			continue;
		if (is_there(model, version))
			return version;
		if (gone && *gone == 0)
			*gone = version;
	}
	return 0;
}

WayBack
history_way_back(const LockedModel *model)
{
	Stack		stack = replay(model);
	WayBack		back = {0};

	back.version = next_below(model, &stack, model->deployed, &back.gone);
	if (back.version > 0)
		back.next = next_below(model, &stack, back.version, NULL);
	return back;
}
