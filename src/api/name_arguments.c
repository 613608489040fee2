/*
 * name_arguments.c
 *	  Names as arguments.
 */
#include "postgres.h"

#include "api/name_arguments.h"

#include "catalog/rights.h"
#include "nearest.h"
#include "utils/builtins.h"

const ServedModel *
model_argument_for(FunctionCallInfo fcinfo, int argument, ModelRight right)
{
	text	   *name = PG_GETARG_TEXT_PP(argument);
	const ServedModel *served = cache_find(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), right);

	cache_pin(served, CurrentMemoryContext);
	return served;
}

const ServedModel *
model_argument(FunctionCallInfo fcinfo, int argument)
{
	const ServedModel *served = model_argument_for(fcinfo, argument, ANY_RIGHT);

	catalog_require_owner(served->loaded->version.id, served->loaded->version.name);
	return served;
}

/* "model has no <kind>", with the nearest name, or where names are listed. */
static void
unknown(const ServedModel *served, const char *kind, const NearestName *nearest,
		const char *list)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("model \"%s\" has no %s \"%s\"", served->loaded->version.name, kind,
					nearest->wanted),
			 nearest->name ? errhint("Perhaps you mean the %s \"%s\".", kind, nearest->name) :
			 errhint("%s lists those that it has.", list)));
}

int
find_feature(const ServedModel *served, const char *name)
{
	const FeatureSpec *spec = served->loaded->spec;
	NearestName nearest;

	nearest_start(&nearest, name);
	for (int f = 0; f < spec->n_features; f++)
	{
		if (strcmp(spec->features[f].name, name) == 0)
			return f;
		nearest_offer(&nearest, spec->features[f].name);
	}
	unknown(served, "feature", &nearest, "The view aread.feature");
	return -1;
}

const Tensor *
find_tensor(const ServedModel *served, const char *name)
{
	const Model *model = served->loaded->model;
	const Tensor *tensor = model_find(model, name);
	NearestName nearest;

	if (tensor)
		return tensor;
	nearest_start(&nearest, name);
	for (int i = 0; i < model->n_tensors; i++)
		nearest_offer(&nearest, model->tensors[i].name);
	unknown(served, "tensor", &nearest, "Function aread_tensors");
	return NULL;
}
