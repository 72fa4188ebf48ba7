/* random: reproducible random numbers, the same on every machine.
 *
 * Generator: xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018). Its 256 bits
 * of state are four outputs of splitmix64, as the authors recommend. The seed passes through splitmix64 once and is
 * then xored with the stream, so that similar seeds and similar streams give unrelated states. Invariant: a value
 * depends only on the seed, the stream and the number of values drawn before. */
#include "paced/base.h"

#include <math.h>

static uint64_t splitmix64(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15U;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

void paced_rng_seed(struct paced_rng *rng, uint64_t seed, uint64_t stream) {
    uint64_t mixed = splitmix64(&seed);
    uint64_t state = mixed ^ stream;
    for (int i = 0; i < 4; ++i) rng->s[i] = splitmix64(&state);
}

static uint64_t rotate_left(uint64_t x, int bits) {
    return (x << bits) | (x >> (64 - bits));
}

uint64_t paced_rng_next(struct paced_rng *rng) {
    uint64_t *s = rng->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double paced_rng_uniform(struct paced_rng *rng) {
    return (double)(paced_rng_next(rng) >> 11) * 0x1p-53;
}

/* Multiply and reject (Lemire, "Fast random integer generation in an interval", 2019): the high word of x * bound is
 * the result. The 2^32 mod bound smallest low words are rejected, because they would favour some results. */
uint32_t paced_rng_below(struct paced_rng *rng, uint32_t bound) {
    uint32_t favoured = (0U - bound) % bound;
    uint64_t product;
    do {
        product = (paced_rng_next(rng) >> 32) * bound;
    } while ((uint32_t)product < favoured);
    return (uint32_t)(product >> 32);
}

/* Box-Muller. Only the cosine half is used, so that there is no hidden state. */
double paced_rng_normal(struct paced_rng *rng) {
    double radius = sqrt(-2.0 * log(1.0 - paced_rng_uniform(rng))); /* 1 - u is in (0, 1] */
    return radius * cos(2.0 * M_PI * paced_rng_uniform(rng));
}

void paced_rng_shuffle(struct paced_rng *rng, uint32_t *items, size_t count) {
    for (size_t left = count; left > 1; --left) {
        size_t i = left - 1, j = paced_rng_below(rng, (uint32_t)left);
        uint32_t swap = items[i];
        items[i] = items[j];
        items[j] = swap;
    }
}
