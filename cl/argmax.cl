/* The class with the largest logit of each pixel; the first of equals. */
kernel void argmax(int pixels, int classes, global const float *logits, global uchar *prediction)
{
    ITEM_BELOW(p, pixels);
    global const float *s = logits + (size_t)p * classes;
    int best = 0;
    for (int c = 1; c < classes; ++c)
        if (s[c] > s[best]) best = c;
    prediction[p] = best;
}
