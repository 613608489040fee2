/*
 * group_loss.c
 *	  BPR and softmax, in terms that do not overflow.
 */
#include "engine/layers/group_loss.h"

#include <math.h>

static double
bpr(const double *s, int n, double *d)
{
	double		share = 2.0 / n;
	double		sum = 0;

	d[0] = 0;
	for (int i = 1; i < n; i++)
	{
		double		lead = s[0] - s[i];
		double		small = exp(-fabs(lead));

		/* the chance that the pair is the other way round */
		d[i] = share * (lead > 0 ? small : 1) / (1 + small);
		d[0] -= d[i];
		sum += log1p(small) + fmax(-lead, 0);
	}
	return share * sum;
}

static double
softmax(const double *s, int n, double *d)
{
	double		most = s[0];
	double		sum = 0;

	for (int i = 1; i < n; i++)
		most = fmax(most, s[i]);
	for (int i = 0; i < n; i++)
	{
		d[i] = exp(s[i] - most);
		sum += d[i];
	}
	for (int i = 0; i < n; i++)
		d[i] /= sum;
	/* 1 - d[0], without cancelling */
	d[0] = 0;
	for (int i = 1; i < n; i++)
		d[0] -= d[i];
	return log(sum) + most - s[0];
}

double
group_loss(LossKind kind, const double *s, int n, double *d)
{
	d[0] = 0;
	if (n < 2)
		return 0;
	return kind == LOSS_BPR ? bpr(s, n, d) : softmax(s, n, d);
}
