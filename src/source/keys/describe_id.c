/*
 * describe_id.c
 *	  Ids as analysts know them.
 */
#include "postgres.h"

#include "source/keys/describe_id.h"

#include "common/shortest_dec.h"
#include "source/keys/vocabulary.h"

const char *
id_status(uint32 id)
{
	return id == UNSEEN_ID ? "unseen" : id == NULL_ID ? "missing" : id == RARE_ID ? "rare" :
		"known";
}

/* The lower edge of a bin; the outermost bins have none on one side. */
static const char *
edge_text(const Feature *feature, int bin)
{
	char	   *text;

	if (bin <= 0 || bin >= feature_bins(feature))
		return "";
	text = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);
	/* bounds of pieces begin with the lowest number */
	double_to_shortest_decimal_buf(feature->edges[feature->kind == FEATURE_PIECEWISE ? bin : bin - 1],
								   text);
	return text;
}

char *
id_text(const FeatureSpec *spec, int f, uint32 id)
{
	const Feature *feature = &spec->features[f];
	const Vocabulary *vocabulary = &spec->vocabularies[feature->vocabulary];
	int			bin = (int) id - FIRST_ID;

	if (id < FIRST_ID)
		return NULL;
	if (feature->kind == FEATURE_ROWS)
		return psprintf("bin %d of %d", bin + 1, feature->n_edges + 1);
	if (feature->kind == FEATURE_DENSE)
		return psprintf("component %d", bin + 1);
	if (kind_is_number(feature->kind))
		return psprintf("[%s, %s)", edge_text(feature, bin), edge_text(feature, bin + 1));
	if (vocabulary->buckets > 0)
		return psprintf("bucket %d", bin + 1);
	return vocabulary_key(vocabulary, id);
}
