/* The uncertainty of each pixel, which determines its admission.
 *
 *   f = softmax(t / tau) of the teacher's logits t
 *   prediction  u_p = 1 - f[y], or 1 - max_c f_c
 *   boundary    u_b = 1 - svls(y)[y] = sum over the SVLS kernel of [y_ij != y], replicate padding: 0 inside a region
 *   fused       u = 1 - (1 - u_p)(1 - u_b) | (u_p + u_b) / 2 | max | beta u_p + (1 - beta) u_b | u_p | u_b
 *
 * The kernel writes each pixel's uncertainty and admission score; a pixel is admitted if score <= limit. With `by_u`,
 * score = u and limit = mu: for the fused uncertainty, for anti-curriculum, and if mu is a quantile of u, which must
 * admit the pixels at the quantile. Else score = -f and limit = -(1 - mu), so that ties are decided as by the
 * reference's f >= 1 - mu. Anti-curriculum replaces u by 1 - u. Ignored pixels have no uncertainty, NaN, and the score
 * INFINITY, which is never admitted. The host defines the PACED_ constants. */

/* f of one class; *largest_confidence = max_c f_c. */
static float confidence(global const float *t, int classes, float tau, int class, float *largest_confidence)
{
    float largest = t[0] / tau;
    for (int c = 1; c < classes; ++c) largest = fmax(largest, t[c] / tau);
    float sum = 0;
    for (int c = 0; c < classes; ++c) sum += exp(t[c] / tau - largest);
    *largest_confidence = 1.0f / sum;
    return exp(t[class] / tau - largest) / sum;
}

static float fused(int fuse, float beta, float u_p, float u_b)
{
    switch (fuse) {
    case PACED_FUSE_PRODUCT: return 1.0f - (1.0f - u_p) * (1.0f - u_b);
    case PACED_FUSE_MEAN: return 0.5f * (u_p + u_b);
    case PACED_FUSE_MAX: return u_b > u_p ? u_b : u_p; /* fmax would drop a NaN of u_p */
    case PACED_FUSE_WEIGHTED: return beta * u_p + (1.0f - beta) * u_b;
    case PACED_FUSE_PREDICTION: return u_p;
    default: return u_b;
    }
}

kernel void uncertainty(struct uncertainty o, global const float *teacher, global const uchar *labels,
                        global const float *svls, global float *out, global float *admission_score)
{
    ITEM_BELOW(p, o.pixels);
    if (labels[p] == PACED_IGNORED) {
        out[p] = NAN;
        admission_score[p] = INFINITY;
        return;
    }
    float largest = 1, f = 1;
    if (o.has_teacher) f = confidence(teacher + (size_t)p * o.classes, o.classes, o.tau, labels[p], &largest);
    if (o.weighting == PACED_WEIGHT_FUSED) {
        float u_b = o.side ? svls_sum(labels, p, o.h, o.w, svls, o.side, labels[p], false) : 0;
        float u = fused(o.fuse, o.beta, 1.0f - (o.by_max ? largest : f), u_b);
        if (o.hard_first) u = 1.0f - u;
        out[p] = u;
        admission_score[p] = u;
        return;
    }
    if (o.weighting != PACED_WEIGHT_TRUE_CLASS) f = largest;
    /* The exact mean: rounding must not decide ties. */
    if (o.weighting == PACED_WEIGHT_CLASS_MEAN) f = 1.0f / (float)o.classes;
    out[p] = o.hard_first ? f : 1.0f - f;
    admission_score[p] = o.by_u ? out[p] : -f;
}

/* Replaces every value but those of ignored pixels by its image's mean. One work-item per image sums in a fixed
 * order. */
kernel void image_mean(int images, int pixels_per_image, global const uchar *labels, global float *values)
{
    ITEM_BELOW(n, images);
    global float *v = values + (size_t)n * pixels_per_image;
    global const uchar *label = labels + (size_t)n * pixels_per_image;
    float total = 0;
    int counted = 0;
    for (int from = 0; from < pixels_per_image; from += 256) {
        float part = 0;
        int to = min(from + 256, pixels_per_image);
        for (int i = from; i < to; ++i) {
            if (label[i] == PACED_IGNORED) continue;
            part += v[i];
            ++counted;
        }
        total += part;
    }
    float mean = total / (float)counted;
    for (int i = 0; i < pixels_per_image; ++i)
        if (label[i] != PACED_IGNORED) v[i] = mean;
}
