/* Steps of Adam (Kingma and Ba, 2015), AdamW (Loshchilov and Hutter, 2019) and SGD with momentum, and clipping of
 * gradients, as defined by torch.optim and torch.nn.utils. */
#include <math.h>

#include "tests/ref/ref.h"

void ref_adam(size_t count, double *w, const double *grad, double *m, double *v, int t, double lr, double weight_decay,
              bool decoupled) {
    const double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
    for (size_t i = 0; i < count; ++i) {
        double g = grad[i];
        if (decoupled)
            w[i] -= lr * weight_decay * w[i];
        else
            g += weight_decay * w[i];
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
        w[i] -= lr / (1 - pow(beta1, t)) * m[i] / (sqrt(v[i]) / sqrt(1 - pow(beta2, t)) + eps);
    }
}

void ref_sgd(size_t count, double *w, const double *grad, double *moment, double momentum, double lr,
             double weight_decay) {
    for (size_t i = 0; i < count; ++i) {
        moment[i] = momentum * moment[i] + grad[i] + weight_decay * w[i];
        w[i] -= lr * moment[i];
    }
}

void ref_clip(size_t count, double *grad, double max_norm) {
    double squares = 0;
    for (size_t i = 0; i < count; ++i) squares += grad[i] * grad[i];
    double factor = max_norm / (sqrt(squares) + 1e-6);
    for (size_t i = 0; i < count && max_norm > 0 && factor < 1; ++i) grad[i] *= factor;
}
