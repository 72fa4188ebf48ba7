/* paced: the command line. A command is one row of the table here and one function in src/run. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "paced/device.h"
#include "paced/run.h"
#include "paced_build.h"

enum kind { FLAG, TEXT, NUMBER, LIST };

static const struct {
    const char *name;
    enum kind kind;
    size_t place; /* of its value in struct paced_arguments */
} options[] = {
    {"set", LIST, offsetof(struct paced_arguments, sets)},
    {"output", TEXT, offsetof(struct paced_arguments, output)},
    {"weights", TEXT, offsetof(struct paced_arguments, weights)},
    {"resume", FLAG, offsetof(struct paced_arguments, resume)},
    {"overwrite", FLAG, offsetof(struct paced_arguments, overwrite)},
    {"logits", FLAG, offsetof(struct paced_arguments, logits)},
    {"probabilities", FLAG, offsetof(struct paced_arguments, probabilities)},
    {"overlay", FLAG, offsetof(struct paced_arguments, overlay)},
    {"json", FLAG, offsetof(struct paced_arguments, json)},
    {"keys", FLAG, offsetof(struct paced_arguments, keys)},
    {"markdown", FLAG, offsetof(struct paced_arguments, markdown)},
    {"count", NUMBER, offsetof(struct paced_arguments, count)},
    {"size", NUMBER, offsetof(struct paced_arguments, size)},
    {"seed", NUMBER, offsetof(struct paced_arguments, seed)},
    {"val", TEXT, offsetof(struct paced_arguments, share)},
    {"patient", TEXT, offsetof(struct paced_arguments, patient)},
    {"no-fold", FLAG, offsetof(struct paced_arguments, no_fold)},
};

struct command {
    const char *name, *usage, *help;
    const char *options; /* accepted options */
    size_t least_names, most_names;
    paced_command *run;
};

