# SPDX-License-Identifier: Apache-2.0
"""NAME_pipeline.c: every stage of an app as constants, and their state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from codegen.app.spec import Classifier, FrontEnd, Kind, Layout, MicroFrontend, Pipeline, Scale, Spec
from codegen.app.tables import front_end_tables
from codegen.app.tables.after import Following, normals, orders
from codegen.app.tables.decision import difference, score_of
from codegen.app.tables.mfcc import log_floor, power_bits
from codegen.app.tables.quantize import BYTES, float_table, quantize_table
from codegen.app.tables.scale import scale_factors
from codegen.common import protocol
from codegen.common.render import render
from codegen.compile import Compiled
from codegen.model.graph import Quantization, Tensor


def pipeline_source(compiled: Compiled) -> str:
    """The text for an app whose model fits. A bare model has no pipeline: ValueError.

    Of several classifiers the first one's text has what all hear by, and then each its own part.
    """
    members = (compiled, *compiled.others)
    pipeline = _pipeline(compiled.spec)
    return render(
        "pipeline.c.in",
        name=compiled.spec.name,
        headers=[member.spec.name for member in members],
        pipeline=pipeline,
        contract=compiled.contract,
        front_end=pipeline.front_end,
        tables=front_end_tables(pipeline),
        scale=scale_factors(pipeline.scale),
        scale_stage=_scale_stage(pipeline.scale),
        power_bits=power_bits,
        orders=_after(pipeline.front_end, orders),
        normals=_after(pipeline.front_end, normals),
        log_floor=log_floor,
        stages=sorted({stage for member in members for stage in _stages(member)}),
        classifiers="\n".join(_classifier_source(member, compiled.spec.name) for member in members),
    )


def _scale_stage(scale: Scale) -> str:
    """The file of firmware/pipeline that computes it."""
    if scale.formula:
        return "scale_formula"
    return "scale_zero" if scale.rounding == "zero" else "scale"


Table = TypeVar("Table")


def _after(front_end: FrontEnd, made: Callable[[Following], tuple[Table, ...]]) -> tuple[Table, ...]:
    """What follows the front end's values, of those that may have something."""
    return () if isinstance(front_end, MicroFrontend) else made(front_end)


def _stages(compiled: Compiled) -> Iterator[str]:
    """Files of firmware/pipeline that not every app asks for, of the stages after the front end."""
    decision = _pipeline(compiled.spec).decision
    if decision.kind is Kind.ANOMALY:
        yield "decision_anomaly"
    elif decision.smooths:
        yield "decision_mean"
    if compiled.graph.variables:
        yield "held_back"


def _classifier_source(compiled: Compiled, hears: str) -> str:
    """One model's stages from the cascade on. hears: whose window, gate and front end come before them."""
    spec, graph = compiled.spec, compiled.graph
    pipeline, classifier = _pipeline(spec), spec.classifier
    ends = _quantization(graph.input), _quantization(graph.output)
    score = score_of(pipeline.decision.kind, *ends)
    return render(
        "pipeline_classifier.c.in",
        name=spec.name,
        hears=hears,
        pipeline=pipeline,
        classifier=classifier,
        contract=compiled.contract,
        front_end=pipeline.front_end,
        streams=bool(graph.variables),
        transpose=classifier.layout is Layout.CEPSTRA_BY_FRAMES,
        input_scale=ends[0].scale,
        input_zero_point=ends[0].zero_point,
        quantize=BYTES if pipeline.scale.formula else _quantize(classifier, graph.input),
        outputs=graph.output.size,
        score=score,
        limits=score.limits(pipeline.decision),
        most_mean=max(pipeline.decision.mean, protocol.MEAN_ROOM),
        difference=difference(*ends) if pipeline.decision.kind is Kind.ANOMALY else None,
        signed=_signed,
    ).strip()


def _pipeline(spec: Spec) -> Pipeline:
    if spec.pipeline is None:
        raise ValueError("a bare model has no pipeline")
    return spec.pipeline


def _quantize(classifier: Classifier, tensor: Tensor) -> tuple[int, ...]:
    """The tensor's int8 of each feature."""
    scale, zero_point = _quantization(tensor).scale, _quantization(tensor).zero_point
    if tensor.file_dtype == "float32":
        return float_table(classifier.offset, scale, zero_point)
    return quantize_table(classifier.offset, scale, zero_point, classifier.rounding)


def _signed(value: int) -> str:
    """As the second operand of a sum: + 128."""
    return f"{'-' if value < 0 else '+'} {abs(value)}"


def _quantization(tensor: Tensor) -> Quantization:
    if tensor.quantization is None:
        raise ValueError(f"{tensor.name} is not quantized")
    return tensor.quantization
