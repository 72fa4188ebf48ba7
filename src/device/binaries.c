/* The program's own clGetProgramInfo, which withholds the binaries of CLBlast's programs from it.
 *
 * CLBlast requests the binary of each program that it builds, for further contexts, of which there are none here. PoCL
 * compiles a kernel at its first launch, but all twenty of a matrix product's program for the binary. This definition
 * precedes the ICD loader's in the executable, whose linker exports it because CLBlast's library refers to it. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>

#include "src/device/gemm.h"

cl_int clGetProgramInfo(cl_program program, cl_program_info what, size_t size, void *value, size_t *value_size) {
    static cl_int (*loader)(cl_program, cl_program_info, size_t, void *, size_t *);
    if (gemm_withholds_binaries && what == CL_PROGRAM_BINARIES) return CL_SUCCESS;
    if (gemm_withholds_binaries && what == CL_PROGRAM_BINARY_SIZES && value && size == sizeof(size_t)) {
        *(size_t *)value = 0;
        return CL_SUCCESS;
    }
    if (!loader) *(void **)&loader = dlsym(RTLD_NEXT, "clGetProgramInfo");
    return loader ? loader(program, what, size, value, value_size) : CL_INVALID_OPERATION;
}
