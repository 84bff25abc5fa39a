#define VIGOR_KERNELS kernels_generic
#define VIGOR_KERNELS_NAME "generic"
#include "kernels.inc"
