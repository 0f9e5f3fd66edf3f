/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PORT_DMA_RING_H
#define PORT_DMA_RING_H

#include "port/ring.h"
#include "protocol_table.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Samples that a DMA engine writes round and round, block by block, whether anybody reads them or not. The
 * interrupt at the end of a block counts it and no more. The reader finds out what was overwritten before it
 * came: the oldest samples are lost, and counted. */

#ifndef DMA_RING_CHANNELS
#define DMA_RING_CHANNELS 1u /* samples of a frame; all counts below are samples, and whole frames */
#endif
#define DMA_RING_SIZE   (4096u * DMA_RING_CHANNELS) /* a power of two: 256 ms at 16 kHz */
#define DMA_RING_BLOCK  (128u * DMA_RING_CHANNELS)  /* between two interrupts: 8 ms */
#define DMA_RING_BLOCKS (DMA_RING_SIZE / DMA_RING_BLOCK)

/* The engine owns the block it writes, and the next one when it has been told where that lies. */
#define DMA_RING_OWNED (2 * DMA_RING_BLOCK)

typedef struct {
    int16_t samples[DMA_RING_SIZE];
    ring_t ring; /* in samples; written grows by whole blocks */
    uint32_t lost;
    int16_t last;      /* sample read, of the first channel */
    uint32_t constant; /* samples in a row that were like it */
    uint32_t seen;     /* `written` when it last grew */
    uint32_t since;    /* ticks then */
} dma_ring_t;

#define DMA_RING_STUCK 10u /* seconds of one value: even in silence a microphone's own noise is heard */

/* Empty; the first `drop` samples will not be read: what a microphone gives before it has settled. The engine
 * must be off. */
static inline void dma_ring_start(dma_ring_t *ring, uint32_t drop, uint32_t now)
{
    ring->seen = 0;
    ring->since = now;
    ring->ring.written = 0;
    ring->ring.read = drop;
    ring->constant = 0;
}

/* Where block `number`, counted without end, lies. */
static inline int16_t *dma_ring_block(dma_ring_t *ring, uint32_t number)
{
    return ring->samples + number % DMA_RING_BLOCKS * DMA_RING_BLOCK;
}

/* By the interrupt: a block is full. */
static inline void dma_ring_filled(dma_ring_t *ring)
{
    ring_advance(&ring->ring.written, DMA_RING_BLOCK);
}

/* Samples that may be read; skips those that are overwritten, or about to be. */
static inline uint32_t dma_ring_there(dma_ring_t *ring)
{
    const int32_t used = (int32_t)ring_used(&ring->ring);
    const int32_t most = (int32_t)(DMA_RING_SIZE - DMA_RING_OWNED);
    if (used > most) {
        ring->lost += (uint32_t)(used - most);
        ring_advance(&ring->ring.read, (uint32_t)(used - most));
        return (uint32_t)most;
    }
    return used > 0 ? (uint32_t)used : 0;
}

/* Up to `count` samples; fewer: there are no more. */
static inline size_t dma_ring_read(dma_ring_t *ring, int16_t *samples, size_t count)
{
    for (;;) {
        const uint32_t there = dma_ring_there(ring);
        const uint32_t taken = there < count ? there : (uint32_t)count;
        const uint32_t from = ring->ring.read;
        for (uint32_t i = 0; i < taken; i++)
            samples[i] = ring->samples[(from + i) % DMA_RING_SIZE];
        atomic_signal_fence(memory_order_acquire);
        dma_ring_there(ring);
        if (ring->ring.read != from)
            continue; /* overtaken while copying: what was copied may be newer sound */
        ring_advance(&ring->ring.read, taken);
        for (uint32_t i = 0; i < taken; i += DMA_RING_CHANNELS) { /* the first channel, which is heard */
            ring->constant = samples[i] == ring->last ? ring->constant + DMA_RING_CHANNELS : 0;
            ring->last = samples[i];
        }
        return taken;
    }
}

/* What is wrong with the microphone: a second without a block, or ten of one value; NULL: nothing. The main
 * loop asks at least every 2^32 ticks. */
static inline const protocol_error_t *dma_ring_fault(dma_ring_t *ring, uint32_t now, uint32_t tick_hz,
                                                     uint32_t rate)
{
    if (ring->ring.written != ring->seen) {
        ring->seen = ring->ring.written;
        ring->since = now;
    }
    if (now - ring->since > tick_hz)
        return &error_microphone_silent;
    return ring->constant >= DMA_RING_STUCK * rate ? &error_microphone_stuck : NULL;
}

#endif
