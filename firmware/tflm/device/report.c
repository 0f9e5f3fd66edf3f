/* SPDX-License-Identifier: Apache-2.0 */
#include "device/protocol.h"
#include "port/port.h"
#include "tflm/engine.h"

void tflm_report(int error, const char *what)
{
    protocol_error_because(&error_tflm, error, what);
}

void tflm_halt(const char *what)
{
    tflm_report(TFLM_HALT, what);
    port_fail(&error_tflm_halted);
}
