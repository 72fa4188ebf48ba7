/* Stores the values of a source: h x w pixels of all its channels, from channel vector `offset` of y on, which has
 * `vectors` per pixel. */
kernel void source_store(int pixels, int h, int w, int vectors, int offset, SOURCE_PARAMS, global out_t *y)
{
    SOURCE_PARTS;
    PIXEL_BELOW(p, pixels);
    for (int i = 0, from = 0; i < 2; ++i) {
        struct part part = i ? second : first;
        int row = part_row(part, p / w / h, p / w % h, h), column = part_column(part, p % w, w);
        size_t at = ((size_t)row * part.w + column) * part.vectors;
        FOR_CHANNELS_FROM(v, from, from + part.vectors) {
            realv value = 0;
            if (row >= 0 && column >= 0)
                value = part_value(part, part_map(part, v - from), LOAD_IN(part.x, at + v - from));
            STORE_OUT(value, y, (size_t)p * vectors + offset + v);
        }
        from += part.vectors;
    }
}
