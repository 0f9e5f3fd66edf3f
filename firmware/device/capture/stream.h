/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_CAPTURE_STREAM_H
#define DEVICE_CAPTURE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Samples as SensiML's programs read them: an offer once a second, and packets from `connect` to
 * `disconnect`, in which nothing is decided and no other line goes out. */

/* Offers samples from now on, or no more. */
void stream_offer(bool offered);

/* A received line; true: it was for the stream. While packets go out every line is. */
bool stream_obey(const char *line, size_t length);

/* Sound; true: packets go out, nobody else gets it. */
bool stream_take(const int16_t *samples, size_t count);

/* Samples whose packet found no room, since start. */
uint32_t stream_lost(void);

#endif
