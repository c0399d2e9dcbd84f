// SPDX-License-Identifier: Apache-2.0
/*
 * sin, cos, exp, log and pow in double, by +, -, *, / alone, so that every compiler and processor gives the same bits.
 *
 * Where one double is not enough a value is the exact sum of two (high + low, |low| at most half an ulp of high):
 * Dekker's and Knuth's error-free transformations. Polynomials are the plain Taylor series, taken far enough.
 */
#include "base/math.h"

typedef struct pair { double high, low; } pair;

/* a + b exactly. */
static pair sum_exact(double a, double b) {
    double s = a + b, bb = s - a;
    return (pair){ s, (a - (s - bb)) + (b - bb) };
}

/* The same for |a| >= |b|, or a = 0. */
static pair sum_ordered(double a, double b) {
    double s = a + b;
    return (pair){ s, b - (s - a) };
}

/* Cut into two halves of 26 bits. |a| < 2^995. */
static pair split(double a) {
    double c = 134217729.0 * a; /* 2^27 + 1 */
    double high = c - (c - a);
    return (pair){ high, a - high };
}

/* a * b exactly, barring denormals. */
static pair product_exact(double a, double b) {
    double p = a * b;
    pair x = split(a), y = split(b);
    return (pair){ p, ((x.high * y.high - p) + x.high * y.low + x.low * y.high) + x.low * y.low };
}

static pair product(pair a, pair b) {
    pair p = product_exact(a.high, b.high);
    return sum_ordered(p.high, p.low + (a.high * b.low + a.low * b.high));
}

static pair sum(pair a, pair b) {
    pair s = sum_exact(a.high, b.high);
    return sum_ordered(s.high, s.low + (a.low + b.low));
}

