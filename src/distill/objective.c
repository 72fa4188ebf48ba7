/* objective: the tables of losses: the reference's by its names, the experiments' by method. A new loss is a row.
 *
 * mix: the coefficients of CE and KLD: alpha (1 - alpha, alpha), sum (1, 1), ce (1, 0). on_ce, on_kld: the terms that
 * the pixel's weight multiplies. aliter: the weight moves from one term to the other. */
#include "paced/distill.h"

#include <math.h>

enum mix { MIX_CE, MIX_ALPHA, MIX_SUM };

struct row {
    const char *name;
    enum paced_weighting weighting;
    enum mix mix;
    bool on_ce, on_kld, soft, curriculum, aliter;
};

static const struct row methods[] = {
    [PACED_METHOD_IID] = {"iid", PACED_WEIGHT_NONE, MIX_CE},
    [PACED_METHOD_KD] = {"kd", PACED_WEIGHT_NONE, MIX_ALPHA},
    [PACED_METHOD_CPL] = {"cpl", PACED_WEIGHT_TRUE_CLASS, MIX_ALPHA, .on_ce = true, .soft = true, .curriculum = true},
    [PACED_METHOD_TPL] = {"tpl", PACED_WEIGHT_MAX, MIX_ALPHA, .on_ce = true, .on_kld = true},
    [PACED_METHOD_PCD] = {"pcd", PACED_WEIGHT_FUSED, MIX_SUM, .on_ce = true, .on_kld = true},
};

/* Row 0 stands for the row of the method. */
static const struct row losses[] = {
    {"", PACED_WEIGHT_NONE, MIX_CE},
    {"kd", PACED_WEIGHT_NONE, MIX_ALPHA},
    {"curriculum", PACED_WEIGHT_TRUE_CLASS, MIX_CE, .on_ce = true, .soft = true, .curriculum = true},
    {"ce_weighted", PACED_WEIGHT_TRUE_CLASS, MIX_ALPHA, .on_ce = true, .soft = true, .curriculum = true},
    {"kld_weighted", PACED_WEIGHT_TRUE_CLASS, MIX_ALPHA, .on_kld = true, .soft = true, .curriculum = true},
    {"both_weighted", PACED_WEIGHT_TRUE_CLASS, MIX_ALPHA, .on_ce = true, .on_kld = true, .soft = true,
     .curriculum = true},
    {"ce_aliter_weighted", PACED_WEIGHT_TRUE_CLASS, MIX_ALPHA, .on_ce = true, .on_kld = true, .soft = true,
     .curriculum = true, .aliter = true},
    {"both_weighted_spl_per_px", PACED_WEIGHT_MAX, MIX_ALPHA, .on_ce = true, .on_kld = true},
    {"both_weighted_spl_per_img", PACED_WEIGHT_CLASS_MEAN, MIX_ALPHA, .on_ce = true, .on_kld = true},
    {"both_weighted_spl_per_img_max", PACED_WEIGHT_IMAGE_MAX, MIX_ALPHA, .on_ce = true, .on_kld = true},
    {"both_weighted_spl_per_px_no_alpha", PACED_WEIGHT_MAX, MIX_SUM, .on_ce = true, .on_kld = true},
    {"both_weighted_spl_per_px_no_alpha_no_weights", PACED_WEIGHT_NONE, MIX_SUM},
};

const char *paced_method_name(int index) {
    return index >= 0 && (size_t)index < PACED_COUNT(methods) ? methods[index].name : NULL;
}

const char *paced_loss_name(int index) {
    return index >= 0 && (size_t)index < PACED_COUNT(losses) ? losses[index].name : NULL;
}

PACED_NAMES(paced_mix_name, [PACED_MIX_AUTO] = "auto", [PACED_MIX_ALPHA] = "alpha", [PACED_MIX_SUM] = "sum")
PACED_NAMES(paced_prediction_name, [PACED_PREDICTION_LABEL] = "label", [PACED_PREDICTION_MAX] = "max")
PACED_NAMES(paced_boundary_name, [PACED_BOUNDARY_SVLS] = "svls", [PACED_BOUNDARY_NONE] = "none")
PACED_NAMES(
    paced_fuse_name, [PACED_FUSE_PRODUCT] = "product", [PACED_FUSE_MEAN] = "mean", [PACED_FUSE_MAX] = "max",
    [PACED_FUSE_WEIGHTED] = "weighted", [PACED_FUSE_PREDICTION] = "prediction", [PACED_FUSE_BOUNDARY] = "boundary")
PACED_NAMES(
    paced_target_name, [PACED_TARGET_HARD] = "hard", [PACED_TARGET_UNIFORM] = "uniform", [PACED_TARGET_SVLS] = "svls")

static void set_coefficients(struct paced_objective *o, const struct row *row, enum mix mix, double alpha) {
    float ce = mix == MIX_ALPHA ? (float)(1 - alpha) : 1, kld = mix == MIX_CE ? 0 : mix == MIX_ALPHA ? (float)alpha : 1;
    o->c0 = row->on_ce ? 0 : ce;
    o->c1 = row->on_ce ? ce : 0;
    o->k0 = row->on_kld ? 0 : kld;
    o->k1 = row->on_kld ? kld : 0;
    if (row->aliter) { /* (1 - w alpha) CE + w alpha KLD */
        o->c0 = 1;
        o->c1 = -(float)alpha;
    }
}

struct paced_objective paced_objective_plain(void) {
    return (struct paced_objective){.name = "ce", .c0 = 1, .temperature = 1, .tau = 1, .kernel = 1};
}

enum paced_err paced_objective_init(struct paced_objective *o, const struct paced_distill_options *distill,
                                    const struct paced_uncertainty_options *uncertainty,
                                    const struct paced_pacing_options *pacing) {
    bool by_name = distill->loss > 0;
    const struct row *row = by_name ? &losses[distill->loss] : &methods[distill->method];
    enum mix mix = row->mix;
    *o = (struct paced_objective){
        .name = row->name,
        .weighting = row->weighting,
        .soft = row->soft,
        .curriculum = row->curriculum,
        .hard_first = pacing->order == PACED_ORDER_HARD,
        .temperature = (float)distill->temperature,
        .tau = isnan(uncertainty->temperature) ? 1 : (float)uncertainty->temperature,
        .prediction = uncertainty->prediction,
        .boundary = uncertainty->boundary,
        .fuse = uncertainty->fuse,
        .target = by_name ? PACED_TARGET_HARD : uncertainty->target,
        .kernel = (int)uncertainty->kernel,
        .beta = (float)uncertainty->beta,
        .smoothing = (float)uncertainty->smoothing,
    };
    if (!by_name && distill->mix != PACED_MIX_AUTO && mix != MIX_CE)
        mix = distill->mix == PACED_MIX_ALPHA ? MIX_ALPHA : MIX_SUM;
    if (!by_name && pacing->admission != PACED_ADMISSION_AUTO) o->soft = pacing->admission == PACED_ADMISSION_SOFT;
    o->by_quantile = paced_pacing_needs_histogram(pacing, o);
    set_coefficients(o, row, mix, distill->alpha);
    o->needs_teacher = o->weighting != PACED_WEIGHT_NONE || mix != MIX_CE;
    if (!o->needs_teacher || *distill->teacher) return PACED_OK;
    return paced_error(PACED_INVALID,
                       "distill.%s = %s: needs a teacher; give its weights with distill.teacher, or set distill.method "
                       "= iid",
                       by_name ? "loss" : "method", o->name);
}
