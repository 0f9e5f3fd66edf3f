#include "device/protocol.h"
#include "tflm/engine.h"

void tflm_report(int error, const char *what)
{
    protocol_error("tflm", NULL, 0, error, what);
}
