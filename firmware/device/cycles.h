/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_CYCLES_H
#define DEVICE_CYCLES_H

/* The core's clocks that each stage of a window takes, where the board can count them. */

/* {"cycles":...} with what was counted since the last such line; counts from now on. The first one starts the
 * counter, which costs a deployed device power. An error's line where the board has none. */
void cycles_line(void);

#endif
