/* Steps of the optimisers over a flat range; formulas in optim.h. */
kernel void adam(uint count, global float *weight, global const float *grad, global float *m, global float *v,
                 float beta1, float beta2, float one_minus_beta1, float one_minus_beta2, float step_size, float root,
                 float decay)
{
    uint i = get_global_id(0);
    if (i >= count) return;
    float w = weight[i], g = grad[i] + decay * w;
    float first = beta1 * m[i] + one_minus_beta1 * g;
    float second = beta2 * v[i] + one_minus_beta2 * g * g;
    m[i] = first;
    v[i] = second;
    weight[i] = w - step_size * (first / (sqrt(second) / root + 1e-8f));
}

kernel void sgd(uint count, global float *weight, global const float *grad, global float *moment, float momentum,
                float lr, float decay)
{
    uint i = get_global_id(0);
    if (i >= count) return;
    float w = weight[i];
    float step = momentum * moment[i] + (grad[i] + decay * w);
    moment[i] = step;
    weight[i] = w - lr * step;
}
