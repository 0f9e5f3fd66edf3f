# SPDX-License-Identifier: Apache-2.0
"""Operators that the engine does not compute, and what their owners can use in their place."""

from __future__ import annotations

from collections.abc import Mapping

from codegen.ops.family import Fault

_UNROLLED = (
    "unroll the layer, e.g. keras.layers.LSTM(..., unroll=True): it becomes dense layers, products and sums"
)
BATCH = (
    "the two around one convolution of stride 1 are taken as its dilation; write the layer so, e.g. "
    "keras.layers.Conv1D(..., dilation_rate=2)"
)
# operator -> what to write in its place, of operators that are supported
INSTEAD: Mapping[str, str] = {
    "BATCH_TO_SPACE_ND": BATCH,
    "BIDIRECTIONAL_SEQUENCE_LSTM": _UNROLLED,
    "LSTM": _UNROLLED,
    "NEG": "subtract from zero, or multiply by -1: SUB and MUL with a constant are supported",
    "RNN": "use keras.layers.SimpleRNN(..., unroll=True)",
    "SPACE_TO_BATCH_ND": BATCH,
    "SQUARE": "multiply the tensor by itself: keras.layers.Multiply()([x, x])",
    "UNIDIRECTIONAL_SEQUENCE_RNN": "use keras.layers.SimpleRNN(..., unroll=True)",
    "WHILE": "unroll the recurrent layer, e.g. keras.layers.GRU(..., unroll=True)",
}
# of an operator in float between layers of int8, where nothing better is known
BETWEEN = "replace the layer; `./earshot operators` lists what is computed in int8"
# of any other operator
OTHER = (
    "replace the layer; `./earshot operators` lists what is supported, and --engine tflm takes what "
    "TensorFlow Lite Micro has"
)
LOGITS = "leave it out: end the model with the scores that go into it, of which the largest is the same"
# such an operator -> what to do of it
IN_FLOAT: Mapping[str, str] = {"SOFTMAX": LOGITS, "LOG_SOFTMAX": LOGITS}
# part of a custom operator's name -> the compiler that made the file
COMPILED: Mapping[str, str] = {
    "ethos-u": "an Arm Ethos-U (by Vela)",
    "edgetpu": "an Edge TPU (by edgetpu_compiler)",
    "neutron": "an NXP eIQ Neutron",
}


def refusal(op: str) -> Fault:
    """Why a layer of this operator is refused."""
    if op.startswith("CUSTOM "):
        for part, compiler in COMPILED.items():
            if part in op.lower():
                return Fault(
                    f"the file was compiled for {compiler}", "give the .tflite from before it was compiled"
                )
        if op.startswith("CUSTOM Flex"):
            return Fault(
                f"{op[7:]} is an operator of TensorFlow itself (SELECT_TF_OPS), which no microcontroller has",
                "write the layer with operators of TFLite, and convert with "
                "tf.lite.OpsSet.TFLITE_BUILTINS_INT8 alone: the converter names what it lacks",
            )
        return Fault(
            f"the custom operator {op[7:]} is unknown",
            "replace the layer by one of TFLite's built-in operators; --engine tflm takes the custom ones "
            "that TensorFlow Lite Micro has",
        )
    what = f"the operator {op} is not supported"
    return Fault(what, INSTEAD.get(op, OTHER))
