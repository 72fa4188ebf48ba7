/* Private to the device module: the libraries in use, as files of this machine. */
#ifndef PACED_DEVICE_LIBRARIES_H
#define PACED_DEVICE_LIBRARIES_H

/* Path of the loaded library that has the function, without links, so that it ends with the library's version on most
 * systems; "" where it is not known. Release with free(). */
char *library_path(const char *function);

/* Text that changes when CLBlast does: path, size and time of change. Release with free(). */
char *library_blas_fingerprint(void);

#endif
