/* The objective per pixel, value and gradient in one pass: a work-item takes `part_pixels` pixels and leaves the sums of
 * their values in parts[part][2] = {objective, cross entropy}. The objective is a mean, so gradients are divided by the
 * number of pixels. */
kernel void loss_pixels(int pixels, int part_pixels, int classes, int with_gradient, global const float *logits,
                        global const uchar *labels, global float *dlogits, global float *parts)
{
    int part = get_global_id(0), from = part * part_pixels, to = min(pixels, from + part_pixels);
    if (from >= pixels) return;
    float share = 1.0f / (float)pixels, ce_sum = 0;
    for (int p = from; p < to; ++p) {
        global const float *s = logits + (size_t)p * classes;
        float largest = s[0];
        for (int c = 1; c < classes; ++c) largest = fmax(largest, s[c]);
        float sum = 0;
        for (int c = 0; c < classes; ++c) sum += exp(s[c] - largest);
        int label = labels[p];
        ce_sum += log(sum) - (s[label] - largest);
        if (!with_gradient) continue;
        global float *ds = dlogits + (size_t)p * classes;
        for (int c = 0; c < classes; ++c) ds[c] = share * (exp(s[c] - largest) / sum - (c == label ? 1.0f : 0.0f));
    }
    parts[part * 2] = ce_sum;
    parts[part * 2 + 1] = ce_sum;
}
