/* needle: mask from probabilities, and line fit of a mask. */
#include "src/metrics/parts.h"

#include <math.h>

static double foreground(const float *logits) {
    return 1 / (1 + exp((double)logits[0] - (double)logits[1]));
}

void needle_mask(struct components *components, const float *logits, uint8_t *mask, size_t pixels) {
    double min = INFINITY, max = -INFINITY;
    for (size_t i = 0; i < pixels; ++i) {
        double p = foreground(logits + 2 * i);
        min = fmin(min, p);
        max = fmax(max, p);
    }
    for (size_t i = 0; i < pixels; ++i) mask[i] = (foreground(logits + 2 * i) - min) * 255 > 127 * (max - min);
    components_keep_outline(components, mask);
}

struct needle_line needle_fit(const uint8_t *mask, int width, int height) {
    double n = 0, x_sum = 0, y_sum = 0, xx = 0, xy = 0, yy = 0;
    for (int row = 0; row < height; ++row)
        for (int column = 0; column < width; ++column) {
            uint8_t value = mask[(size_t)row * (size_t)width + (size_t)column];
            if (value == 0 || value == PACED_IGNORED) continue;
            double x = column - (width - 1) / 2.0, y = (height - 1) / 2.0 - row; /* relative to the centre, y upwards */
            n += 1;
            x_sum += x;
            y_sum += y;
            xx += x * x;
            xy += x * y;
            yy += y * y;
        }
    if (n == 0) return (struct needle_line){0};
    double x_mean = x_sum / n, y_mean = y_sum / n;
    double theta = atan2(2 * (xy / n - x_mean * y_mean), xx / n - x_mean * x_mean - (yy / n - y_mean * y_mean)) / 2;
    return (struct needle_line){true, theta * 180 / M_PI, y_mean * cos(theta) - x_mean * sin(theta)};
}

struct paced_metrics needle_compare(const struct needle_line *prediction, const struct needle_line *label,
                                    double diagonal) {
    if (!prediction->found && !label->found) return (struct paced_metrics){0};
    if (!prediction->found || !label->found)
        return (struct paced_metrics){.angle_error = 90 * 90, .distance_error = diagonal * diagonal};
    double angle = fabs(prediction->angle - label->angle), distance = prediction->distance;
    if (angle > 90) { /* reversing the direction of a line changes the sign of its distance */
        angle = 180 - angle;
        distance = -distance;
    }
    distance -= label->distance;
    return (struct paced_metrics){.angle_error = angle * angle, .distance_error = distance * distance};
}
