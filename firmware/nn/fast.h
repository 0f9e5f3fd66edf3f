/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NN_FAST_H
#define NN_FAST_H

#include "nn/noipa.h"

/* Include before any kernel: each call gets a copy with the layer's constants folded in. See nn/small.h. */
#define KERNEL    static inline __attribute__((always_inline, unused))
#define NN_UNROLL 8

#endif
