/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EFR32_MICROPHONE_H
#define EFR32_MICROPHONE_H

#include <stdbool.h>

#define DMA_RING_CHANNELS 2u /* left and right, in turn */
#include "port/dma_ring.h"

extern dma_ring_t microphone_ring;          /* written by the DMA engine, counted by its interrupt */
extern volatile bool microphone_dma_failed; /* the engine met a bus error and stands still */

#endif
