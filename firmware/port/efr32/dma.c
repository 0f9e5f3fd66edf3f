/* SPDX-License-Identifier: Apache-2.0 */
/* LDMA: linked descriptors, one a block of the microphone's ring, the last linked to the first. */
#include "port/cortex_m/cortex_m.h"
#include "port/efr32/efr32.h"
#include "port/efr32/microphone.h"
#include "port/port.h"
#include "port/register.h"

#define EN       (EFR32_LDMA + 0x04)
#define CHDIS    (EFR32_LDMA + 0x28)
#define CHBUSY   (EFR32_LDMA + 0x30)
#define CHDONE   (EFR32_LDMA + 0x34)
#define LINKLOAD (EFR32_LDMA + 0x48)
#define IF       (EFR32_LDMA + 0x50)
#define IEN      (EFR32_LDMA + 0x54)
#define CFG0     (EFR32_LDMA + 0x5C)
#define LOOP0    (EFR32_LDMA + 0x60)
#define LINK0    (EFR32_LDMA + 0x70)
#define REQSEL0  (EFR32_LDMAXBAR + 0x04)

#define CHANNEL (1u << 0)

/* A descriptor's control word: one halfword a request. */
#define COUNT(n)       (((n) - 1) << 4)
#define DONE_INTERRUPT (1u << 20)
#define SOURCE_STAYS   (3u << 24)
#define HALFWORDS      (1u << 26)
#define LINKED         (1u << 1) /* in the link word */

#define INT_ERROR (1u << 31)

typedef struct {
    uint32_t control, source, target, link;
} descriptor_t;

static descriptor_t dma_blocks[DMA_RING_BLOCKS] __attribute__((aligned(16)));

void ldma_handler(void);

static void describe(uint32_t source)
{
    for (uint32_t i = 0; i < DMA_RING_BLOCKS; i++)
        dma_blocks[i] = (descriptor_t){
            .control = HALFWORDS | SOURCE_STAYS | DONE_INTERRUPT | COUNT(DMA_RING_BLOCK),
            .source = source,
            .target = register_pointer(dma_ring_block(&microphone_ring, i)),
            .link = register_pointer(&dma_blocks[(i + 1) % DMA_RING_BLOCKS]) | LINKED,
        };
}

void dma_start(uint32_t source, uint32_t request)
{
    describe(source);
    register_write(EFR32_SET(CMU_CLKEN0), CLKEN0_LDMA | CLKEN0_LDMAXBAR);
    register_write(EN, 1);
    register_write(REQSEL0, request);
    register_write(CFG0, 0);
    register_write(LOOP0, 0);
    register_write(LINK0, register_pointer(dma_blocks));
    register_write(EFR32_CLEAR(CHDONE), CHANNEL);
    register_write(EFR32_CLEAR(IF), CHANNEL | INT_ERROR);
    register_write(EFR32_SET(IEN), CHANNEL | INT_ERROR);
    nvic_enable(BOARD_LDMA_IRQ);
    register_start(LINKLOAD, CHANNEL);
}

bool dma_stop(void)
{
    register_write(CHDIS, CHANNEL);
    return register_wait(CHBUSY, CHANNEL, 0);
}

void ldma_handler(void)
{
    const uint32_t flags = register_read(IF);
    register_write(EFR32_CLEAR(IF), flags);
    if (flags & CHANNEL)
        dma_ring_filled(&microphone_ring);
    if (flags & INT_ERROR)
        microphone_dma_failed = true;
    sleep_wake();
}
