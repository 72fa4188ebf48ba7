/* The objective per pixel, value and gradient in one pass: (c0 + c1 w) CE + (k0 + k1 w) KLD; formulas in distill.h. A
 * work-item takes `part_pixels` pixels and leaves sums over them in parts[part][4] = {objective, cross entropy with the
 * hard label, KLD, pixels of weight 1}. The objective is a mean, so gradients are divided by the number of pixels. */
enum { HARD, UNIFORM, SVLS }; /* enum paced_target */

/* exp and sum of z = x / temperature, relative to the largest. */
static float exp_sum(global const float *x, int classes, float temperature, float *largest)
{
    float top = x[0] / temperature;
    for (int c = 1; c < classes; ++c) top = fmax(top, x[c] / temperature);
    float sum = 0;
    for (int c = 0; c < classes; ++c) sum += exp(x[c] / temperature - top);
    *largest = top;
    return sum;
}

/* The target's share of class c at pixel p. */
static float target_share(int target, float smoothing, int classes, int c, global const uchar *labels, uint p, int size,
                          global const float *svls, int side)
{
    float hard = labels[p] == c ? 1.0f : 0.0f;
    if (target == HARD) return hard;
    if (target == UNIFORM) return (1.0f - smoothing) * hard + smoothing / (float)classes;
    int x = p % size, y = p / size % size;
    size_t image = p - ((size_t)y * size + x);
    float share = 0;
    for (int j = 0; j < side; ++j)
        for (int i = 0; i < side; ++i) {
            int ny = clamp(y + j - side / 2, 0, size - 1), nx = clamp(x + i - side / 2, 0, size - 1);
            if (labels[image + (size_t)ny * size + nx] == c) share += svls[j * side + i];
        }
    return share;
}

kernel void loss_pixels(int pixels, int part_pixels, int size, int classes, int with_gradient, int with_teacher,
                        int with_weight, float c0, float c1, float k0, float k1, float limit, float low_weight,
                        float temperature, int target, float smoothing, int side, global const float *logits,
                        global const float *teacher, global const uchar *labels, global const float *svls,
                        global const float *rank, global float *dlogits, global float *parts)
{
    int part = get_global_id(0), from = part * part_pixels, to = min(pixels, from + part_pixels);
    if (from >= pixels) return;
    float share = 1.0f / (float)pixels, objective_sum = 0, ce_sum = 0, kld_sum = 0, admitted = 0;
    for (int p = from; p < to; ++p) {
        global const float *s = logits + (size_t)p * classes, *t = teacher + (size_t)p * classes;
        float weight = with_weight && !(rank[p] <= limit) ? low_weight : 1.0f;
        float ce_factor = c0 + c1 * weight, kld_factor = k0 + k1 * weight;
        float largest, sum = exp_sum(s, classes, 1.0f, &largest), log_sum = log(sum);
        float hard_ce = log_sum - (s[labels[p]] - largest), ce = 0, kld = 0;
        float s_largest = 0, s_sum = 1, t_largest = 0, t_sum = 1;
        if (with_teacher) {
            s_sum = exp_sum(s, classes, temperature, &s_largest);
            t_sum = exp_sum(t, classes, temperature, &t_largest);
        }
        float s_log = log(s_sum), t_log = log(t_sum), kld_scale = temperature / (float)classes;
        for (int c = 0; c < classes; ++c) {
            float wanted = target_share(target, smoothing, classes, c, labels, p, size, svls, side);
            float grad = ce_factor * (exp(s[c] - largest) / sum - wanted);
            if (wanted != 0) ce += wanted * (log_sum - (s[c] - largest));
            if (with_teacher) {
                float log_p = t[c] / temperature - t_largest - t_log, log_q = s[c] / temperature - s_largest - s_log;
                float prob = exp(log_p);
                if (prob > 0) kld += prob * (log_p - log_q);
                grad += kld_factor * kld_scale * (exp(log_q) - prob);
            }
            if (with_gradient) dlogits[(size_t)p * classes + c] = share * grad;
        }
        kld *= temperature * kld_scale;
        objective_sum += ce_factor * ce + kld_factor * kld;
        ce_sum += hard_ce;
        kld_sum += kld;
        admitted += weight == 1.0f ? 1.0f : 0.0f;
    }
    parts[part * 4] = objective_sum;
    parts[part * 4 + 1] = ce_sum;
    parts[part * 4 + 2] = kld_sum;
    parts[part * 4 + 3] = admitted;
}
