// SPDX-License-Identifier: Apache-2.0
/*
 * The CPU's kernels: one table of functions a tier (ref, avx2, avxvnni, avx512, later neon). ref/ is the meaning of
 * each, in portable C; every other tier equals it bit for bit (docs/numerics.md).
 *
 * Weights are packed into tiles of 16 output rows ("lane = row"): see pack.h. Activations that meet quantized weights
 * are int8 in groups of 32 along K (cpu_columns); those that meet F32, F16 or BF16 weights stay floats.
 *
 * All pointers to floats are aligned to 4 bytes at least; strides are in elements. Kernels allocate nothing.
 */
#ifndef PUNA_DEVICE_CPU_KERNELS_H
#define PUNA_DEVICE_CPU_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPU_TILE 16u       /* output rows a tile */
#define CPU_GROUP 32u      /* activations a quantization group */
#define CPU_PAGE 64u       /* positions a cache page */
#define CPU_STORE_ROWS 16u /* positions that cache_store_rows takes at most */
#define CPU_SPAN_PAGES 8u  /* pages a span: 512 positions */

/* A packed matrix [rows, cols]: y = W x. Rows beyond the last full tile are zeros inside the last tile. */
typedef struct cpu_weight {
    uint32_t type;      /* BLOCK_* */
    uint32_t rows;      /* output elements */
    uint32_t cols;      /* K; a multiple of 32 for the quantized formats */
    uint32_t tiles;     /* ceil(rows / 16) */
    size_t tile_bytes;
    const uint8_t *data; /* tiles, 64-byte aligned */
} cpu_weight;

/* `count` columns of quantized activations, each of K = cols numbers in groups of 32. A group has its int8 numbers, a
   scale d, ds = d * (float)sum (rounded once), the sum, and sums of parts. columns.h says where they lie. */
typedef struct cpu_columns {
    uint8_t *groups; /* count * (cols / 32) of 52 bytes */
    uint32_t cols;
    uint32_t count;
} cpu_columns;

/* out[c * out_stride + r] = acc (+ bias[r]) (+ residual[c * out_stride + r]); bias and residual may be NULL, residual
   may be out itself. Only rows < weight->rows of tiles [tile_begin, tile_end) are written. */
typedef struct cpu_product {
    const cpu_weight *weight;
    const cpu_columns *x;    /* quantized formats */
    const float *xf;         /* F32, F16, BF16: [count][xf_stride] */
    size_t xf_stride;
    uint32_t count;          /* columns */
    float *out;
    size_t out_stride;
    const float *bias;       /* [rows] */
    const float *residual;   /* as out */
} cpu_product;

typedef struct cpu_attention {
    uint32_t type;           /* PUNA_CACHE_*: of keys and values */
    uint32_t heads_kv;
    uint32_t group;          /* query heads that share a key head */
    uint32_t dim_k, dim_v;   /* of one head */
    float scale;             /* q is multiplied by it first */
    uint32_t window;         /* causal: keys that a query sees, itself included; else those at most window / 2 away
                                from it; 0: no limit */
    uint32_t causal;         /* 1: keys at positions <= the query's; 0: before and behind it */
    float softcap;           /* 0: none; else scores = softcap * tanh(scores / softcap) */
    const float *slopes;     /* [query heads]: a score loses slope * distance first (ALiBi); NULL: none */
    const float *relative;   /* [query heads][2 * reach + 1]: added to a score by the key's position less the query's,
                                from -reach to reach and as if no farther; before softcap; NULL: none */
    uint32_t reach;
    const float *sinks;      /* [query heads]: a score without a value, that joins last; NULL: none */
    const uint8_t *const *pages; /* of the sequence, in order of position: page p holds positions 64p to 64p + 63 */
    size_t k_offset;         /* bytes from a page's begin to this layer's keys, head after head (cache_page.h) */
    size_t v_offset;         /* bytes to its values, likewise */
} cpu_attention;

