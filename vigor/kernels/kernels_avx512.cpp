#define VIGOR_KERNELS kernels_avx512
#define VIGOR_KERNELS_NAME "avx512"
#include "kernels.inc"
