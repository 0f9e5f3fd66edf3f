/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_SMALL_H
#define NN_SMALL_H

#include "nn/noipa.h"

/* Include before any kernel: one copy of each kernel serves all layers. See nn/fast.h. */
#define KERNEL static NOIPA __attribute__((noinline, unused))

/* How often kernels in assembly repeat their innermost step; a power of 2. */
#define NN_UNROLL 4

#endif
