/* softmax_cross_entropy: CE = log sum exp(s) - s_label, mean over pixels; gradient (softmax(s) - onehot) / pixels.
 * argmax: the first of equal logits. */
#include <math.h>

#include "tests/ref/ref.h"

double ref_softmax_cross_entropy(size_t pixels, int classes, const float *s, const uint8_t *labels, double *ds) {
    double total = 0;
    for (size_t p = 0; p < pixels; ++p, s += classes) {
        double largest = (double)s[0], sum = 0;
        for (int c = 1; c < classes; ++c) largest = fmax(largest, (double)s[c]);
        for (int c = 0; c < classes; ++c) sum += exp((double)s[c] - largest);
        total += log(sum) + largest - (double)s[labels[p]];
        for (int c = 0; ds && c < classes; ++c)
            *ds++ = (exp((double)s[c] - largest) / sum - (c == labels[p])) / (double)pixels;
    }
    return total / (double)pixels;
}

void ref_argmax(size_t pixels, int classes, const float *s, uint8_t *prediction) {
    for (size_t p = 0; p < pixels; ++p, s += classes) {
        int best = 0;
        for (int c = 1; c < classes; ++c)
            if (s[c] > s[best]) best = c;
        prediction[p] = (uint8_t)best;
    }
}
