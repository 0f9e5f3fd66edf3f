#ifndef NN_MODEL_H
#define NN_MODEL_H

#include <stddef.h>
#include <stdint.h>

/* What an engine provides for one model: `aot` generates it, `tflm` wraps it. */
typedef struct {
    const char *name;
    size_t input_size, output_size; /* bytes */
    int (*start)(void);             /* 0, or the engine's error */
    void (*reset)(void);            /* forgets streaming state and history */

    /* The whole tensor in the model's own type; primes the history. 0, or the engine's error. */
    int (*run)(const void *input, void *output);

    /* One frame's new columns, then the layers behind the time axis; NULL: not incremental. */
    void (*advance)(const int8_t *frame);
    void (*finish)(void *output);
    size_t catch_up; /* from this many missed frames on, run() is cheaper than advance() */
} model_t;

#endif
