// SPDX-License-Identifier: Apache-2.0
/* Where the best candidates, by a measure, come to a sum: a dense set is searched by histograms of its keys' upper
   bits, never sorted. For the set's own files. */
#ifndef PUNA_SAMPLE_CANDIDATES_SEARCH_H
#define PUNA_SAMPLE_CANDIDATES_SEARCH_H

#include "sample/candidates_look.h"

/* Keys are searched from their upper bits down, 11 at a time. */
enum { CANDIDATES_BUCKET_BITS = 11, CANDIDATES_BUCKETS = 1 << CANDIDATES_BUCKET_BITS };

typedef struct candidates_histogram {
    uint64_t sum[CANDIDATES_BUCKETS];
    uint32_t count[CANDIDATES_BUCKETS];
} candidates_histogram;

/* The list in descending order of keys, or as a measure has it. */
void candidates_sort(candidates *c);
void candidates_sort_by(candidates *c, candidates_measure measure);

/* Puts the candidates with least <= order <= most on the list, in that order; false if they are too many for it. */
bool candidates_gather(candidates *c, candidates_measure measure, uint64_t least, uint64_t most);

/* Of a dense set: the sum of all measures, and the histogram of the uppermost bits. Of a list: the sum. */
uint64_t candidates_total(const candidates *c, candidates_measure measure, candidates_histogram *h);
uint64_t candidates_listed_total(const candidates *c, candidates_measure measure);

/* The place in the list at which the sum of measures reaches `target`; the last one where it does not. */
uint32_t candidates_reach_listed(const candidates *c, candidates_measure measure, uint64_t target);

/* In a dense set whose uppermost histogram is `h`: the order of the candidate at which the sum of measures, best first,
   reaches `target` (1 to the total). Where few candidates are as good, the set becomes the list of these (perhaps with
   some behind), and 0 is returned. */
uint64_t candidates_reach(candidates *c, candidates_measure measure, uint64_t target, candidates_histogram *h);

#endif