/* Query rows of one sequence at consecutive positions first, first + 1, ...; all heads of each.
   q: [rows][q_stride], head h at h * dim_k; out: [rows][out_stride], head h at h * dim_v. */
typedef struct cpu_queries {
    const float *q;
    size_t q_stride;
    float *out;
    size_t out_stride;
    uint32_t rows;
    uint32_t first; /* position of row 0 */
    uint32_t keys;  /* positions of the sequence that have keys; not regarded where it is causal */
} cpu_queries;

/* What became of each span of some queries' attention for one kv head, before spans are joined: for line
   row * group + h and the n-th of `spans` spans from `first` on, cpu_part_floats numbers at (line * spans + n) times
   that: the maximum, the sum of weights, and from the 16th on the weighted values. Of spans that a line does not see
   nothing is written. */
typedef struct cpu_parts {
    float *at;
    uint32_t first, spans;
} cpu_parts;

static inline size_t cpu_part_floats(uint32_t dim_v) { return 16 + (((size_t)dim_v + 15) & ~(size_t)15); }

/* The keys that a query at `position` sees: [low, high). */
static inline void cpu_seen(const cpu_attention *a, const cpu_queries *q, uint32_t position, uint32_t *low,
                            uint32_t *high) {
    uint32_t before = a->causal ? a->window - 1 : a->window / 2;
    *low = a->window && position > before ? position - before : 0;
    *high = a->causal ? position + 1 : q->keys;
    if (!a->causal && a->window && *high - position > before + 1) *high = position + before + 1;
}

/* A causal convolution of each of up to 16 channels by itself, over consecutive positions of a sequence. Contract rule
   10. Rows are further apart than `lanes`; y is not x. */
typedef struct cpu_conv {
    uint32_t rows, lanes, taps; /* taps 2 to CPU_MOST_TAPS */
    const float *x;
    size_t x_stride;
    float *y;
    size_t y_stride;
    const float *weight;     /* [lanes][taps], the last one meets the row's own input */
    const float *bias;       /* [lanes]; NULL: none */
    float *state;            /* [taps - 1][16]: the inputs before row 0, the oldest first; then those before its end */
} cpu_conv;

#define CPU_MOST_TAPS 16u /* GRAPH_MOST_TAPS */

/* A selective scan of up to 16 channels of one head over consecutive positions of a sequence. Contract rule 10. */
typedef struct cpu_scan {
    uint32_t rows, lanes, states;
    bool each;               /* a channel has a step, decays and a skip of its own; else all share one of each */
    const float *x;
    size_t x_stride;
    const float *step;       /* a row's [lanes], or one number */
    size_t step_stride;
    const float *decay;      /* [lanes][states], or one number */
    const float *skip;       /* [lanes], or one number; NULL: none */
    const float *b, *c;      /* a row's [states] */
    size_t bc_stride;
    float *y;                /* not x */
    size_t y_stride;
    float *state;            /* [states][16], 64-byte aligned; lanes beyond `lanes` are 0 and stay so */
    float *scratch;          /* [states][16], 64-byte aligned */
} cpu_scan;

