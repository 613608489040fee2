/*
 * architecture_list.h
 *	  The one list of architectures: a line for each network's file, and then for each
 *	  race of networks.
 *
 * Whoever includes it says what ARCHITECTURE(name) and RACE(name) are.  The order is that of the
 * documentation: each arm of the ablation stands behind the one that it extends.
 * Stored models name their architecture, so new ones may stand anywhere.
 */
ARCHITECTURE(wide)
ARCHITECTURE(trees)
ARCHITECTURE(fm)
ARCHITECTURE(mmoe)
ARCHITECTURE(hei)
ARCHITECTURE(hemp)
ARCHITECTURE(aread)
ARCHITECTURE(deepfm)
ARCHITECTURE(dcn)
RACE(auto)