static const struct command commands[] = {
    {"train", "CONFIG [--set SECTION.KEY=VALUE]... [--output DIR] [--resume | --overwrite]",
     "Trains the network of CONFIG. --output replaces run.output; --resume continues a stopped run, --overwrite\n"
     "replaces an existing one. A CONFIG with a [sweep] runs as in `paced experiment`.",
     "set output resume overwrite", 1, 1, paced_command_train},
    {"test", "CONFIG [--weights FILE] [--set SECTION.KEY=VALUE]... [--output DIR]",
     "Evaluates test.weights (or --weights) on the validation set, writes metrics.csv, summary.csv, intervals.csv and\n"
     "reliability.csv into the run's directory (or --output) and prints the summary table. [test] selects the\n"
     "metrics.",
     "set output weights", 1, 1, paced_command_test},
    {"robustness", "CONFIG [--weights FILE[,FILE...]] [--set SECTION.KEY=VALUE]... [--output DIR]",
     "Evaluates robustness.weights (or --weights), else test.weights, on the clean validation set and under each of\n"
     "robustness.corruptions at each of robustness.severities. Writes robustness.csv (every image),\n"
     "robustness_summary.csv (means and drops), robustness.txt (the table, also printed), robustness_<metric>.svg\n"
     "(metric against severity) and contact_sheet.png (one image under all corruptions) into the run's directory (or\n"
     "--output).",
     "set output weights", 1, 1, paced_command_robustness},
    {"experiment", "CONFIG [--set SECTION.KEY=VALUE]... [--overwrite]",
     "Runs the stages of CONFIG, [stage NAME] with `command = train | test | robustness`, in order, then compares\n"
     "their tests. Completed stages are skipped, interrupted ones continue, changed ones run again; with --overwrite,\n"
     "all run again. --set applies to every stage, except run.output, the directory of the whole experiment.\n"
     "[sweep] SECTION.KEY = v1, v2 runs all stages (without stages: train, then test) once for each combination of\n"
     "values and writes one table, sweep.csv, with means over seeds in seeds.csv and a chart in sweep.svg. --set\n"
     "sweep.SECTION.KEY=v1,v2 sweeps any CONFIG.",
     "set overwrite", 1, 1, paced_command_experiment},
    {"report", "RUN_DIR... --output DIR",
     "Writes DIR/report.html, which compares the run directories and their configurations in one self-contained file,\n"
     "and the curves as SVG files beside it. An experiment's directory stands for its runs and its sweep. Every run\n"
     "directory already contains a report of its own.",
     "output", 1, SIZE_MAX, paced_command_report},
    {"predict",
     "CONFIG --weights FILE --output DIR [--probabilities] [--overlay] [--logits] [--overwrite] [--set "
     "SECTION.KEY=VALUE]... IMAGE|DIR...",
     "Writes a mask DIR/<stem>.png of each image's size: 0 and 255 for two classes, else the class\n"
     "number with a palette of the classes' colours. [predict]\n"
     "selects prediction of the whole image or by windows. Images are PNG, JPEG, TIFF, DICOM or NIfTI; a volume gives\n"
     "DIR/<stem>.nii.gz. A folder stands for all its images except masks (x_mask.png beside x.png). FILE may be\n"
     "`best` or `last` of the run's directory.\n"
     "--probabilities adds 16-bit DIR/<stem>_p1.png, with more than two classes DIR/<stem>_p<class>.png for each;\n"
     "--overlay adds DIR/<stem>_overlay.png, the image with outlined and tinted classes; --logits adds\n"
     "DIR/<stem>.safetensors with logits [C, S, S] (not by windows).\n"
     "Images are skipped if their results are newer than image, weights and DIR/predict.ini, which records the\n"
     "settings and a hash of the weights; --overwrite predicts them again. Unreadable files are reported, and the\n"
     "others are predicted.",
     "set output weights logits probabilities overlay overwrite", 2, SIZE_MAX, paced_command_predict},
    {"uncertainty", "CONFIG --weights FILE --output DIR [--set SECTION.KEY=VALUE]... IMAGE|DIR...",
     "Draws the uncertainty of the teacher FILE (distill.teacher_arch and _width, else [model]): DIR/<stem>.png with\n"
     "prediction, boundary and fused uncertainty and the weights of the first epoch, and each map alone as\n"
     "DIR/<stem>_{u_p,u_b,u,weight}.png. Masks are <stem>_mask.png beside the images; u_b requires them.",
     "set output weights", 2, SIZE_MAX, paced_command_uncertainty},
    {"calibrate", "CONFIG --weights FILE [--set SECTION.KEY=VALUE]...",
     "Fits the temperature tau of CONFIG's network on the validation set by minimising the NLL between 0.0001 and\n"
     "10000. Prints NLL, ECE and Brier score before and after, and the key that sets tau.",
     "set weights", 1, 1, paced_command_calibrate},
    {"data", "check CONFIG | split CONFIG [--val SHARE] [--seed K] [--patient BY] --output DIR [--overwrite]",
     "check reads both splits of CONFIG and reports sizes, classes, empty masks, unreadable files and near-duplicate\n"
     "images. split divides the pairs of CONFIG's splits (without splits: all pairs below data.root) into\n"
     "DIR/train.json and DIR/val.json, with the fraction SHARE (0.2) for validation. It balances classes and folders,\n"
     "and keeps near-duplicates and images of one patient together: BY is the character that ends the patient's part\n"
     "of the file name, or a regular expression for that part. Both accept --set SECTION.KEY=VALUE.",
     "set seed val patient output overwrite", 2, 2, paced_command_data},
    {"synth", "breast|needle|scene [--count N] [--size S] [--seed K] --output DIR [--overwrite]",
     "Generates a data set of N synthetic images of S x S with masks and splits: breast ultrasound, needles in\n"
     "ultrasound, or surgical scenes with colour-coded masks. An earlier set in DIR is replaced; files of other\n"
     "origin are replaced only with --overwrite.",
     "count size seed output overwrite", 1, 1, paced_command_synth},
    {"convert", "IN OUT [--no-fold]",
     "Converts weights. IN: safetensors, or a state_dict() saved by PyTorch's torch.save (.pth, .pt). OUT:\n"
     ".safetensors with metadata that describe the network; or .onnx, from image [N, 3, H, W] to logits [N, C, H, W],\n"
     "for every size that the network supports. The export folds batch normalisations into convolutions; --no-fold\n"
     "keeps the layers separate. An existing OUT is replaced.",
     "no-fold", 2, 2, paced_command_convert},
    {"devices", "[--json]",
     "Lists every OpenCL platform and device, and the device that `auto` selects with the reason.", "json", 0, 0,
     paced_command_devices},
    {"doctor", "[--json]",
     "Checks whether the program works on this machine and reports versions, OpenCL implementations, devices with the\n"
     "trials run on each (each in a child process: kernels, matrix products, a small network, half and bfloat16), the\n"
     "device that `auto` selects, caches, memory and limits, and a verdict with advice. Run it first, and attach its\n"
     "output to bug reports. Stored results about devices are discarded and the trials run again.",
     "json", 0, 0, paced_command_doctor},
    {"tune", "[CONFIG] [--set SECTION.KEY=VALUE]... [--output FILE]",
     "Measures the fastest kernel settings on the device for CONFIG's network and batch (without CONFIG: a UNet of\n"
     "width 64 at 224 x 224, batch 4) and stores them in the device's tuning file (or FILE), which later runs use.\n"
     "Ctrl-C leaves the file unchanged.",
     "set output", 0, 1, paced_command_tune},
    {"bench", "CONFIG [--set SECTION.KEY=VALUE]... [--json]",
     "Times training and inference of the configured network on random images, and its kernels, and compares them\n"
     "with the device's throughput measured between the steps: multiply-adds in registers, a copy through memory. All\n"
     "convolutions count as direct ones. Winograd's multiply up to four times less, so they may exceed 100 %.",
     "set json", 1, 1, paced_command_bench},
    {"graph", "CONFIG [--set SECTION.KEY=VALUE]...",
     "Prints the network: nodes, shapes, parameters, multiply-adds, and the memory plan.", "set", 1, 1,
     paced_command_graph},
    {"config", "CONFIG [--set SECTION.KEY=VALUE]... | --keys [--markdown]",
     "Prints the resolved configuration, or every key with its type, default, range and meaning.", "set keys markdown",
     0, 1, paced_command_config},
};

