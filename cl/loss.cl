/* The objective per pixel, value and gradient in one pass: (c0 + c1 w) CE + (k0 + k1 w) KLD; formulas in distill.h. A
 * work-item processes `part_pixels` pixels and writes sums over them to parts[part][4] = {objective, cross entropy with
 * the hard label, KLD, pixels of weight 1}. The objective is a mean, so gradients are divided by the number of pixels.
 * Ignored pixels have neither sums nor gradients, and are not in that number.
 *
 * A vector's elements ("lanes") are VEC neighbouring pixels, not channels: there are few classes, and on a CPU exp of a
 * vector costs as much as exp of a scalar. Lanes past the last pixel repeat the first and are not counted.
 * The host defines the PACED_ constants. */

/* Class c of `count` <= VEC pixels. */
INLINE realv lanes(global const float *x, int classes, int c, int count)
{
    float lane[VEC];
    for (int i = 0; i < VEC; ++i) lane[i] = x[(i < count ? i : 0) * classes + c];
    return LOADV(lane, 0);
}

/* log(sum_c exp(z_c - max z)), z = x / temperature; *largest = max z. */
INLINE realv log_sum(global const float *x, int classes, int count, float temperature, realv *largest)
{
    realv top = lanes(x, classes, 0, count) / temperature, sum = 0;
    for (int c = 1; c < classes; ++c) {
        realv z = lanes(x, classes, c, count) / temperature;
        top = z > top || z != z ? z : top;
    }
    for (int c = 0; c < classes; ++c) sum += exp(lanes(x, classes, c, count) / temperature - top);
    *largest = top;
    return log(sum);
}

/* The smoothed target of class c at pixel p. */
static float soft_target(int target, float smoothing, int classes, int c, global const uchar *labels,
                        uint p, int h, int w, global const float *svls, int side)
{
    if (target == PACED_TARGET_UNIFORM) return (1.0f - smoothing) * (labels[p] == c) + smoothing / (float)classes;
    return svls_sum(labels, p, h, w, svls, side, c, true);
}

INLINE realv target_of(int target, float smoothing, int classes, int c, global const uchar *labels, uint p,
                          int count, int h, int w, global const float *svls, int side)
{
    float lane[VEC];
    for (int i = 0; i < VEC; ++i) {
        uint at = p + (i < count ? i : 0);
        bool hard = target == PACED_TARGET_HARD;
        lane[i] = hard ? labels[at] == c : soft_target(target, smoothing, classes, c, labels, at, h, w, svls, side);
    }
    return LOADV(lane, 0);
}

kernel void loss_pixels(struct loss o, global const float *logits, global const float *teacher,
                        global const uchar *labels, global const float *svls, global const float *admission_score,
                        global float *dlogits, global float *parts)
{
    int part = get_global_id(0), from = part * o.part_pixels, to = min(o.pixels, from + o.part_pixels);
    if (from >= o.pixels) return;
    int classes = o.classes, h = o.h, w = o.w, target = o.target, side = o.side;
    float temperature = o.temperature, smoothing = o.smoothing;
    float per_pixel = o.counted > 0 ? 1.0f / (float)o.counted : 0.0f, kld_scale = temperature / (float)classes;
    realv objective_sum = 0, ce_sum = 0, kld_sum = 0, admitted = 0;
    for (int p = from; p < to; p += VEC) {
        int count = min(VEC, to - p);
        global const float *s = logits + (size_t)p * classes, *t = teacher + (size_t)p * classes;
        float lane[VEC], counted[VEC];
        for (int i = 0; i < VEC; ++i) {
            int at = p + (i < count ? i : 0);
            counted[i] = i < count && labels[at] != PACED_IGNORED;
            lane[i] = o.with_weight && !(admission_score[at] <= o.limit) ? o.low_weight : 1.0f;
        }
        realv weight = LOADV(lane, 0), real = LOADV(counted, 0), zero = 0;
        realv ce_factor = o.c0 + o.c1 * weight, kld_factor = o.k0 + o.k1 * weight;
        realv top, s_top = 0, t_top = 0, s_log = 0, t_log = 0, log_of_sum = log_sum(s, classes, count, 1.0f, &top);
        if (o.with_teacher) {
            s_log = log_sum(s, classes, count, temperature, &s_top);
            t_log = log_sum(t, classes, count, temperature, &t_top);
        }
        realv hard_ce = 0, ce = 0, kld = 0;
        for (int c = 0; c < classes; ++c) {
            realv wanted = target_of(target, smoothing, classes, c, labels, p, count, h, w, svls, side);
            realv hard = wanted;
            if (target != PACED_TARGET_HARD)
                hard = target_of(PACED_TARGET_HARD, 0, classes, c, labels, p, count, h, w, svls, side);
            realv x = lanes(s, classes, c, count), log_q = x - top - log_of_sum;
            realv grad = ce_factor * (exp(log_q) - wanted);
            hard_ce -= hard != 0 ? log_q : (realv)0;
            ce -= wanted != 0 ? wanted * log_q : (realv)0;
            if (o.with_teacher) {
                realv log_p = lanes(t, classes, c, count) / temperature - t_top - t_log, prob = exp(log_p);
                log_q = x / temperature - s_top - s_log;
                kld += prob > 0 ? prob * (log_p - log_q) : (realv)0;
                grad += kld_factor * kld_scale * (exp(log_q) - prob);
            }
            if (!o.with_gradient) continue;
            STORE_LANES(real != 0 ? per_pixel * grad : zero, lane);
            for (int i = 0; i < count; ++i) dlogits[((size_t)p + i) * classes + c] = lane[i];
        }
        kld *= temperature * kld_scale;
        /* Selected, not multiplied: an ignored pixel's logits may be infinite. */
        objective_sum += real != 0 ? ce_factor * ce + kld_factor * kld : zero;
        ce_sum += real != 0 ? hard_ce : zero;
        kld_sum += real != 0 ? kld : zero;
        admitted += real != 0 && weight == 1.0f ? (realv)1 : zero;
    }
    parts[part * 4] = over_lanes(objective_sum);
    parts[part * 4 + 1] = over_lanes(ce_sum);
    parts[part * 4 + 2] = over_lanes(kld_sum);
    parts[part * 4 + 3] = over_lanes(admitted);
}
