/* Private to the device module: the libraries in use, as files of this machine. */
#ifndef PACED_DEVICE_LIBRARIES_H
#define PACED_DEVICE_LIBRARIES_H

/* Text that changes when CLBlast does: path, size and time of change. Release with free(). */
char *library_blas_fingerprint(void);

#endif
