# SPDX-License-Identifier: Apache-2.0
"""NAME_pipeline.c: every stage of an app as constants, and their state."""

from __future__ import annotations

from codegen.app.contract import feature_contract
from codegen.app.spec import Classifier, Layout, Pipeline, Spec
from codegen.app.tables import mfcc_tables
from codegen.app.tables.decision import score_limit
from codegen.app.tables.quantize import float_table, quantize_table
from codegen.app.tables.scale import scale_multiplier
from codegen.common.render import render
from codegen.model.graph import Graph, Tensor


def pipeline_source(spec: Spec, graph: Graph) -> str:
    """The text for a spec and graph that passed codegen.app.fit. A bare model has no pipeline: ValueError."""
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
        contract=feature_contract(spec),
        mfcc=mfcc_tables(pipeline.audio, pipeline.window, pipeline.mfcc),
        multiplier=scale_multiplier(pipeline.scale),
        transpose=classifier.layout is Layout.CEPSTRA_BY_FRAMES,
        input_scale=scale,
        input_zero_point=zero_point,
        quantize=_quantize(classifier, graph.input),
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
