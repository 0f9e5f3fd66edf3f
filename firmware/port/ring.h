/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PORT_RING_H
#define PORT_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Indices of a ring between one writer and one reader on one core, one of them an interrupt: no lock, no
 * masking. Both count without end; the content lies beside it, in an array of a power of two. */
typedef struct {
    volatile uint32_t written, read;
} ring_t;

static inline uint32_t ring_used(const ring_t *ring)
{
    const uint32_t used = ring->written - ring->read;
    atomic_signal_fence(memory_order_acquire);
    return used;
}

/* The writer's or the reader's last step, after it touched the content. */
static inline void ring_advance(volatile uint32_t *index, uint32_t count)
{
    atomic_signal_fence(memory_order_release);
    *index += count;
}

#endif
