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
    int (*run)(const void *input, void *output); /* the whole tensor in the model's own type; primes the history */
    void (*advance)(const int8_t *frame);        /* one frame's new columns; NULL: not incremental */
    void (*finish)(void *output);                /* the layers behind the time axis; NULL: not incremental */
    size_t catch_up; /* from this many missed frames on, run() is cheaper than advance() */
} model_t;

#endif