typedef struct cpu_kernels {
    const char *tier;

    /* x [cols] to one column: q [cols], d, ds, s [cols / 32]. Contract rule 2. */
    void (*quantize)(const float *x, uint32_t cols, int8_t *q, float *d, float *ds, int32_t *s);

    /* Products of one format: the function for a weight's type, NULL if this tier has none. */
    void (*(*product)(uint32_t type))(const cpu_product *p, uint32_t tile_begin, uint32_t tile_end);

    /* y = x / sqrt(mean(x^2) + epsilon) * weight, along one row of n; lanes as in rule 4. y may be x. */
    void (*rms_norm)(const float *x, const float *weight, uint32_t n, float epsilon, float *y);

    /* y = (x - mean) / sqrt(mean((x - mean)^2) + epsilon) * weight + bias, likewise; weight and bias may be NULL. */
    void (*layer_norm)(const float *x, const float *weight, const float *bias, uint32_t n, float epsilon, float *y);

    /* y[i] = f(x[i]), f a graph_activation; y may be x. */
    void (*activate)(uint32_t f, const float *x, size_t n, float *y);

    /* y[i] = silu(gate[i]) * up[i] for n elements; y may be gate or up. */
    void (*silu_mul)(const float *gate, const float *up, size_t n, float *y);
    void (*gelu_mul)(const float *gate, const float *up, size_t n, float *y); /* gelu(gate[i]) * up[i] (math_geluf) */
    void (*softcap)(const float *a, float cap, size_t n, float *y);           /* cap * tanh(a[i] / cap); y may be a */
    void (*multiply)(const float *a, const float *b, size_t n, float *y);
    void (*add)(const float *a, const float *b, size_t n, float *y);
    void (*scale)(const float *a, float factor, size_t n, float *y);

    /* Rotates `heads` heads of one row in place: x[h * dim + ...]; cosines and sines [rotated / 2].
       interleaved: pairs (2i, 2i + 1); else (i, i + rotated / 2). Elements from `rotated` on are left alone.
       a' = fmaf(a, cos, -(b * sin)), b' = fmaf(b, cos, a * sin) with the product rounded. */
    void (*rope)(float *x, uint32_t heads, uint32_t dim, uint32_t rotated, bool interleaved, const float *cosines,
                 const float *sines);

    /* Puts one position's key and value rows of all kv heads (k: [heads_kv * dim_k], v: [heads_kv * dim_v]) into its
       page at slot position % 64. */
    void (*cache_store)(const cpu_attention *a, uint8_t *page, uint32_t slot, const float *k, const float *v);

    /* The same of `rows` positions, 1 to CPU_STORE_ROWS, which must lie in the page: the next one's rows are k_stride
       and v_stride further on. Keys of one position lie far apart, those of neighbours together. */
    void (*cache_store_rows)(const cpu_attention *a, uint8_t *page, uint32_t slot, uint32_t rows, const float *k,
                             size_t k_stride, const float *v, size_t v_stride);

    /* Attention of query rows for kv heads [head_begin, head_end). Contract rule 5: spans in ascending order.
       `scratch`: the thread's own, attention_scratch bytes. */
    void (*attention)(const cpu_attention *a, const cpu_queries *queries, uint32_t head_begin, uint32_t head_end,
                      void *scratch);
    size_t (*attention_scratch)(const cpu_attention *a);

    /* The same in two steps, so that threads can share one head's cache: a span of one kv head (of all positions: its
       number is position / 512), then, once all of them are there, what `attention` would have written. */
    void (*attention_span)(const cpu_attention *a, const cpu_queries *queries, uint32_t head, uint32_t span,
                           const cpu_parts *parts, void *scratch);
    void (*attention_join)(const cpu_attention *a, const cpu_queries *queries, uint32_t head, const cpu_parts *parts,
                           void *scratch);
    void (*conv)(const cpu_conv *c);
    void (*scan)(const cpu_scan *s);

    /* Embedding: row `row` of a packed matrix (a tied output matrix) to floats [cols]. */
    void (*decode_row)(const cpu_weight *weight, uint32_t row, float *out);
} cpu_kernels;

/* The table of a tier by name, or NULL if this build or this processor lacks it. */
const cpu_kernels *cpu_kernels_find(const char *tier);

/* The tiers that run here, from low to high; NULL beyond the last. */
const cpu_kernels *cpu_kernels_at(uint32_t index);

/* The best tier of this processor, or the one that PUNA_CPU_TIER names. NULL: the forced tier is not on this CPU;
   *forced then holds its name. */
const cpu_kernels *cpu_kernels_select(char forced[16]);

/* Names of all tiers that run here, from low to high, separated by spaces. */
void cpu_kernels_list(char *out, size_t capacity);

/* What a tier chose for a format: "q4_1_avx512": for tests and bench. NULL: none. */
const char *cpu_kernels_product_name(const cpu_kernels *k, uint32_t type);

#endif
