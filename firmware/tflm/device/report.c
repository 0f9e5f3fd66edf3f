#include "device/protocol.h"
#include "port/port.h"
#include "tflm/engine.h"

void tflm_report(int error, const char *what)
{
    protocol_error("tflm", NULL, 0, error, what);
}

void tflm_halt(const char *what)
{
    tflm_report(TFLM_HALT, what);
    port_fail("tflm halted");
}
