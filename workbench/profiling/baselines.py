# SPDX-License-Identifier: Apache-2.0
"""What TensorFlow Lite Micro takes for the same models: measured once, as it is compared with.

TFLM at commit 90b983c2 (August 2026) with the CMSIS-NN it pins (4ab83cc3), arm-none-eabi-gcc 12.2 with
-mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard -O2, instructions counted under QEMU 7.2 mps2-an386: the
way `profile` counts. They are constants here, for Earshot holds nothing of TFLM.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Baseline:
    """One model.

    model: its file below the shared models, without .tflite; "" for the tutorial's network
    reference, cmsis_nn: instructions of an inference with TFLM's reference kernels, and with CMSIS-NN
    flash: code, constants and model, of that `code`; ram: arena, data, bss and stack, of that `arena`
    """

    name: str
    model: str
    mac: int
    reference: int
    cmsis_nn: int
    flash: int
    code: int
    ram: int
    arena: int


TUTORIAL = Baseline("smart lock", "", 428_736, 6_137_234, 2_164_735, 114_808, 83_480, 15_196, 13_284)
MODELS = (
    Baseline(
        "keyword spotting",
        "mlperf_tiny/kws_ref_model",
        2_656_768,
        43_039_570,
        7_696_426,
        137_592,
        83_656,
        24_732,
        22_820,
    ),
    Baseline(
        "anomaly detection",
        "mlperf_tiny/ad01_int8",
        264_192,
        1_952_257,
        582_942,
        308_160,
        31_184,
        3_708,
        2_580,
    ),
    Baseline(
        "image classification",
        "mlperf_tiny/pretrainedResnet_quant",
        12_501_632,
        107_401_765,
        29_863_173,
        176_980,
        78_484,
        56_908,
        54_996,
    ),
    Baseline(
        "micro speech",
        "tflm/micro_speech_quantized",
        336_000,
        9_309_795,
        1_494_877,
        75_820,
        57_020,
        8_668,
        6_836,
    ),
    Baseline("hello world", "tflm/hello_world_int8", 288, 5_237, 3_525, 33_888, 31_184, 1_900, 772),
)
