# SPDX-License-Identifier: Apache-2.0
"""CMSIS-NN really is in an image: its kernels for the model's operators, and not those that they replace."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from codegen.common.errors import UserError


@dataclass(frozen=True)
class Kernel:
    """For int8. optimised: CMSIS-NN's functions, one of which is called; replaced: parts of the mangled
    names of TFLM's reference kernels that nothing may call any more."""

    optimised: tuple[str, ...]
    replaced: tuple[str, ...] = ()


# Not replaced are the broadcasting forms of ADD and MUL, which CMSIS-NN does not have.
KERNELS: Mapping[str, Kernel] = {
    "CONV_2D": Kernel(
        ("arm_convolve_wrapper_s8", "arm_convolve_s8"), ("reference_integer_ops14ConvPerChannel",)
    ),
    "DEPTHWISE_CONV_2D": Kernel(
        ("arm_depthwise_conv_wrapper_s8",), ("reference_integer_ops23DepthwiseConvPerChannel",)
    ),
    "FULLY_CONNECTED": Kernel(
        ("arm_fully_connected_wrapper_s8", "arm_fully_connected_s8"),
        ("reference_integer_ops14FullyConnected", "reference_integer_ops24FullyConnectedPerChannel"),
    ),
    "ADD": Kernel(("arm_elementwise_add_s8",), ("reference_integer_ops3AddE",)),
    "MUL": Kernel(("arm_elementwise_mul_s8",), ("reference_integer_ops3MulI", "reference_integer_ops3MulE")),
    "AVERAGE_POOL_2D": Kernel(("arm_avgpool_s8",), ("reference_integer_ops11AveragePool",)),
    "MAX_POOL_2D": Kernel(("arm_max_pool_s8",), ("reference_integer_ops7MaxPool",)),
    "SOFTMAX": Kernel(("arm_softmax_s8",), ("reference_ops7SoftmaxIa",)),
    "SVDF": Kernel(("arm_svdf_s8",)),
    "TRANSPOSE_CONV": Kernel(("arm_transpose_conv_wrapper_s8", "arm_transpose_conv_s8")),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Kernel(("arm_lstm_unidirectional_s8",)),
}


def check_kernels(image: Path, operators: Collection[str], version: str) -> None:
    """UserError unless the image has, for each operator that CMSIS-NN computes, its kernel and it alone.

    operators: of the model, those whose layers are int8
    """
    with image.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        symbols = {symbol.name for symbol in table.iter_symbols() if symbol["st_shndx"] != "SHN_UNDEF"}
    faults = []
    for op in operators:
        kernel = KERNELS.get(op)
        if kernel is None:
            continue
        if symbols.isdisjoint(kernel.optimised):
            faults.append(f"{op}: {' or '.join(kernel.optimised)} is not in it")
        for name in sorted(symbols):
            if any(part in name for part in kernel.replaced):
                faults.append(f"{op}: the reference kernel {name} is in it")
    if faults:
        reported = "\n".join(f"    {fault}" for fault in faults)
        raise UserError(
            f"{version} does not use CMSIS-NN in this image:\n{reported}",
            file=image,
            remedy="Build its library with OPTIMIZED_KERNEL_DIR=cmsis_nn; docs/engines.md has the words.",
        )
