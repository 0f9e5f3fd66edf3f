/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVICE_STATUS_H
#define DEVICE_STATUS_H

/* {"status":SEQUENCE,...}: counters and settings as they are now. */
void status_line(void);

#endif
