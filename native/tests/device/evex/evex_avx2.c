// SPDX-License-Identifier: Apache-2.0
/* See evex.h. */
#define VNNI_EVEX
#define avxvnni_products evex_products
#include "evex.h"

#include "device/cpu/x86/product_vnni_avx2.c"
