// SPDX-License-Identifier: Apache-2.0
/* The contract's functions: special cases, bounds against the C library's double, and the same bits everywhere
   (goldens). */
#include "base/math.h"

#include <stdlib.h>

#include "testing.h"

float math_fmaf_exact(float a, float b, float c); /* the header hides it where there is the instruction */

static uint32_t bits_of(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static float float_of(uint32_t u) {
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static uint64_t bits_of_double(double x) {
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static bool same(float a, float b) { return bits_of(a) == bits_of(b) || (a != a && b != b); }

/* ---- bounds ---- */

/* The distance of got from the exact value, in units of the last place of the exact value. */
static double float_ulps(float got, double exact) {
    int exponent = exact == 0.0 ? -126 : ilogb(exact);
    if (exponent < -126) exponent = -126;
    return fabs((double)got - exact) / ldexp(1.0, exponent - 23);
}

static double double_ulps(double got, long double exact) {
    double rounded = (double)exact;
    int exponent = rounded == 0.0 ? -1022 : ilogb(rounded);
    if (exponent < -1022) exponent = -1022;
    return (double)(fabsl((long double)got - exact) / ldexpl(1.0L, exponent - 52)); /* divided first: denormals */
}

/* All floats between the limits, a prime number of them apart. */
static void bound(const char *name, float (*ours)(float), double (*exact)(double), float low, float high,
                  double limit) {
    double worst = 0.0;
    float where = 0.0f;
    for (uint64_t u = testing_below(1009); u < UINT64_C(0x100000000); u += 1009) {
        float x = float_of((uint32_t)u);
        if (!(x >= low && x <= high)) continue;
        double ulps = float_ulps(ours(x), exact((double)x));
        if (!(ulps <= worst)) {
            worst = ulps;
            where = x;
        }
    }
    printf("    %s: %.3f ulp at %a\n", name, worst, (double)where);
    CHECK(worst <= limit);
}

static double softplus(double x) { return x > 700 ? x : log1p(exp(x)); }

static void float_functions_keep_their_bounds(void) {
    bound("exp", math_expf, exp, -87.33f, 88.72f, 1.1);
    bound("tanh", math_tanhf, tanh, -INFINITY, INFINITY, 1.5);
    bound("erf", math_erff, erf, -INFINITY, INFINITY, 1.5);
    bound("softplus", math_softplusf, softplus, -80.0f, 3.4e38f, 3.0);
    bound("log", math_logf, log, 1e-45f, 3.4e38f, 1.0);
}

static double uniform(double low, double high) {
    return low + (high - low) * ((double)(testing_random() >> 11) * 0x1p-53);
}

static void worse(double *worst, double ulps) {
    if (!(ulps <= *worst)) *worst = ulps;
}

/* A number of random digits with an exponent of low to low + count - 1. One draw a statement, here and below: compilers
   evaluate operands in an order of their own, and a seed is to give the same inputs with each. */
static double scaled(double digits_low, double digits_high, uint32_t count, int low) {
    double digits = uniform(digits_low, digits_high);
    return ldexp(digits, (int)testing_below(count) + low);
}

/* Ours are within 1 ulp (base/math.h). The reference has errors too: half an ulp where long double is no more than
   double; and the powl of C libraries other than glibc may be off by as much (mingw's: by 0.41 ulp of a double among
   100,000 cases, against powq), though long double is wide. The bits are proved to be equal everywhere below, so that
   the strict bound need not be measured everywhere. */
static void double_functions_keep_their_bounds(void) {
    double s = 0, c = 0, e = 0, l = 0, p = 0, near = 0;
    const double bound = sizeof(long double) > sizeof(double) ? 1.0 : 1.6;
#if defined(__GLIBC__)
    const double pow_bound = bound;
#else
    const double pow_bound = 1.6;
#endif
    for (int i = 0; i < 100000; i++) {
        double x = scaled(-1, 1, 41, 0);
        worse(&s, double_ulps(math_sin(x), sinl((long double)x)));
        worse(&c, double_ulps(math_cos(x), cosl((long double)x)));
        x = uniform(-745.0, 709.7);
        worse(&e, double_ulps(math_exp(x), expl((long double)x)));
        x = scaled(1, 2, 2097, -1074);
        worse(&l, double_ulps(math_log(x), logl((long double)x)));
        x = 1.0 + scaled(-1, 1, 50, -49);
        worse(&near, double_ulps(math_log(x), logl((long double)x)));
        x = scaled(1, 2, 40, -20);
        double y = uniform(-50, 50);
        worse(&p, double_ulps(math_pow(x, y), powl((long double)x, (long double)y)));
    }
    printf("    sin %.3f, cos %.3f, exp %.3f, log %.3f and %.3f near 1, pow %.3f ulp\n", s, c, e, l, near, p);
    CHECK(s <= bound);
    CHECK(c <= bound);
    CHECK(e <= bound);
    CHECK(l <= bound);
    CHECK(near <= bound);
    CHECK(p <= pow_bound);
}

/* ---- special cases ---- */

static void special_cases(void) {
    CHECK_EQUAL(bits_of(math_expf(0.0f)), 0x3F800000u);
    CHECK_EQUAL(bits_of(math_expf(-0.0f)), 0x3F800000u);
    CHECK_EQUAL(bits_of(math_expf(-INFINITY)), 0u);
    CHECK_EQUAL(bits_of(math_expf(-87.34f)), 0u);
    CHECK(math_expf(-87.33f) >= 0x1p-126f);
    CHECK(math_expf(88.73f) == INFINITY);
    CHECK(math_expf(INFINITY) == INFINITY);
    CHECK(math_expf(88.72f) < INFINITY);
    CHECK(math_expf(NAN) != math_expf(NAN));
    CHECK(math_tanhf(INFINITY) == 1.0f && math_tanhf(-INFINITY) == -1.0f && math_tanhf(20.0f) == 1.0f);
    CHECK(same(math_tanhf(-0.0f), -0.0f) && math_tanhf(NAN) != math_tanhf(NAN));
    CHECK(math_erff(INFINITY) == 1.0f && math_erff(-INFINITY) == -1.0f && math_erff(NAN) != math_erff(NAN));
    CHECK(same(math_erff(-0.0f), -0.0f));
    CHECK(math_logf(0.0f) == -INFINITY && math_logf(INFINITY) == INFINITY && bits_of(math_logf(1.0f)) == 0);
    CHECK(math_logf(-1.0f) != math_logf(-1.0f) && math_logf(NAN) != math_logf(NAN));
    CHECK(math_siluf(0.0f) == 0.0f && math_siluf(-200.0f) == 0.0f && math_siluf(100.0f) == 100.0f);
    CHECK(math_geluf(0.0f) == 0.0f && math_geluf(-20.0f) == 0.0f && math_geluf(20.0f) == 20.0f);
    CHECK(math_geluf(NAN) != math_geluf(NAN));
    CHECK(math_softplusf(INFINITY) == INFINITY && same(math_softplusf(-INFINITY), 0.0f));
    CHECK(math_softplusf(NAN) != math_softplusf(NAN) && math_softplusf(90.0f) == 90.0f);
    for (float x = 0.0f; x < 30.0f; x += 0.37f) { /* odd functions are odd bit for bit */
        CHECK(same(math_tanhf(-x), -math_tanhf(x)));
        CHECK(same(math_erff(-x), -math_erff(x)));
    }
    CHECK(math_exp(0.0) == 1.0 && math_exp(-INFINITY) == 0.0 && math_exp(INFINITY) == INFINITY);
    CHECK(math_exp(-800.0) == 0.0 && math_exp(NAN) != math_exp(NAN));
    CHECK(math_log(1.0) == 0.0 && math_log(0.0) == -INFINITY && math_log(-1.0) != math_log(-1.0));
    CHECK(math_log(INFINITY) == INFINITY);
    CHECK(math_sin(0.0) == 0.0 && math_cos(0.0) == 1.0 && math_sin(INFINITY) != math_sin(INFINITY));
    CHECK(math_cos(0x1p41) != math_cos(0x1p41));
    CHECK(math_pow(2.0, 10.0) == 1024.0 && math_pow(10000.0, 0.5) == 100.0 && math_pow(3.0, 0.0) == 1.0);
    CHECK(math_pow(0.0, 2.0) == 0.0 && math_pow(0.0, -1.0) == INFINITY && math_pow(INFINITY, -2.0) == 0.0);
    CHECK(math_pow(2.0, INFINITY) == INFINITY && math_pow(0.5, INFINITY) == 0.0
          && math_pow(0.5, -INFINITY) == INFINITY);
    CHECK(math_pow(10.0, 400.0) == INFINITY && math_pow(10.0, -400.0) == 0.0);
    CHECK(math_pow(-2.0, 2.0) != math_pow(-2.0, 2.0));
}

/* ---- the fused multiply-add ---- */

/* Exact sums by integers: a * b + c as a sign, a 128-bit-wide window and a sticky bit, rounded once. An independent
   way. */
__extension__ typedef unsigned __int128 digits128;
typedef struct wide { digits128 digits; int exponent; bool negative; } wide;

static wide widen(float x) {
    uint32_t u = bits_of(x), e = (u >> 23) & 0xFF, m = u & 0x7FFFFF;
    return (wide){ e ? m | 0x800000 : m, (int)(e ? e : 1) - 150, u >> 31 };
}

/* The nearest float to digits * 2^exponent (digits not 0), ties to even; `sticky`: a little more than that. */
static float round_wide(wide v, bool sticky) {
    int top = 127;
    while (!(v.digits >> top & 1)) top--;
    int unit = top + v.exponent - 23; /* the last place's exponent */
    if (unit < -149) unit = -149;
    int drop = unit - v.exponent;
    uint64_t kept;
    if (drop <= 0) {
        kept = (uint64_t)(v.digits << -drop);
    } else {
        digits128 half = drop > 127 ? 0 : (digits128)1 << (drop - 1);
        digits128 rest = drop > 127 ? v.digits : v.digits & ((half << 1) - 1);
        kept = drop > 127 ? 0 : (uint64_t)(v.digits >> drop);
        if (drop <= 127 && (rest > half || (rest == half && (sticky || (kept & 1))))) kept++;
    }
    float y = (float)ldexp((double)kept, unit);
    return v.negative ? -y : y;
}

static float fma_by_integers(float a, float b, float c) {
    wide x = widen(a), y = widen(b), z = widen(c);
    wide p = { x.digits * y.digits, x.exponent + y.exponent, x.negative != y.negative };
    if (p.digits == 0 || z.digits == 0) { /* nothing to be rounded twice */
        return p.digits == 0 ? a * b + c : round_wide(p, false);
    }
    wide big = p, small = z;
    if (z.exponent > p.exponent) {
        big = z;
        small = p;
    }
    int shift = big.exponent - small.exponent; /* big has at most 48 digits */
    if (shift > 78) { /* far above: all of small is sticky, or big is 2^78 times */
        big.digits <<= 78;
        big.exponent -= 78;
        if (big.negative == small.negative) return round_wide(big, true);
        big.digits = (big.digits << 1) - 1; /* just below; odd, so never a tie */
        big.exponent--;
        return round_wide(big, true);
    }
    big.digits <<= shift;
    big.exponent -= shift;
    wide sum = big;
    if (big.negative == small.negative) {
        sum.digits += small.digits;
    } else if (big.digits >= small.digits) {
        sum.digits -= small.digits;
    } else {
        sum.digits = small.digits - big.digits;
        sum.negative = small.negative;
    }
    return sum.digits == 0 ? 0.0f : round_wide(sum, false);
}

static float random_float(int kind) {
    uint32_t u = (uint32_t)testing_random(), sign_and_digits = u & 0x807FFFFFu;
    uint32_t exponents[4] = { u >> 23 & 0xFF, 115 + (u >> 23) % 25, (u >> 23) % 30, 225 + (u >> 23) % 30 };
    if (kind == 1 && testing_below(2)) sign_and_digits &= ~0xFFFu << testing_below(11); /* short: ties */
    uint32_t exponent = exponents[kind] & 0xFF;
    return float_of(sign_and_digits | (exponent == 255 ? 254 : exponent) << 23);
}

static void check_fma(float a, float b, float c, float right) {
    float exact = math_fmaf_exact(a, b, c), fast = math_fmaf(a, b, c);
    if (same(exact, right) && same(fast, right)) return;
    testing_fail(__FILE__, __LINE__, "fma(%a, %a, %a) is %a and %a, not %a", (double)a, (double)b, (double)c,
                 (double)exact, (double)fast, (double)right);
}

static void fused_multiply_add_rounds_once(void) {
    const float a = 1.0f + 0x1p-12f;
    check_fma(a, a, 0x1p-90f, 1.0f + 0x1p-11f + 0x1p-23f);
    check_fma(a, a, -0x1p-90f, 1.0f + 0x1p-11f);
    check_fma(a, a, 0.0f, 1.0f + 0x1p-11f);
    check_fma(0x1p127f, 2.0f, -0x1p127f, 0x1p127f);
    check_fma(0x1p127f, 2.0f, 0.0f, INFINITY);
    check_fma(0x1p-149f, 0.5f, 0.0f, 0.0f);
    check_fma(0x1p-149f, 0.5f, 0x1p-149f, 0x1p-148f);
    check_fma(0x1p-148f, 0.75f, 0.0f, 0x1p-148f); /* a tie among denormals */
    check_fma(0.0f, -1.0f, 0.0f, 0.0f);
    check_fma(0.0f, -1.0f, -0.0f, -0.0f);
    check_fma(3.0f, 5.0f, -15.0f, 0.0f);
    check_fma(INFINITY, 0.0f, 1.0f, NAN);
    check_fma(INFINITY, 1.0f, -INFINITY, NAN);
    check_fma(INFINITY, 1.0f, 1.0f, INFINITY);
    check_fma(NAN, 1.0f, 1.0f, NAN);
    for (int i = 0; i < 1500000; i++) {
        int kind = i % 4;
        float x = random_float(kind), y = random_float(kind == 2 ? 3 : kind == 3 ? 2 : kind), z = random_float(kind);
        if (kind == 1 && i % 3 == 0) z = -x * y;                     /* cancels */
        if (kind == 0 && i % 3 == 0) z = float_of(bits_of(z) & 0x80FFFFFFu); /* denormal or tiny */
        if (kind == 2) y = random_float(1);                          /* results among denormals */
        check_fma(x, y, z, fma_by_integers(x, y, z));
    }
}

/* ---- half and bfloat16 ---- */

static void halves_are_exact(void) {
    for (uint32_t h = 0; h < 0x10000; h++) {
        uint32_t e = (h >> 10) & 31, m = h & 1023;
        double value = e == 0 ? ldexp(m, -24) : ldexp(1024 + m, (int)e - 25);
        float x = math_from_half((uint16_t)h);
        if (e == 31) {
            CHECK(m ? x != x : x == (h & 0x8000 ? -INFINITY : INFINITY));
            CHECK(m ? (math_to_half(x) & 0x7FFF) > 0x7C00 : math_to_half(x) == ((h & 0x8000) | 0x7BFF));
            continue;
        }
        CHECK((double)x == (h & 0x8000 ? -value : value));
        CHECK_EQUAL(math_to_half(x), h);
        if ((h & 0x7FFF) >= 0x7BFF) continue;
        /* The middle between this and the next goes to the even one, its neighbours to either side. */
        float next = math_from_half((uint16_t)(h + 1)), middle = (x + next) / 2;
        CHECK_EQUAL(math_to_half(middle), h & 1 ? h + 1 : h);
        CHECK_EQUAL(math_to_half(float_of(bits_of(middle) - 1)), h);
        CHECK_EQUAL(math_to_half(float_of(bits_of(middle) + 1)), h + 1);
    }
    CHECK_EQUAL(math_to_half(65504.0f), 0x7BFF);
    CHECK_EQUAL(math_to_half(65520.0f), 0x7BFF); /* IEEE has infinity here */
    CHECK_EQUAL(math_to_half(-1e30f), 0xFBFF);
    CHECK_EQUAL(math_to_half(0x1p-26f), 0);
}

static void bfloats_are_exact(void) {
    for (uint32_t b = 0; b < 0x10000; b++) {
        float x = math_from_bfloat((uint16_t)b);
        CHECK_EQUAL(bits_of(x), b << 16);
        if (x != x) {
            CHECK((math_to_bfloat(x) & 0x7FFF) > 0x7F80);
            continue;
        }
        CHECK_EQUAL(math_to_bfloat(x), b);
        if ((b & 0x7FFF) >= 0x7F80) continue;
        CHECK_EQUAL(math_to_bfloat(float_of(b << 16 | 0x8000)), b & 1 ? b + 1 : b);
        CHECK_EQUAL(math_to_bfloat(float_of(b << 16 | 0x7FFF)), b);
        CHECK_EQUAL(math_to_bfloat(float_of(b << 16 | 0x8001)), b + 1);
    }
    CHECK((math_to_bfloat(float_of(0x7F800001u)) & 0x7FFF) > 0x7F80); /* a NaN whose high bits are 0 */
}

static void rounding_is_to_even(void) {
    CHECK(math_rint(0.5f) == 0.0f && math_rint(1.5f) == 2.0f && math_rint(2.5f) == 2.0f && math_rint(-2.5f) == -2.0f);
    CHECK(math_rint(126.5f) == 126.0f && math_rint(-126.50001f) == -127.0f);
    for (int i = 0; i < 100000; i++) {
        float x = testing_float(-4194303.0f, 4194303.0f);
        CHECK(math_rint(x) == nearbyintf(x));
    }
}

static void lanes_are_a_tree(void) {
    float lanes[16];
    for (int i = 0; i < 16; i++) lanes[i] = testing_normal();
    float a = (lanes[0] + lanes[8]) + (lanes[4] + lanes[12]), b = (lanes[2] + lanes[10]) + (lanes[6] + lanes[14]);
    float c = (lanes[1] + lanes[9]) + (lanes[5] + lanes[13]), d = (lanes[3] + lanes[11]) + (lanes[7] + lanes[15]);
    CHECK(same(math_lanes_sum(lanes), (a + b) + (c + d)));
}

/* Two results that flushing and another rounding would change; through volatile, so that they are computed here. */
typedef struct probe { float denormal, third; } probe;

static probe look(void) {
    volatile float tiny = 0x1p-130f, half = 0.5f, one = 1.0f, three = 3.0f;
    volatile float denormal = tiny * half, third = one / three;
    return (probe){ denormal, third };
}

static void expect_defaults(void) {
    probe p = look();
    CHECK(p.denormal == 0x1p-131f);
    CHECK_EQUAL(bits_of(p.third), 0x3EAAAAAB);
}

static void the_environment_is_set_and_put_back(void) {
    expect_defaults();
#if defined(__x86_64__)
    unsigned before = __builtin_ia32_stmxcsr();
    __builtin_ia32_ldmxcsr(before | 0x8040u | 0x6000u); /* flush to zero, denormals are zero, towards zero */
#elif defined(__aarch64__)
    uint64_t before, flushed;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    flushed = before | 1u << 24 | 3u << 22;
    __asm__ volatile("msr fpcr, %0" : : "r"(flushed) : "memory");
#endif
    probe other = look();
    math_environment saved = math_environment_enter();
    expect_defaults();
    math_environment_leave(saved);
    probe again = look();
#if defined(__x86_64__)
    __builtin_ia32_ldmxcsr(before);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(before) : "memory");
#endif
    CHECK_EQUAL(bits_of(other.denormal), 0);
    CHECK_EQUAL(bits_of(other.third), 0x3EAAAAAA);
    CHECK_EQUAL(bits_of(again.denormal), 0);
    CHECK_EQUAL(bits_of(again.third), 0x3EAAAAAA);
    expect_defaults();
}

/* ---- the same bits everywhere ---- */

static void mix(uint64_t *sum, uint64_t value) { *sum = (*sum ^ value) * UINT64_C(0x100000001B3) + (*sum >> 29); }

static uint64_t checksum(float (*function)(float)) {
    uint64_t sum = 0;
    for (uint64_t u = 0; u < UINT64_C(0x100000000); u += 4099) {
        float y = function(float_of((uint32_t)u));
        mix(&sum, y == y ? bits_of(y) : 0x7FC00000u); /* one NaN for all: payloads are outside the promise */
    }
    return sum;
}

static uint64_t checksum_double(double (*function)(double), double low, double step, int count) {
    uint64_t sum = 0;
    for (int i = 0; i < count; i++) mix(&sum, bits_of_double(function(low + step * i)));
    return sum;
}

static double rope_power(double x) { return math_pow(10000.0 + x, -x / 64.0); }

static void golden(const char *name, uint64_t got, uint64_t right) {
    if (got != right) testing_fail(__FILE__, __LINE__, "%s: 0x%016" PRIX64 ", not 0x%016" PRIX64, name, got, right);
}

/* What these functions are, on every processor and with every compiler. A new constant here is a new version of the
   arithmetic contract. */
static void the_bits_are_the_contracts(void) {
    golden("exp", checksum(math_expf), UINT64_C(0x8B94A6C080260758));
    golden("silu", checksum(math_siluf), UINT64_C(0x2BB1D3134C087136));
    golden("gelu", checksum(math_geluf), UINT64_C(0x0F619D2C9B548629));
    golden("tanh", checksum(math_tanhf), UINT64_C(0x959AD6C023B14233));
    golden("erf", checksum(math_erff), UINT64_C(0x7F9435FBB63F459B));
    golden("softplus", checksum(math_softplusf), UINT64_C(0x5B6B2D88DCD3D880));
    golden("log", checksum(math_logf), UINT64_C(0xE30F88A93C09501D));
    golden("sin", checksum_double(math_sin, -1e6, 17.0625, 120000), UINT64_C(0x9537F679B9CA57C3));
    golden("cos", checksum_double(math_cos, -1e6, 17.0625, 120000), UINT64_C(0x4B72031ABA995ED3));
    golden("double exp", checksum_double(math_exp, -746.0, 0.0123, 118000), UINT64_C(0x2BD9AA2E5FCA26BF));
    golden("double log", checksum_double(math_log, 0x1p-20, 0.001, 120000), UINT64_C(0xA13A363EA5D7137D));
    golden("pow", checksum_double(rope_power, 0.0, 0.0078125, 60000), UINT64_C(0x6B4B040A442E50CD));
}

/* Of bits all over the range, at any length, also in place. */
static void many_exponentials_are_the_ones(void) {
    float x[300], y[301];
    for (uint32_t round = 0; round < 4000; round++) {
        uint32_t n = testing_below(301);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t bits = (uint32_t)testing_random();
            memcpy(&x[i], &bits, sizeof bits);
            if (round % 2) x[i] = testing_float(-95.0f, 95.0f);
        }
        y[n] = 7.0f;
        math_expf_many(x, n, y);
        for (uint32_t i = 0; i < n; i++) {
            float one = math_expf(x[i]);
            CHECK(memcmp(&one, &y[i], sizeof one) == 0 || (one != one && y[i] != y[i]));
        }
        CHECK(y[n] == 7.0f);
        math_expf_many(x, n, x);
        CHECK(n == 0 || memcmp(x, y, n * sizeof *x) == 0 || round % 2 == 0);
    }
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(special_cases);
    TEST(float_functions_keep_their_bounds);
    TEST(double_functions_keep_their_bounds);
    TEST(fused_multiply_add_rounds_once);
    TEST(halves_are_exact);
    TEST(bfloats_are_exact);
    TEST(rounding_is_to_even);
    TEST(lanes_are_a_tree);
    TEST(the_environment_is_set_and_put_back);
    TEST(the_bits_are_the_contracts);
    TEST(many_exponentials_are_the_ones);
    return testing_end();
}
