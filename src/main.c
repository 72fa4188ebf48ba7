/* paced: the command table. A command is one row here and one function in src/run. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "paced/run.h"
#include "paced_build.h"

/* 1 is what getopt_long returns for what is no option. */
enum {
    HELP = 1 << 1,
    SET = 1 << 2,
    OUTPUT = 1 << 3,
    WEIGHTS = 1 << 4,
    RESUME = 1 << 5,
    OVERWRITE = 1 << 6,
    LOGITS = 1 << 7,
    PROBABILITIES = 1 << 8,
    OVERLAY = 1 << 9,
    JSON = 1 << 10,
    KEYS = 1 << 11,
    MARKDOWN = 1 << 12,
    COUNT = 1 << 13,
    SIZE = 1 << 14,
    SEED = 1 << 15,
    VAL = 1 << 16,
    PATIENT = 1 << 17,
    NO_FOLD = 1 << 18,
};

static const struct option options[] = {
    {"set", required_argument, NULL, SET},
    {"output", required_argument, NULL, OUTPUT},
    {"weights", required_argument, NULL, WEIGHTS},
    {"resume", no_argument, NULL, RESUME},
    {"overwrite", no_argument, NULL, OVERWRITE},
    {"logits", no_argument, NULL, LOGITS},
    {"probabilities", no_argument, NULL, PROBABILITIES},
    {"overlay", no_argument, NULL, OVERLAY},
    {"json", no_argument, NULL, JSON},
    {"keys", no_argument, NULL, KEYS},
    {"markdown", no_argument, NULL, MARKDOWN},
    {"count", required_argument, NULL, COUNT},
    {"size", required_argument, NULL, SIZE},
    {"seed", required_argument, NULL, SEED},
    {"val", required_argument, NULL, VAL},
    {"patient", required_argument, NULL, PATIENT},
    {"no-fold", no_argument, NULL, NO_FOLD},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0},
};

struct command {
    const char *name, *usage, *help;
    unsigned options; /* the ones it takes */
    size_t least_names, most_names;
    enum paced_err (*run)(const struct paced_arguments *arguments);
};

