// SPDX-License-Identifier: Apache-2.0
#include "sample/logprobs.h"

#include <float.h>

#include "base/math.h"

logprobs logprobs_of(const float *logits, uint32_t count, float max) {
    float lanes[16] = {0};
    uint32_t i = 0;
    for (; i + 256 <= count; i += 256) {
        float e[256];
        for (uint32_t j = 0; j < 256; j++) e[j] = logits[i + j] - max;
        math_expf_many(e, 256, e);
        for (uint32_t j = 0; j < 256; j++) lanes[j % 16] += e[j];
    }
    for (; i < count; i++) lanes[i % 16] += math_expf(logits[i] - max);
    return (logprobs){max, math_logf(math_lanes_sum(lanes))};
}

uint32_t logprobs_top(logprobs l, const float *logits, uint32_t count, uint32_t wanted, puna_logprob *top) {
    uint32_t found = 0;
    if (wanted == 0) return 0;
    for (uint32_t id = 0; id < count; id++) {
        float logit = logits[id];
        if (logit < -FLT_MAX || (found == wanted && !(logit > top[found - 1].logprob))) continue;
        /* Until the end the logits themselves stand in the list. Equals stay behind those that came before them. */
        uint32_t place = found < wanted ? found++ : found - 1;
        for (; place > 0 && top[place - 1].logprob < logit; place--) top[place] = top[place - 1];
        top[place] = (puna_logprob){(int32_t)id, logit};
    }
    for (uint32_t i = 0; i < found; i++) top[i].logprob = logprobs_at(l, top[i].logprob);
    return found;
}
