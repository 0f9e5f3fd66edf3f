/* SPDX-License-Identifier: Apache-2.0 */
// A toy in the shape of TensorFlow Lite Micro, for tests of Earshot's side of it: its one kernel adds up the
// input's bytes.
#ifndef TOY_MICRO_COMMON_H
#define TOY_MICRO_COMMON_H

#include <cstddef>
#include <cstdint>

enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 };

struct TfLiteTensor {
    struct {
        void *raw;
    } data;
    size_t bytes;
};

struct TFLMRegistration {
    void (*invoke)(const int8_t *input, size_t inputs, int8_t *output, size_t outputs);
};

#endif
