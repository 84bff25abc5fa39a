#define VIGOR_KERNELS kernels_avx2
#define VIGOR_KERNELS_NAME "avx2"
#include "kernels.inc"
