/* One step of Adam (Kingma and Ba, 2015) and of SGD with momentum, as torch.optim defines them. */
#include <math.h>

#include "tests/ref/ref.h"

void ref_adam(size_t count, double *w, const float *grad, double *m, double *v, int t, double lr, double weight_decay) {
    const double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
    for (size_t i = 0; i < count; ++i) {
        double g = (double)grad[i] + weight_decay * w[i];
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
        w[i] -= lr / (1 - pow(beta1, t)) * m[i] / (sqrt(v[i]) / sqrt(1 - pow(beta2, t)) + eps);
    }
}

void ref_sgd(size_t count, double *w, const float *grad, double *moment, double momentum, double lr,
             double weight_decay) {
    for (size_t i = 0; i < count; ++i) {
        moment[i] = momentum * moment[i] + (double)grad[i] + weight_decay * w[i];
        w[i] -= lr * moment[i];
    }
}
