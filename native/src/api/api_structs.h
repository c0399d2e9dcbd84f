// SPDX-License-Identifier: Apache-2.0
/*
 * The caller's structs may be of an older or a newer header than the library: both begin with their own size, and no
 * byte of theirs beyond it is ever read or written. A size of 0 stands for the struct as it was when PUNA_ABI was 1 (a
 * struct that has grown since must go on meaning that one by 0: give its first size then, not sizeof).
 */
#ifndef PUNA_API_API_STRUCTS_H
#define PUNA_API_API_STRUCTS_H

#include <stdint.h>

/* Copies `ours`, `bytes` long and filled, into the caller's struct; its size then says how many bytes were filled. */
void structs_give(void *theirs, const void *ours, uint32_t bytes);

/* Copies the caller's options (NULL: none) over `ours`, `bytes` long, which holds the defaults. */
void structs_take(void *ours, const void *theirs, uint32_t bytes);

#endif