static void print_usage(FILE *out) {
    fprintf(out,
            "paced %s: trains, distils, tests and runs image-segmentation networks on any OpenCL device\n\nusage:\n",
            PACED_VERSION);
    for (size_t i = 0; i < PACED_COUNT(commands); ++i)
        fprintf(out, "  paced %s %s\n", commands[i].name, commands[i].usage);
    fprintf(out, "  paced --help | --version, paced COMMAND --help\n\n"
                 "exit status: 0 success; 1 the command failed; 2 invalid command line, configuration or input file;\n"
                 "3 no usable device; 130 stopped by Ctrl-C after saving\n");
}

static const struct command *find_command(const char *name) {
    const char *names[PACED_COUNT(commands)];
    for (size_t i = 0; i < PACED_COUNT(commands); ++i) {
        names[i] = commands[i].name;
        if (strcmp(name, names[i]) == 0) return &commands[i];
    }
    const char *nearest = paced_nearest(name, names, PACED_COUNT(names));
    if (nearest)
        paced_error_at(PACED_INVALID, name, "unknown command; did you mean `paced %s`?", nearest);
    else
        paced_error_at(PACED_INVALID, name, "unknown command; see `paced --help`");
    return NULL;
}

static bool accepts(const struct command *command, const char *option) {
    const char *word = command->options;
    for (size_t length; (length = strcspn(word, " ")) > 0; word += length + (word[length] == ' '))
        if (length == strlen(option) && strncmp(word, option, length) == 0) return true;
    return false;
}

static void add_word(const char ***words, size_t *count, const char *word) {
    *words = paced_grow(*words, *count + 1, sizeof **words);
    (*words)[(*count)++] = word;
}

