/* SPDX-License-Identifier: Apache-2.0 */
/* dma_ring.h with its engine and its interrupt at chosen moments: they come at a fence of the ring's, the
 * first of which lies after the reader's look at how much there is, before it copies. Every sample is its
 * own number, and what the engine owns is TORN. */
#include <stdatomic.h>
#undef atomic_signal_fence
#define atomic_signal_fence(order) fence()
static void fence(void);
#include "port/dma_ring.h"

#define TORN (-1)

void ring_start(void);
void ring_record(uint32_t blocks);
void ring_interrupt(uint32_t blocks, uint32_t writes, uint32_t counts);
uint32_t ring_read(int16_t *samples, uint32_t count);
uint32_t ring_lost(void);
uint32_t ring_left(void);

static dma_ring_t ring;
static uint32_t made;                   /* blocks */
static uint32_t coming, writes, counts; /* blocks, and fences until they are written, and counted; 0: not */

static void fill(int16_t *block, uint32_t first, bool torn)
{
    for (uint32_t i = 0; i < DMA_RING_BLOCK; i++)
        block[i] = torn ? TORN : (int16_t)(first + i);
}

static void engine(uint32_t blocks)
{
    for (; blocks > 0; blocks--, made++)
        fill(dma_ring_block(&ring, made), made * DMA_RING_BLOCK, false);
    fill(dma_ring_block(&ring, made), 0, true);
    fill(dma_ring_block(&ring, made + 1), 0, true);
}

static void handler(uint32_t blocks)
{
    for (; blocks > 0; blocks--)
        dma_ring_filled(&ring);
}

static void fence(void)
{
    if (writes > 0 && --writes == 0)
        engine(coming);
    if (counts > 0 && --counts == 0)
        handler(coming);
}

void ring_start(void)
{
    made = writes = counts = 0;
    ring.lost = 0;
    dma_ring_start(&ring, 0, 0);
    engine(0);
}

void ring_record(uint32_t blocks)
{
    engine(blocks);
    handler(blocks);
}

/* So many blocks at fences to come: the engine writes them, the interrupt counts them. */
void ring_interrupt(uint32_t blocks, uint32_t fences_to_writes, uint32_t fences_to_counts)
{
    coming = blocks;
    writes = fences_to_writes;
    counts = fences_to_counts;
}

uint32_t ring_read(int16_t *samples, uint32_t count)
{
    return (uint32_t)dma_ring_read(&ring, samples, count);
}

uint32_t ring_lost(void)
{
    return ring.lost;
}

/* Of what ring_interrupt() asked for, what has not come. */
uint32_t ring_left(void)
{
    return writes + counts;
}
