/* uncertainty: u_p = 1 - f[y] or 1 - max f, f = softmax(t / tau); u_b = 1 - svls(y)[y]; their six fusions.
 * distill: ce sum_c -y'_c log softmax(s)_c + kld T^2 / C sum_c p_c log (p_c / q_c), p, q = softmax(t / T, s / T).
 * Computed literally: the whole soft label, every softmax separately, all in double. */
#include <math.h>
#include <stdlib.h>

#include "paced/config.h"
#include "tests/ref/ref.h"

enum { MAX_CLASSES = 256, MAX_KERNEL = 31 };

static void softmax(int classes, const double *z, double temperature, double *p) {
    double largest = z[0], sum = 0;
    for (int c = 1; c < classes; ++c) largest = fmax(largest, z[c]);
    for (int c = 0; c < classes; ++c) sum += p[c] = exp((z[c] - largest) / temperature);
    for (int c = 0; c < classes; ++c) p[c] /= sum;
}

static void softmax_of_floats(int classes, const float *z, double temperature, double *p) {
    double values[MAX_CLASSES] = {0};
    for (int c = 0; c < classes; ++c) values[c] = (double)z[c];
    softmax(classes, values, temperature, p);
}

void ref_svls_kernel(int side, double sigma, double *weights) {
    double others = 0;
    int count = side * side, centre = count / 2;
    for (int i = 0; i < count; ++i) {
        int dy = i / side - side / 2, dx = i % side - side / 2;
        weights[i] = exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
        if (i != centre) others += weights[i];
    }
    weights[centre] = others;
    for (int i = 0; i < count; ++i) weights[i] /= 2 * others;
}

static int inside(int i, int size) {
    return i < 0 ? 0 : i >= size ? size - 1 : i;
}

void ref_svls_label(const struct ref_uncertainty *r, const uint8_t *labels, double *soft) {
    double weights[MAX_KERNEL * MAX_KERNEL];
    int half = r->kernel / 2;
    ref_svls_kernel(r->kernel, r->sigma, weights);
    for (int n = 0; n < r->n; ++n)
        for (int y = 0; y < r->h; ++y)
            for (int x = 0; x < r->w; ++x) {
                double counted = 0;
                for (int c = 0; c < r->classes; ++c) soft[c] = 0;
                for (int j = -half; j <= half; ++j)
                    for (int i = -half; i <= half; ++i) {
                        int at = (n * r->h + inside(y + j, r->h)) * r->w + inside(x + i, r->w);
                        if (labels[at] == PACED_IGNORED) continue;
                        counted += weights[(j + half) * r->kernel + i + half];
                        soft[labels[at]] += weights[(j + half) * r->kernel + i + half];
                    }
                for (int c = 0; counted > 0 && c < r->classes; ++c) soft[c] /= counted;
                soft += r->classes;
            }
}

static double fuse(const struct ref_uncertainty *r, double u_p, double u_b) {
    switch ((enum paced_fuse)r->fuse) {
    case PACED_FUSE_PRODUCT:
        return 1 - (1 - u_p) * (1 - u_b);
    case PACED_FUSE_MEAN:
        return (u_p + u_b) / 2;
    case PACED_FUSE_MAX:
        return fmax(u_p, u_b);
    case PACED_FUSE_WEIGHTED:
        return r->beta * u_p + (1 - r->beta) * u_b;
    case PACED_FUSE_PREDICTION:
        return u_p;
    case PACED_FUSE_BOUNDARY:
        return u_b;
    }
    return NAN;
}

void ref_uncertainty(const struct ref_uncertainty *r, const float *t, const uint8_t *labels, double *u) {
    int pixels = r->n * r->h * r->w, classes = r->classes;
    double *soft = paced_alloc((size_t)(pixels * classes), sizeof *soft), f[MAX_CLASSES];
    ref_svls_label(r, labels, soft);
    for (int p = 0; p < pixels; ++p) {
        u[p] = NAN;
        if (labels[p] == PACED_IGNORED) continue;
        softmax_of_floats(classes, t + p * classes, r->tau, f);
        double confidence = f[labels[p]];
        for (int c = 0; r->prediction == PACED_PREDICTION_MAX && c < classes; ++c) confidence = fmax(confidence, f[c]);
        double u_b = r->boundary == PACED_BOUNDARY_NONE ? 0 : 1 - soft[p * classes + labels[p]];
        u[p] = fuse(r, 1 - confidence, u_b);
    }
    free(soft);
}

double ref_distill_pixel(const struct ref_mixture *m, const double *s, const float *t, const double *target) {
    double p[MAX_CLASSES], q[MAX_CLASSES], ce = 0, kld = 0;
    softmax(m->classes, s, 1, q);
    for (int c = 0; c < m->classes; ++c) ce -= target[c] * log(q[c]);
    if (!t) return m->ce * ce;
    softmax_of_floats(m->classes, t, m->temperature, p);
    softmax(m->classes, s, m->temperature, q);
    for (int c = 0; c < m->classes; ++c) kld += p[c] * log(p[c] / q[c]);
    return m->ce * ce + m->kld * m->temperature * m->temperature * kld / m->classes;
}