static const struct command commands[] = {
    {"train", "CONFIG [--set SECTION.KEY=VALUE]... [--output DIR] [--resume | --overwrite]",
     "Trains as CONFIG says. --output replaces run.output; --resume goes on where a stopped run was, --overwrite\n"
     "replaces one. A CONFIG with a [sweep] is run as by `paced experiment`.",
     SET | OUTPUT | RESUME | OVERWRITE, 1, 1, paced_command_train},
    {"test", "CONFIG [--weights FILE] [--set SECTION.KEY=VALUE]... [--output DIR]",
     "Measures the validation set with test.weights (or --weights), writes metrics.csv, summary.csv, intervals.csv "
     "and\n"
     "reliability.csv into the run's directory (or --output) and prints the table. [test] says what is measured.",
     SET | OUTPUT | WEIGHTS, 1, 1, paced_command_test},
    {"robustness", "CONFIG [--weights FILE[,FILE...]] [--set SECTION.KEY=VALUE]... [--output DIR]",
     "Measures the validation set clean and under each of robustness.corruptions at each of robustness.severities, "
     "with\n"
     "robustness.weights (or --weights), else test.weights. Writes robustness.csv (every image), "
     "robustness_summary.csv\n"
     "(means and drops), robustness.txt (the table, which it prints as well), robustness_<metric>.png (metric against\n"
     "severity) and contact_sheet.png (an image under all corruptions) into the run's directory (or --output).",
     SET | OUTPUT | WEIGHTS, 1, 1, paced_command_robustness},
    {"experiment", "CONFIG [--set SECTION.KEY=VALUE]... [--overwrite]",
     "Runs the stages of CONFIG, [stage NAME] with `command = train | test | robustness`, in order, then compares its\n"
     "tests. A stage that is done is passed over, one that was interrupted goes on, one that changed is run anew;\n"
     "--overwrite runs all of them anew. --set holds for every stage, but for run.output, which is the directory of\n"
     "them all.\n"
     "[sweep] SECTION.KEY = v1, v2 runs all stages (without stages: train, then test) once for each combination of "
     "the\n"
     "values, and ends with one table: sweep.csv, means over seeds in seeds.csv, sweep.png. --set\n"
     "sweep.SECTION.KEY=v1,v2 sweeps any CONFIG.",
     SET | OVERWRITE, 1, 1, paced_command_experiment},
    {"report", "RUN_DIR... --output DIR",
     "Writes DIR/report.html: what the run directories hold, side by side, with what differs between them, in one file "
     "that\nneeds nothing else; and its curves as PNG files beside it. The directory of an experiment stands for its "
     "runs\nand its sweep. Every run directory has a report of its own.",
     OUTPUT, 1, SIZE_MAX, paced_command_report},
    {"predict",
     "CONFIG --weights FILE --output DIR [--probabilities] [--overlay] [--logits] [--overwrite] [--set "
     "SECTION.KEY=VALUE]... IMAGE|DIR...",
     "Writes DIR/<stem>.png at each image's own size: 0/255 for two classes, else the class. [predict] says how: the\n"
     "whole image at once or by windows. Images are PNG or JPEG; a folder stands for those in it, but for masks\n"
     "(x_mask.png beside x.png). FILE may be `best` or `last` of the run's directory.\n"
     "--probabilities adds DIR/<stem>_p1.png, 16 bits, of more than two classes DIR/<stem>_p<class>.png for each;\n"
     "--overlay adds DIR/<stem>_overlay.png, the image with the classes outlined and tinted; --logits adds\n"
     "DIR/<stem>.safetensors with logits [C, S, S] (not by windows).\n"
     "Images are passed over whose results are there, newer than image, weights and DIR/predict.ini, which keeps the\n"
     "settings; --overwrite does them again. A file that cannot be read is named, and the others are done.",
     SET | OUTPUT | WEIGHTS | LOGITS | PROBABILITIES | OVERLAY | OVERWRITE, 2, SIZE_MAX, paced_command_predict},
    {"uncertainty", "CONFIG --weights FILE --output DIR [--set SECTION.KEY=VALUE]... IMAGE|DIR...",
     "Shows what the teacher FILE (distill.teacher_arch and _width, else [model]) is unsure of: DIR/<stem>.png with\n"
     "prediction, boundary and fused uncertainty and the first epoch's weights, and each map alone as\n"
     "DIR/<stem>_{u_p,u_b,u,weight}.png. Masks are <stem>_mask.png beside the images; u_b needs them.",
     SET | OUTPUT | WEIGHTS, 2, SIZE_MAX, paced_command_uncertainty},
    {"calibrate", "CONFIG --weights FILE [--set SECTION.KEY=VALUE]...",
     "Fits the temperature tau of CONFIG's network to the validation set, the one of least NLL from\n"
     "0.0001 to 10000, and prints NLL, ECE and Brier score before and after, and the key that sets tau.",
     SET | WEIGHTS, 1, 1, paced_command_calibrate},
    {"data", "check CONFIG | split CONFIG [--val SHARE] [--seed K] [--patient BY] --output DIR [--overwrite]",
     "check reads both splits of CONFIG and reports sizes, classes, empty masks, unreadable files and images that "
     "nearly\n"
     "repeat each other. split divides the pairs of CONFIG's splits, or without splits all that are below data.root,\n"
     "into DIR/train.json and DIR/val.json, SHARE (0.2) of them for validation, classes and folders balanced, images "
     "that\nrepeat each other kept together, and those of a patient: BY is the character that ends the patient's part "
     "of the\nfile name, or a regular expression for it. Both take --set SECTION.KEY=VALUE.",
     SET | SEED | VAL | PATIENT | OUTPUT | OVERWRITE, 2, 2, paced_command_data},
    {"synth", "breast|needle|scene [--count N] [--size S] [--seed K] --output DIR",
     "Makes a data set of N synthetic images of S x S with masks and splits: breast ultrasound, needles in ultrasound, "
     "or\nsurgical scenes with colour-coded masks.",
     COUNT | SIZE | SEED | OUTPUT, 1, 1, paced_command_synth},
    {"convert", "IN OUT [--no-fold]",
     "Converts weights. IN: safetensors, or a state_dict() that PyTorch's torch.save wrote (.pth, .pt). OUT:\n"
     ".safetensors, with metadata that say what the weights are of; or .onnx, from image [N, 3, H, W] to logits\n"
     "[N, C, H, W], for any size that the network takes. There a batch normalisation becomes part of the convolution\n"
     "before it; --no-fold keeps the layers apart. An OUT that is there is replaced.",
     NO_FOLD, 2, 2, paced_command_convert},
    {"devices", "[--json]", "Lists every OpenCL platform and device, and says which one `auto` takes, and why.", JSON,
     0, 0, paced_command_devices},
    {"doctor", "[--json]",
     "Reports all that decides whether the program works on this machine: versions, OpenCL implementations, devices\n"
     "with what was tried on each (each in a child process: kernels, matrix products, a small network, half and\n"
     "bfloat16), the device that `auto` takes, caches, memory and limits; and gives a verdict with advice. Run it\n"
     "first, and attach its output to a bug report. What was known about devices is forgotten and tried anew.",
     JSON, 0, 0, paced_command_doctor},
    {"tune", "[CONFIG] [--set SECTION.KEY=VALUE]... [--output FILE]",
     "Measures what runs fastest on the device, for CONFIG's network and batch (without CONFIG: a UNet of width 64 at\n"
     "224 x 224, batch 4), and stores it in the device's tuning file (or FILE), which runs use from then on. Ctrl-C "
     "leaves\nthe file as it is.",
     SET | OUTPUT, 0, 1, paced_command_tune},
    {"bench", "CONFIG [--set SECTION.KEY=VALUE]... [--json]",
     "Times training and inference of the configured network on random images, and its kernels, and holds them\n"
     "against what the device reaches between the steps: multiply-adds in registers, a copy through memory. All\n"
     "convolutions count as direct ones: Winograd's multiply up to four times less, so they may pass 100 %.",
     SET | JSON, 1, 1, paced_command_bench},
    {"graph", "CONFIG [--set SECTION.KEY=VALUE]...",
     "Prints the network: nodes, shapes, parameters, multiply-adds, and the memory plan.", SET, 1, 1,
     paced_command_graph},
    {"config", "CONFIG [--set SECTION.KEY=VALUE]... | --keys [--markdown]",
     "Prints the resolved configuration, or every key with its type, default, range and meaning.",
     SET | KEYS | MARKDOWN, 0, 1, paced_command_config},
};

