/* Update rules over a flat range of parameters in vectors; formulas in optim.h. clip[0] multiplies all gradients. */

kernel void adam(struct adam o, uint vectors, global float *weight, global const float *grad, global const float *clip,
                 global float *m, global float *v)
{
    ITEM_BELOW(i, vectors);
    realv w = LOADV(weight, i), g = clip[0] * LOADV(grad, i) + o.decay * w;
    realv first = o.beta1 * LOADV(m, i) + o.one_minus_beta1 * g;
    realv second = o.beta2 * LOADV(v, i) + o.one_minus_beta2 * g * g;
    STOREV(first, m, i);
    STOREV(second, v, i);
    STOREV(o.keep * w - o.step_size * (first / (sqrt(second) / o.root + 1e-8f)), weight, i);
}

kernel void sgd(uint vectors, global float *weight, global const float *grad, global const float *clip,
                global float *moment, float momentum, float lr, float decay)
{
    ITEM_BELOW(i, vectors);
    realv w = LOADV(weight, i);
    realv step = momentum * LOADV(moment, i) + (clip[0] * LOADV(grad, i) + decay * w);
    STOREV(step, moment, i);
    STOREV(w - lr * step, weight, i);
}

/* The sums of squares of each of `parts` parts of the gradients, one per vector lane. */
kernel void clip_partial(uint vectors, uint parts, global const float *grad, global float *partial)
{
    ITEM_BELOW(id, parts);
#ifdef PACED_GPU
    uint from = id, to = vectors, step = parts; /* neighbours read neighbouring memory */
#else
    uint size = (vectors + parts - 1) / parts, from = id * size, to = min(vectors, from + size), step = 1;
#endif
    realv sum = 0;
    for (uint i = from; i < to; i += step) {
        realv g = LOADV(grad, i);
        sum += g * g;
    }
    STOREV(sum, partial, id);
}

kernel void clip_finish(uint parts, float max_norm, global const float *partial, global float *clip)
{
    if (get_global_id(0) != 0) return;
    realv sums = 0;
    for (uint i = 0; i < parts; ++i) sums += LOADV(partial, i);
    float factor = max_norm / (sqrt(over_lanes(sums)) + 1e-6f);
    clip[0] = factor > 1.0f ? 1.0f : factor; /* keeps a NaN, which min() may drop: the loss must show it */
}