static uint64_t bits_of(double x) {
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static double double_of(uint64_t u) {
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* To the nearest integer, |x| < 2^51. */
static double nearest(double x) {
    const double magic = 6755399441055744.0; /* 1.5 * 2^52 */
    volatile double shifted = x + magic;
    return shifted - magic;
}

/* sum of c[i] * z^i */
static double polynomial(double z, const double *c, int count) {
    double p = c[count - 1];
    for (int i = count - 2; i >= 0; i--) p = p * z + c[i];
    return p;
}

/* 2^n, n from -1022 to 1023. */
static double power_of_two(int n) { return double_of((uint64_t)(n + 1023) << 52); }

/* ---- sine and cosine ---- */

/* x - n * pi/2 in [-pi/4, pi/4], with pi/2 in three parts (160 bits): what is left is right to 2^-118. */
static pair reduce(double x, int *quadrant) {
    const double half_pi[3] = { 0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110 };
    double n = nearest(x * 0x1.45f306dc9c883p-1);
    pair a = product_exact(n, half_pi[0]), b = product_exact(n, half_pi[1]);
    double d = x - a.high; /* exact: they are within a factor of two */
    pair s = sum_exact(d, -a.low);
    pair t = sum_exact(s.high, -b.high);
    *quadrant = (int)((int64_t)n & 3);
    return sum_ordered(t.high, t.low + (s.low - b.low - n * half_pi[2]));
}

static double sine_near(pair r) {
    static const double c[] = { -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800, 1.0 / 6227020800.0,
                                -1.0 / 1307674368000.0, 1.0 / 355687428096000.0 };
    double z = r.high * r.high;
    double tail = r.high * z * polynomial(z, c, 8) + r.low * (1.0 - 0.5 * z);
    return r.high + tail;
}

static double cosine_near(pair r) {
    static const double c[] = { 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600,
                                -1.0 / 87178291200.0, 1.0 / 20922789888000.0, -1.0 / 6402373705728000.0 };
    double z = r.high * r.high, half = 0.5 * z;
    double w = 1.0 - half;
    return w + (((1.0 - w) - half) + (z * z * polynomial(z, c, 8) - r.high * r.low));
}

static double turned(double x, int quarters) {
    if (!(fabs(x) <= 0x1p40)) return NAN;
    int quadrant;
    pair r = reduce(x, &quadrant);
    switch ((quadrant + quarters) & 3) {
    case 0: return sine_near(r);
    case 1: return cosine_near(r);
    case 2: return -sine_near(r);
    default: return -cosine_near(r);
    }
}

double math_sin(double x) { return x == 0.0 ? x : turned(x, 0); } /* keeps the sign of -0 */

double math_cos(double x) { return turned(x, 1); }

/* ---- exponential and logarithm ---- */

static const double ln2_high = 0x1.62e42feep-1; /* 32 bits: n * ln2_high is exact */
static const double ln2_low = 0x1.a39ef35793c76p-33;
static const double ln2_rest = 0x1.cc01f97b57a08p-87;

/* e^(x.high + x.low) */
static double exp_pair(pair x) {
    static const double c[] = { 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880,
                                1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0,
                                1.0 / 87178291200.0 };
    if (x.high > 710.0) return INFINITY;
    if (x.high < -746.0) return 0.0;
    double n = nearest(x.high * 0x1.71547652b82fep+0);
    double high = x.high - n * ln2_high, low = n * ln2_low;
    pair reduced = sum_exact(high, -low);
    reduced = sum_exact(reduced.high, reduced.low + x.low);
    double r = reduced.high;
    double y = 1.0 + (r + (reduced.low + r * r * polynomial(r, c, 13)));
    int exponent = (int)n, first = exponent / 2;
    return y * power_of_two(first) * power_of_two(exponent - first); /* denormals are rounded by the last product */
}

double math_exp(double x) { return x == x ? exp_pair((pair){ x, 0.0 }) : x; }

/* log of a positive finite number to about 2^-68 of itself: x = m * 2^k, s = (m - 1) / (m + 1), log m = 2 atanh s. */
static pair log_pair(double x) {
    static const double c[] = { 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23,
                                1.0 / 25, 1.0 / 27 };
    const pair third = { 0x1.5555555555555p-2, 0x1.5555555555555p-56 };
    const pair fifth = { 0x1.999999999999ap-3, -0x1.999999999999ap-57 };
    const uint64_t root_half = 0x3FE6A09E667F3BCDu;
    double k = 0.0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        k = -54.0;
    }
    uint64_t u = bits_of(x) - root_half;
    k += (double)((int64_t)u >> 52);
    double m = double_of((u & 0x000FFFFFFFFFFFFFu) + root_half);

    double f = m - 1.0; /* exact */
    pair g = sum_exact(m, 1.0);
    double q = f / g.high;
    pair p = product_exact(q, g.high);
    pair s = sum_ordered(q, (((f - p.high) - p.low) - q * g.low) / g.high);
    pair z = product(s, s);
    pair a = sum(fifth, (pair){ z.high * polynomial(z.high, c, 11), 0.0 });
    a = sum(third, product(z, a));
    a = product(z, a);
    pair y = sum((pair){ 1.0, 0.0 }, a);
    y = product(s, y);
    y = (pair){ 2.0 * y.high, 2.0 * y.low };
    if (k == 0.0) return y;
    pair l = product_exact(k, ln2_low);
    pair n = sum_ordered(k * ln2_high, l.high);
    n.low += l.low + k * ln2_rest;
    return sum(n, y);
}

double math_log(double x) {
    if (x != x || x == INFINITY) return x;
    if (x == 0.0) return -INFINITY;
    if (x < 0.0) return NAN;
    return log_pair(x).high;
}

double math_pow(double x, double y) {
    if (y == 0.0 || x == 1.0) return 1.0;
    if (x != x || y != y || x < 0.0) return NAN;
    if (x == 0.0 || x == INFINITY) return (x == 0.0) == (y < 0.0) ? INFINITY : 0.0;
    if (y == INFINITY || y == -INFINITY) return (x > 1.0) == (y > 0.0) ? INFINITY : 0.0;
    pair l = log_pair(x);
    double rough = y * l.high;
    if (rough > 720.0) return INFINITY;
    if (rough < -760.0) return 0.0;
    if (fabs(rough) < 0x1p-60) return 1.0;
    pair p = product_exact(y, l.high); /* |y| < 2^70 here, since |log x| >= 2^-53 */
    return exp_pair(sum_ordered(p.high, p.low + y * l.low));
}