static void print_usage(FILE *out) {
    fprintf(out,
            "paced %s: trains, distils, tests and runs image-segmentation networks on any OpenCL device\n\nusage:\n",
            PACED_VERSION);
    for (size_t i = 0; i < PACED_COUNT(commands); ++i)
        fprintf(out, "  paced %s %s\n", commands[i].name, commands[i].usage);
    fprintf(out,
            "  paced --help | --version, paced COMMAND --help\n\n"
            "exit status: 0 done; 1 the work failed; 2 the command line, the configuration or an input file is wrong; "
            "3 no usable\ndevice; 130 stopped by Ctrl-C after saving\n");
}

static const struct command *find_command(const char *name) {
    const char *names[PACED_COUNT(commands)];
    for (size_t i = 0; i < PACED_COUNT(commands); ++i) {
        names[i] = commands[i].name;
        if (strcmp(name, names[i]) == 0) return &commands[i];
    }
    const char *nearest = paced_nearest(name, names, PACED_COUNT(names));
    if (nearest)
        paced_error(PACED_INVALID, "%s: no such command; did you mean `paced %s`?", name, nearest);
    else
        paced_error(PACED_INVALID, "%s: no such command; see `paced --help`", name);
    return NULL;
}

static enum paced_err take_number(const char *option, int64_t *value) {
    if (paced_parse_int(optarg, value) && *value >= 0) return PACED_OK;
    return paced_error(PACED_INVALID, "--%s %s: must be a whole number from 0 on", option, optarg);
}

static enum paced_err take_option(const struct command *command, int found, int index, struct paced_arguments *a) {
    if (!((unsigned)found & (command->options | HELP)))
        return paced_error(PACED_INVALID, "%s takes no --%s; see `paced %s --help`", command->name, options[index].name,
                           command->name);
    if (optarg && !*optarg)
        return paced_error(PACED_INVALID, "--%s: needs a value; see `paced %s --help`", options[index].name,
                           command->name);
    switch (found) {
    case SET:
        a->sets = paced_grow(a->sets, a->set_count + 1, sizeof *a->sets);
        a->sets[a->set_count++] = optarg;
        break;
    case OUTPUT:
        a->output = optarg;
        break;
    case WEIGHTS:
        a->weights = optarg;
        break;
    case RESUME:
        a->resume = true;
        break;
    case OVERWRITE:
        a->overwrite = true;
        break;
    case LOGITS:
        a->logits = true;
        break;
    case PROBABILITIES:
        a->probabilities = true;
        break;
    case OVERLAY:
        a->overlay = true;
        break;
    case JSON:
        a->json = true;
        break;
    case VAL:
        a->share = optarg;
        break;
    case PATIENT:
        a->patient = optarg;
        break;
    case KEYS:
        a->keys = true;
        break;
    case MARKDOWN:
        a->markdown = true;
        break;
    case NO_FOLD:
        a->no_fold = true;
        break;
    case COUNT:
        return take_number("count", &a->count);
    case SIZE:
        return take_number("size", &a->size);
    case SEED:
        return take_number("seed", &a->seed);
    }
    return PACED_OK;
}

static enum paced_err parse(const struct command *command, int argc, char **argv, struct paced_arguments *a,
                            bool *help) {
    opterr = 0;
    int found, index = 0;
    /* The leading '-' hands back what is no option in its place, so that options may stand anywhere. */
    while ((found = getopt_long(argc, argv, "-:h", options, &index)) != -1) {
        if (found == '?' || found == ':')
            return paced_error(PACED_INVALID, "%s: %s; see `paced %s --help`", argv[optind - 1],
                               found == ':' ? "needs a value" : "no such option", command->name);
        if (found == HELP || found == 'h') {
            *help = true;
        } else if (found == 1) {
            a->names = paced_grow(a->names, a->name_count + 1, sizeof *a->names);
            a->names[a->name_count++] = optarg;
        } else {
            PACED_TRY(take_option(command, found, index, a));
        }
    }
    for (; optind < argc; ++optind) { /* after "--" */
        a->names = paced_grow(a->names, a->name_count + 1, sizeof *a->names);
        a->names[a->name_count++] = argv[optind];
    }
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
    const struct command *command = find_command(argv[1]);
    return command ? (int)run_command(command, argc - 1, argv + 1) : PACED_INVALID;
}

int main(int argc, char **argv) {
    int status = run(argc, argv);
    bool written = fflush(stdout) == 0 && !ferror(stdout);
    if (status != PACED_OK || written) return status;
    return paced_error(PACED_FAILED, "standard output: cannot be written: %s; is the disk full?", strerror(errno));
}
