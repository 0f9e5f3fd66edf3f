#ifndef NN_SMALL_H
#define NN_SMALL_H

/* Include before any kernel: one copy of each kernel serves all layers. See nn/fast.h. */
#define KERNEL static __attribute__((noinline, unused))

#endif
