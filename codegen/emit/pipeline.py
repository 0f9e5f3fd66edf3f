# SPDX-License-Identifier: Apache-2.0
"""NAME_pipeline.c: every stage of an app as constants, and their state."""

from __future__ import annotations

from codegen.app.spec import Classifier, Layout, Pipeline
from codegen.app.tables import front_end_tables
from codegen.app.tables.decision import score_limit
from codegen.app.tables.quantize import BYTES, float_table, quantize_table
from codegen.app.tables.scale import scale_factors
from codegen.common.render import render
from codegen.compile import Compiled
from codegen.model.graph import Tensor


def pipeline_source(compiled: Compiled) -> str:
    """The text for an app whose model fits. A bare model has no pipeline: ValueError."""
    spec, graph = compiled.spec, compiled.graph
    pipeline = spec.pipeline
    if pipeline is None:
        raise ValueError("a bare model has no pipeline")
    classifier = spec.classifier
    scale, zero_point = _quantization(graph.input)
    return render(
        "pipeline.c.in",
        name=spec.name,
        pipeline=pipeline,
        classifier=classifier,
        contract=compiled.contract,
        front_end=pipeline.front_end,
        tables=front_end_tables(pipeline),
        scale=scale_factors(pipeline.scale),
        streams=bool(graph.variables),
        transpose=classifier.layout is Layout.CEPSTRA_BY_FRAMES,
        input_scale=scale,
        input_zero_point=zero_point,
        quantize=BYTES if pipeline.scale.formula else _quantize(classifier, graph.input),
        output_scale=_quantization(graph.output)[0],
        output_zero_point=_quantization(graph.output)[1],
        signed=_signed,
        limits=_limits(pipeline, graph.output),
    )


def _quantize(classifier: Classifier, tensor: Tensor) -> tuple[int, ...]:
    """The tensor's int8 of each feature."""
    scale, zero_point = _quantization(tensor)
    if tensor.file_dtype == "float32":
        return float_table(classifier.offset, scale, zero_point)
    return quantize_table(classifier.offset, scale, zero_point, classifier.rounding)


def _signed(value: int) -> str:
    """As the second operand of a sum: + 128."""
    return f"{'-' if value < 0 else '+'} {abs(value)}"


def _quantization(tensor: Tensor) -> tuple[float, int]:
    if tensor.quantization is None:
        raise ValueError(f"{tensor.name} is not quantized")
    return tensor.quantization.scale, tensor.quantization.zero_point


def _limits(pipeline: Pipeline, output: Tensor) -> tuple[int, ...]:
    scale, zero_point = _quantization(output)
    return tuple(score_limit(threshold, scale, zero_point) for threshold in pipeline.decision.thresholds)