static enum paced_err take_option(const struct command *command, int index, struct paced_arguments *a) {
    const char *name = options[index].name;
    void *place = (char *)a + options[index].place;
    if (!accepts(command, name))
        return paced_error(PACED_INVALID, "%s does not accept --%s; see `paced %s --help`", command->name, name,
                           command->name);
    if (optarg && !*optarg)
        return paced_error(PACED_INVALID, "--%s: needs a value; see `paced %s --help`", name, command->name);
    char quoted[80];
    paced_text_quote(optarg ? optarg : "", quoted, sizeof quoted);
    if (options[index].kind == TEXT && paced_text_has_control(optarg))
        return paced_error(PACED_INVALID, "--%s '%s': contains a control character; choose another name", name, quoted);
    switch (options[index].kind) {
    case FLAG:
        *(bool *)place = true;
        break;
    case TEXT:
        *(const char **)place = optarg;
        break;
    case LIST:
        add_word(place, &a->set_count, optarg);
        break;
    case NUMBER:
        if (!paced_parse_int(optarg, place) || *(int64_t *)place < 0)
            return paced_error(PACED_INVALID, "--%s %s: must be a whole number of at least 0", name, quoted);
    }
    return PACED_OK;
}

static enum paced_err parse(const struct command *command, int argc, char **argv, struct paced_arguments *a,
                            bool *help) {
    enum { OTHER = 1, OPTION }; /* values that getopt_long returns */
    struct option known[PACED_COUNT(options) + 2] = {{"help", no_argument, NULL, 'h'}};
    for (size_t i = 0; i < PACED_COUNT(options); ++i)
        known[i + 1] = (struct option){options[i].name, options[i].kind != FLAG, NULL, OPTION};
    opterr = 0;
    int found, index = 0;
    /* The leading '-' returns other arguments in their order, so that options may appear anywhere. */
    while ((found = getopt_long(argc, argv, "-:h", known, &index)) != -1) {
        if (found == '?' || found == ':')
            return paced_error_at(PACED_INVALID, argv[optind - 1], "%s; see `paced %s --help`",
                                  found == ':' ? "needs a value" : "unknown option", command->name);
        if (found == 'h') *help = true;
        if (found == OTHER) add_word(&a->names, &a->name_count, optarg);
        if (found == OPTION) PACED_TRY(take_option(command, index - 1, a));
    }
    for (; optind < argc; ++optind) add_word(&a->names, &a->name_count, argv[optind]); /* after "--" */
    if (*help || (a->name_count >= command->least_names && a->name_count <= command->most_names)) return PACED_OK;
    return paced_error(PACED_INVALID, "usage: paced %s %s", command->name, command->usage);
}

static enum paced_err run_command(const struct command *command, int argc, char **argv) {
    struct paced_arguments arguments = {.count = -1, .size = -1, .seed = -1};
    bool help = false;
    enum paced_err err = parse(command, argc, argv, &arguments, &help);
    if (!err && help)
        printf("usage: paced %s %s\n\n%s\n", command->name, command->usage, command->help);
    else if (!err)
        err = command->run(&arguments);
    free(arguments.names);
    free(arguments.sets);
    return err;
}

static int run(int argc, char **argv) {
    if (argc < 2) {
        print_usage(stderr);
        return PACED_INVALID;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_usage(stdout);
        return PACED_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("paced %s\n", PACED_VERSION);
        return PACED_OK;
    }
    if (strcmp(argv[1], "--trial") == 0 && argc == 4) return paced_trial(argv[2], argv[3]);
    paced_device_report_crashes();
    const struct command *command = find_command(argv[1]);
    return command ? (int)run_command(command, argc - 1, argv + 1) : PACED_INVALID;
}

int main(int argc, char **argv) {
    paced_program_begin();
    paced_command_advise();
    signal(SIGCHLD, SIG_DFL); /* a parent may have ignored it; the ends of children are waited for */
    signal(SIGXFSZ, SIG_IGN); /* a file beyond ulimit -f is an error of its write */
    int status = run(argc, argv);
    bool written = fflush(stdout) == 0 && !ferror(stdout);
    if (status != PACED_OK || written) return status;
    return paced_error(PACED_FAILED, "standard output: cannot write: %s; is the disk full?", strerror(errno));
}
