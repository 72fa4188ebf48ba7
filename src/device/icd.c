/* OpenCL implementations as the ICD loader finds them: files NAME.icd in a folder, each with the name of a library
 * (extension cl_khr_icd).
 *
 * The loader skips a library that it cannot load without a message. So each is loaded here on its own, in a child
 * process since a broken one may end it, and its platforms are listed through its own dispatch table. */
#define _GNU_SOURCE /* RTLD flags */
#include <dirent.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "src/device/opencl.h"
#include "src/device/trial.h"

#include <CL/cl_icd.h>

#define DEFAULT_FOLDER "/etc/OpenCL/vendors"

/* ---- the files ----------------------------------------------------------------------------------------------- */

static bool has_ending(const char *name, const char *ending) {
    size_t n = strlen(name), m = strlen(ending);
    return n > m && strcmp(name + n - m, ending) == 0;
}

/* The first line of an .icd file, without blanks around it; "" if it cannot be read. */
static char *read_library(const char *path) {
    char *text;
    if (paced_file_read_text(path, 1 << 16, &text) != PACED_OK) return paced_strdup("");
    const char *from = text + strspn(text, " \t");
    size_t length = strcspn(from, "\r\n");
    while (length && (from[length - 1] == ' ' || from[length - 1] == '\t')) --length;
    char *library = paced_format("%.*s", (int)length, from);
    free(text);
    return library;
}

static void add(struct paced_icd_files *files, char *path, char *library) {
    paced_text_clean(path);
    paced_text_clean(library);
    files->items = paced_grow(files->items, files->count + 1, sizeof *files->items);
    files->items[files->count++] = (struct paced_icd_file){path, library};
}

static int is_icd_file(const struct dirent *entry) {
    return has_ending(entry->d_name, ".icd");
}

static void add_folder(struct paced_icd_files *files, const char *folder) {
    struct dirent **entries;
    int count = scandir(folder, &entries, is_icd_file, alphasort);
    for (int i = 0; i < count; ++i) {
        char *path = paced_path_join(folder, entries[i]->d_name);
        add(files, path, read_library(path));
        free(entries[i]);
    }
    if (count >= 0) free(entries);
}

/* The Khronos loader's list of libraries, with ':' between them. */
static void add_list(struct paced_icd_files *files, const char *list) {
    while (list && *list) {
        size_t length = strcspn(list, ":");
        if (length) add(files, paced_strdup("OCL_ICD_FILENAMES"), paced_format("%.*s", (int)length, list));
        list += length + (list[length] == ':');
    }
}

void paced_icd_files_find(struct paced_icd_files *files) {
    static const char *const variables[] = {"OCL_ICD_VENDORS", "OPENCL_VENDOR_PATH"};
    *files = (struct paced_icd_files){.folder = DEFAULT_FOLDER};
    for (size_t i = PACED_COUNT(variables); i-- > 0;) {
        const char *value = getenv(variables[i]);
        if (value && *value) files->folder = value;
    }
    if (paced_path_is_dir(files->folder))
        add_folder(files, files->folder);
    else if (has_ending(files->folder, ".icd"))
        add(files, paced_strdup(files->folder), read_library(files->folder));
    else if (strcmp(files->folder, DEFAULT_FOLDER) != 0)
        add(files, paced_strdup("OCL_ICD_VENDORS"), paced_strdup(files->folder));
    add_list(files, getenv("OCL_ICD_FILENAMES"));
}

void paced_icd_files_finish(struct paced_icd_files *files) {
    for (size_t i = 0; i < files->count; ++i) {
        free(files->items[i].path);
        free(files->items[i].driver);
    }
    free(files->items);
    *files = (struct paced_icd_files){0};
}

/* ---- the child's side ---------------------------------------------------------------------------------------- */

typedef cl_int get_platforms(cl_uint, cl_platform_id *, cl_uint *);
typedef void *get_address(const char *);

/* ISO C has no cast from an object's address to a function's. */
static get_platforms *as_get_platforms(void *address) {
    get_platforms *function;
    memcpy(&function, &address, sizeof function);
    return function;
}

static get_platforms *find_entry(void *library) {
    void *at = dlsym(library, "clIcdGetPlatformIDsKHR"), *lookup = dlsym(library, "clGetExtensionFunctionAddress");
    if (!at && lookup) {
        get_address *function;
        memcpy(&function, &lookup, sizeof function);
        at = function("clIcdGetPlatformIDsKHR");
    }
    return as_get_platforms(at);
}

static json_t *platform_text(const cl_icd_dispatch *table, cl_platform_id platform, cl_platform_info what) {
    char text[256] = "";
    table->clGetPlatformInfo(platform, what, sizeof text - 1, text, NULL);
    paced_text_clean(text);
    return json_string(text);
}

static json_t *describe_platform(cl_platform_id platform) {
    const cl_icd_dispatch *table;
    memcpy(&table, (const void *)platform, sizeof table); /* the first member of each object */
    cl_uint devices = 0;
    cl_int status = table->clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, NULL, &devices);
    json_t *object = json_object();
    json_object_set_new(object, "name", platform_text(table, platform, CL_PLATFORM_NAME));
    json_object_set_new(object, "version", platform_text(table, platform, CL_PLATFORM_VERSION));
    json_object_set_new(object, "devices", json_integer(status == CL_SUCCESS ? devices : 0));
    return object;
}

int icd_answer(const char *path) {
    opencl_prepare_environment(0);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        paced_trial_result("%s", dlerror());
        return PACED_FAILED;
    }
    get_platforms *entry = find_entry(library);
    if (!entry) {
        paced_trial_result("has no function clIcdGetPlatformIDsKHR: it is not an OpenCL implementation");
        return PACED_FAILED;
    }
    cl_platform_id platforms[16];
    cl_uint count = 0;
    cl_int status = entry(PACED_COUNT(platforms), platforms, &count);
    if (status != CL_SUCCESS) count = 0;
    if (count > PACED_COUNT(platforms)) count = PACED_COUNT(platforms);
    json_t *array = json_array();
    for (cl_uint i = 0; i < count; ++i) json_array_append_new(array, describe_platform(platforms[i]));
    char *text = json_dumps(array, JSON_COMPACT);
    paced_trial_result("%s", text);
    free(text);
    json_decref(array);
    return PACED_OK;
}
