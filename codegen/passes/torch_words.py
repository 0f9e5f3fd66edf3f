# SPDX-License-Identifier: Apache-2.0
"""Remedies in PyTorch's words, for files that litert-torch made: Keras's help nobody there."""

from __future__ import annotations

from collections.abc import Mapping

from codegen.common.errors import UserError, UserErrors
from codegen.model.reader import CONVERT, FIX
from codegen.ops import arg_extreme, refused, reshape
from codegen.ops.family import AGAIN

# What names of its tensors hold: the modules of a net, or its arguments.
MARKS = (b"torch.nn.", b"serving_default_args_")

QUANTISE = """quantise it to int8 with samples of real inputs:
    litert_torch.convert(model.eval(), sample_inputs).export("float.tflite")
    from ai_edge_quantizer import quantizer, recipe
    int8 = quantizer.Quantizer("float.tflite", recipe.static_wi8_ai8())
    samples = {"serving_default": [{"args_0": one} for one in inputs]}  # arrays of float32, a few hundred
    int8.quantize(int8.calibrate(samples)).export_model("model.tflite")"""
SIZES = (
    "give the sample input all of its sizes, a batch of 1 first, and no dynamic_shapes: "
    "litert_torch.convert(model, (torch.zeros(1, 15, 20),))"
)
WORDS: Mapping[str, str] = {
    CONVERT: QUANTISE,
    FIX: SIZES,
    reshape.BATCH: SIZES,
    reshape.OPEN: SIZES,
    AGAIN: f"{AGAIN}: recipe.static_wi8_ai8() of ai-edge-quantizer, or PT2E with is_dynamic=False",
    refused.BATCH: (
        "the two around one convolution of stride 1 are taken as its dilation; write the layer so, e.g. "
        "nn.Conv1d(..., dilation=2)"
    ),
    refused.LOGITS: (
        "leave it out of forward(): return the scores that go into it, of which the largest is the same"
    ),
    refused.BETWEEN: (
        "ai-edge-quantizer's recipe.static_wi8_ai8() has int8 forms of more operators than PT2E; where it "
        "has none, replace the layer (`./earshot operators` lists what is computed in int8)"
    ),
    refused.INSTEAD["SQUARE"]: "multiply the tensor by itself: x * x",
    refused.INSTEAD["WHILE"]: "write the steps as a loop of Python over a fixed number of them",
    **dict.fromkeys(arg_extreme.WIDER.values(), "end the net with the scores, and take the largest after it"),
}


def is_torch(content: bytes) -> bool:
    """The file is litert-torch's."""
    return any(mark in content for mark in MARKS)


def in_torch(error: UserError) -> UserError:
    """The same, its remedies in PyTorch's words."""
    if isinstance(error, UserErrors):
        return UserErrors([in_torch(one) for one in error.errors])
    remedy = WORDS.get(error.remedy or "", error.remedy)
    return UserError(error.what, file=error.file, place=error.place, remedy=remedy)
