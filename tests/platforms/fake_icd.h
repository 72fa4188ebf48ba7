/* Shared by the two files of the fake OpenCL implementation. */
#ifndef PACED_TESTS_FAKE_ICD_H
#define PACED_TESTS_FAKE_ICD_H

#include <stdbool.h>
#include <string.h>

#define CL_TARGET_OPENCL_VERSION 120
#define CL_USE_DEPRECATED_OPENCL_1_1_APIS
#include <CL/cl_icd.h>

extern const cl_icd_dispatch fake_dispatch;

/* The loader reads `dispatch`, which is the first member of every object. */
struct _cl_platform_id {
    const cl_icd_dispatch *dispatch;
};
struct _cl_device_id {
    const cl_icd_dispatch *dispatch;
};
extern struct _cl_device_id fake_device;

/* True if FAKE_ICD names this failure. */
bool fails_by(const char *failure);

/* Answers a query as OpenCL's clGet...Info do: `out` has `room` bytes, or is NULL; `needed` may be NULL. */
cl_int answer(const void *value, size_t bytes, size_t room, void *out, size_t *needed);
#define ANSWER(type, value) answer(&(type){value}, sizeof(type), room, out, needed)
#define ANSWER_TEXT(text) answer((text), strlen(text) + 1, room, out, needed)

cl_int get_platform_ids(cl_uint room, cl_platform_id *out, cl_uint *count);
cl_int get_platform_info(cl_platform_id of, cl_platform_info what, size_t room, void *out, size_t *needed);
cl_int get_device_ids(cl_platform_id of, cl_device_type type, cl_uint room, cl_device_id *out, cl_uint *count);
cl_int get_device_info(cl_device_id of, cl_device_info what, size_t room, void *out, size_t *needed);

#endif
