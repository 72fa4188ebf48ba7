/* objective: the tables of losses: the reference's by its names, the experiments' by method. A new loss is a row here
 * and a name in the configuration's list.
 *
 * mix: the coefficients of CE and KLD: alpha (1 - alpha, alpha), sum (1, 1), ce (1, 0). on_ce, on_kld: the terms that
 * the pixel's weight multiplies. ce_aliter_weighted is the exception: it moves weight from one term to the other. */
#include "paced/distill.h"

#include <math.h>

enum mix { MIX_CE, MIX_ALPHA, MIX_SUM };

struct row {
    const char *name;
    enum paced_weighting weighting;
    enum mix mix;
    bool on_ce, on_kld, soft, curriculum;
};

static const struct row methods[] = {
    [PACED_METHOD_IID] = {"iid", PACED_WEIGHT_NONE, MIX_CE, false, false, false, false},
    [PACED_METHOD_KD] = {"kd", PACED_WEIGHT_NONE, MIX_ALPHA, false, false, false, false},
    [PACED_METHOD_CPL] = {"cpl", PACED_WEIGHT_TRUE_CLASS, MIX_ALPHA, true, false, true, true},
    [PACED_METHOD_TPL] = {"tpl", PACED_WEIGHT_MAX, MIX_ALPHA, true, true, false, false},
    [PACED_METHOD_PCD] = {"pcd", PACED_WEIGHT_FUSED, MIX_SUM, true, true, false, false},
};

/* Rows in the order of the configuration's list, without its first word (0), which selects by method. */
static const struct row losses[] = {
    {"kd", PACED_WEIGHT_NONE, MIX_ALPHA, false, false, false, false},
    {"curriculum", PACED_WEIGHT_TRUE_CLASS, MIX_CE, true, false, true, true},
    {"ce_weighted", PACED_WEIGHT_TRUE_CLASS, MIX_ALPHA, true, false, true, true},
    {"kld_weighted", PACED_WEIGHT_TRUE_CLASS, MIX_ALPHA, false, true, true, true},
    {"both_weighted", PACED_WEIGHT_TRUE_CLASS, MIX_ALPHA, true, true, true, true},
    {"ce_aliter_weighted", PACED_WEIGHT_TRUE_CLASS, MIX_ALPHA, true, true, true, true},
    {"both_weighted_spl_per_px", PACED_WEIGHT_MAX, MIX_ALPHA, true, true, false, false},
    {"both_weighted_spl_per_img", PACED_WEIGHT_CLASS_MEAN, MIX_ALPHA, true, true, false, false},
    {"both_weighted_spl_per_img_max", PACED_WEIGHT_IMAGE_MAX, MIX_ALPHA, true, true, false, false},
    {"both_weighted_spl_per_px_no_alpha", PACED_WEIGHT_MAX, MIX_SUM, true, true, false, false},
    {"both_weighted_spl_per_px_no_alpha_no_weights", PACED_WEIGHT_NONE, MIX_SUM, false, false, false, false},
};
enum { CE_ALITER_WEIGHTED = 5 };

static void set_coefficients(struct paced_objective *o, const struct row *row, enum mix mix, double alpha) {
    float ce = mix == MIX_ALPHA ? (float)(1 - alpha) : 1, kld = mix == MIX_CE ? 0 : mix == MIX_ALPHA ? (float)alpha : 1;
    o->c0 = row->on_ce ? 0 : ce;
    o->c1 = row->on_ce ? ce : 0;
    o->k0 = row->on_kld ? 0 : kld;
    o->k1 = row->on_kld ? kld : 0;
    if (row == &losses[CE_ALITER_WEIGHTED]) { /* (1 - w alpha) CE + w alpha KLD */
        o->c0 = 1;
        o->c1 = -(float)alpha;
    }
}

struct paced_objective paced_objective_plain(void) {
    return (struct paced_objective){.name = "ce", .c0 = 1, .temperature = 1, .tau = 1, .kernel = 1};
}

enum paced_err paced_objective_init(struct paced_objective *o, const struct paced_config *config) {
    bool by_name = config->distill.loss > 0;
    const struct row *row = by_name ? &losses[config->distill.loss - 1] : &methods[config->distill.method];
    enum mix mix = row->mix;
    *o = (struct paced_objective){
        .name = row->name,
        .weighting = row->weighting,
        .soft = row->soft,
        .curriculum = row->curriculum,
        .hard_first = config->pacing.order == PACED_ORDER_HARD,
        .temperature = (float)config->distill.temperature,
        .tau = isnan(config->uncertainty.temperature) ? 1 : (float)config->uncertainty.temperature,
        .prediction = config->uncertainty.prediction,
        .boundary = config->uncertainty.boundary,
        .fuse = config->uncertainty.fuse,
        .target = by_name ? PACED_TARGET_HARD : config->uncertainty.target,
        .kernel = (int)config->uncertainty.kernel,
        .beta = (float)config->uncertainty.beta,
        .smoothing = (float)config->uncertainty.smoothing,
    };
    if (!by_name && config->distill.mix != PACED_MIX_AUTO && mix != MIX_CE)
        mix = config->distill.mix == PACED_MIX_ALPHA ? MIX_ALPHA : MIX_SUM;
    if (!by_name && config->pacing.admission != PACED_ADMISSION_AUTO)
        o->soft = config->pacing.admission == PACED_ADMISSION_SOFT;
    o->by_quantile = paced_pacing_needs_histogram(config, o);
    set_coefficients(o, row, mix, config->distill.alpha);
    o->needs_teacher = o->weighting != PACED_WEIGHT_NONE || mix != MIX_CE;
    if (!o->needs_teacher || *config->distill.teacher) return PACED_OK;
    return paced_error(PACED_INVALID,
                       "distill.%s = %s: needs a teacher; give its weights with distill.teacher, or set distill.method "
                       "= iid",
                       by_name ? "loss" : "method", o->name);
}
