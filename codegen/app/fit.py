# SPDX-License-Identifier: Apache-2.0
"""pipeline.toml against its model: what is right in each but does not fit together."""

from __future__ import annotations

from collections.abc import Sequence

from codegen.app.several import members
from codegen.app.spec import Cascade, Decision, Gate, Kind, Layout, Pipeline, Rounding, Spec
from codegen.app.tables.decision import ERROR_BITS, STEP_BITS, difference, is_share, score_of, span
from codegen.common.errors import UserError, UserErrors
from codegen.common.render import shape_text
from codegen.common.toml_place import read_toml
from codegen.model.graph import Graph, Quantization, Tensor

_NAME_ONE = "Name the scores by number or name under [classifier]: output = 0"


def check(spec: Spec, graph: Graph) -> None:
    """Raises UserError with every fault. A bare model is right as it is."""
    if spec.pipeline is None:
        return
    faults = _chosen(spec, graph) or _edges(spec, graph)
    if not faults:
        faults = _rounding(spec, graph.input) + _cascade(spec, spec.pipeline, graph.input)
        anomaly = spec.pipeline.decision.kind is Kind.ANOMALY
        faults += _gives_back(spec, graph) if anomaly else _labels(spec, spec.pipeline, graph.output)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise UserErrors(faults)


def remarks(spec: Spec, graph: Graph) -> list[str]:
    """What is allowed, and yet seldom meant: each a sentence that names the key."""
    if spec.pipeline is None or _is_refused(spec, graph):
        return []
    gate, cascade = spec.pipeline.gate, spec.pipeline.cascade
    found = _shut_early(gate, cascade, streams=bool(graph.variables)) if gate.threshold > 0 else []
    return found + _score_remarks(spec.pipeline.decision, graph)


def _score_remarks(decision: Decision, graph: Graph) -> list[str]:
    """Thresholds that no score or every score reaches, as far as the model's ends say."""
    input_, scores = graph.input.quantization, graph.output.quantization
    assert input_ is not None
    assert scores is not None
    limits = ", ".join(dict.fromkeys(f"{float(limit):g}" for limit in decision.thresholds))
    if decision.kind is Kind.ANOMALY:
        score = score_of(decision.kind, input_, scores)
        largest = _largest_error(input_, scores)
        if score.limits(decision)[0] > largest:
            return [
                f"[decision] threshold = {limits} is above {score.value(largest):.4g}, the largest mean "
                "squared error that the model's input and output can have: nothing is ever detected"
            ]
        return []
    if decision.kind is Kind.BINARY or is_share(scores):
        return []
    lowest, highest = span(scores)
    found = (
        f"[decision] threshold = {limits} is compared with scores from {lowest:.3g} to {highest:.3g}, "
        "which are no shares of 1: end the model with a softmax, or choose a threshold of that range"
    )
    if graph.output.size == 1:
        found += '; of a single logit kind = "binary" compares the sigmoid'
    return [found]


def _largest_error(input_: Quantization, output: Quantization) -> int:
    """Of an input and its output: the score of the largest difference."""
    made = difference(input_, output)
    values = (
        made.input_factor * ours - made.output_factor * theirs + made.offset
        for ours, theirs in ((127, -128), (-128, 127))
    )
    return max(value * value for value in values) >> (2 * STEP_BITS - ERROR_BITS)


def _shut_early(gate: Gate, cascade: Cascade, *, streams: bool) -> list[str]:
    """A gate that shuts before all that may be decided on a short sound was."""
    passed = f"[gate] backoff = {gate.backoff} lets {gate.backoff + 1} windows of a short sound pass"
    enough = "(backoff = {} passes enough)"
    if gate.backoff + 1 < cascade.every:
        what = f"{passed}, and [cascade] every = {cascade.every}: on some nothing is decided"
        return [f"{what} {enough.format(cascade.every - 1)}"]
    if gate.backoff + 1 >= cascade.frames:
        return []
    if streams:
        what = f"{passed}, a model that begins anew after each gap needs {cascade.frames}: nothing is decided"
    else:
        what = (
            f"{passed}, and the cascade holds {cascade.frames}: it is decided at its first "
            f"{gate.backoff + 1} places there only, and not at all in the first {cascade.frames} windows"
        )
    return [f"{what} {enough.format(cascade.frames - 1)}"]


def _is_refused(spec: Spec, graph: Graph) -> bool:
    """check() refuses it."""
    try:
        check(spec, graph)
    except UserError:
        return True
    return False


def _place(spec: Spec, section: str, key: str) -> str:
    """The key, with its line where the file is there to be read again."""
    if not spec.file.is_file():
        return f"[{section}] {key}"
    toml = read_toml(spec.file)
    named = [member.toml for member in members(toml) if member.name == spec.title]
    return (named[0] if named else toml).place(section, key)


def _edges(spec: Spec, graph: Graph) -> list[UserError]:
    """One int8 tensor in, one out, each with one scale."""
    model, faults = spec.classifier.model, []
    for word, option, indices in (
        ("input", "inference_input_type", graph.inputs),
        ("output", "inference_output_type", graph.outputs),
    ):
        if len(indices) != 1:
            faults.append(_several(spec, graph, word, indices))
            continue
        tensor = graph.tensors[indices[0]]
        place = f"{word} {tensor.name}"
        if tensor.dtype != "int8":
            what, remedy = _other_type(spec, tensor, option)
            faults.append(UserError(what, file=model, place=place, remedy=remedy))
        elif tensor.quantization is None or len(tensor.quantization.scales) != 1:
            what = "has no single scale and zero point"
            remedy = "Convert the model with full int8 quantization and a representative dataset."
            faults.append(UserError(what, file=model, place=place, remedy=remedy))
    return faults


def _chosen(spec: Spec, graph: Graph) -> list[UserError]:
    """The output that the app names is one of the file's."""
    output, count = spec.classifier.output, len(graph.outputs)
    if output is None or graph.chosen is not None:
        return []
    what = f"there is no one output {output}: the model has {_each(graph, graph.outputs)}"
    remedy = "Leave output away: the model has one." if count == 1 else _NAME_ONE
    return [UserError(what, file=spec.file, place=_place(spec, "classifier", "output"), remedy=remedy)]


def _each(graph: Graph, indices: Sequence[int]) -> str:
    """Ends by number and name."""
    return ", ".join(f"{place} {graph.tensors[index].name}".rstrip() for place, index in enumerate(indices))


def _several(spec: Spec, graph: Graph, word: str, indices: Sequence[int]) -> UserError:
    """Inputs beside the cascade, or outputs of which none is chosen."""
    each = _each(graph, indices)
    what = f"the model has {len(indices)} {word}s ({each}); a pipeline feeds one and reads one"
    remedy = "Convert a model with one input." if word == "input" else _NAME_ONE
    return UserError(what, file=spec.classifier.model, place=word, remedy=remedy)


def _other_type(spec: Spec, tensor: Tensor, option: str) -> tuple[str, str]:
    """What is wrong with an end that is not int8, and what to do. option: of TensorFlow's converter"""
    again = f"onvert it with converter.{option} = tf.int8 and a representative dataset."
    what = f"is {tensor.dtype}; a pipeline's is int8"
    if spec.classifier.engine == "tflm":
        return (
            f'{what} where the engine is "tflm", which runs the file as it is',
            f'Take engine = "aot": it computes the int8 between such ends. Or c{again}',
        )
    return f"{what} or int16, or a QUANTIZE or DEQUANTIZE alone is between it and such", f"C{again}"


def _rounding(spec: Spec, tensor: Tensor) -> list[UserError]:
    """A model that takes floats rounds them itself; a publisher's formula makes bytes."""
    formula = spec.pipeline.scale.formula if spec.pipeline is not None else None
    if formula and tensor.file_dtype == "int16":
        what = f'is "{formula}", which makes the bytes of a published model; the model\'s input has 16 bits'
        place, remedy = _place(spec, "scale", "formula"), "Write minimum and maximum in its place."
        return [UserError(what, file=spec.file, place=place, remedy=remedy)]
    if tensor.file_dtype != "float32" or spec.classifier.rounding is Rounding.NEAREST:
        return []
    rounding = spec.classifier.rounding.value
    what = f'is "{rounding}", but the model takes floats, and its QUANTIZE rounds to the nearest'
    place = _place(spec, "classifier", "rounding")
    return [UserError(what, file=spec.file, place=place, remedy='Write rounding = "nearest".')]


def _cascade(spec: Spec, pipeline: Pipeline, tensor: Tensor) -> list[UserError]:
    """The input holds the cascade in the layout named: [1, a, b], with further dimensions of 1, or flat."""
    frames, cepstra, layout = pipeline.cascade.frames, pipeline.front_end.size, spec.classifier.layout
    values, section = pipeline.front_end.values, pipeline.front_end.section
    natural, swapped = (frames, cepstra), (cepstra, frames)
    picture = natural if layout is Layout.FRAMES_BY_CEPSTRA else swapped
    if _fits(tensor.shape, picture):
        return []
    flat = _fits(tensor.shape, (frames * cepstra,))
    if flat and layout is not Layout.SCRAMBLED:
        return []

    what = (
        f'{frames} frames of {cepstra} {values} as "{layout.value}" are {shape_text(picture)}; '
        f"the model's input is {shape_text(tensor.shape)}"
    )
    place = _place(spec, "cascade", "frames")
    if flat:
        remedy = 'Write layout = "frames_by_cepstra": a flat input takes the frames one after the other.'
        place = _place(spec, "classifier", "layout")
    elif _fits(tensor.shape, natural):
        remedy = 'Write layout = "frames_by_cepstra".'
        place = _place(spec, "classifier", "layout")
    elif _fits(tensor.shape, swapped):
        remedy = (
            'Write layout = "cepstra_by_frames", or "scrambled" for a model trained on vectors '
            "reshaped as SensiML's tutorial does."
        )
        place = _place(spec, "classifier", "layout")
    else:
        wanted = [size for size in tensor.shape[1:] if size != 1]
        if len(wanted) == 2:
            first, second = wanted
            if layout is not Layout.FRAMES_BY_CEPSTRA:
                first, second = second, first
            remedy = f"Write frames = {first} under [cascade] and {values} = {second} under [{section}]."
        elif tensor.size % cepstra == 0:
            remedy = f"Write frames = {tensor.size // cepstra}, or train a model for {shape_text(picture)}."
        else:
            remedy = f"Train a model for {shape_text(picture)}, or change frames and {values}."
    return [UserError(what, file=spec.file, place=place, remedy=remedy)]


def _fits(shape: tuple[int, ...], picture: tuple[int, ...]) -> bool:
    """Whether a tensor is this picture with dimensions of 1 before, after or between."""
    return [size for size in shape if size != 1] == [size for size in picture if size != 1]


def _labels(spec: Spec, pipeline: Pipeline, tensor: Tensor) -> list[UserError]:
    labels = len(pipeline.decision.labels)
    if tensor.size == labels:
        return []
    if pipeline.decision.kind is Kind.BINARY:
        what = (
            f'is "binary", one probability or its logit; the model has {_count(tensor.size, "output")} '
            f"(its output is {shape_text(tensor.shape)})"
        )
        remedy = f"Leave kind away and list {_count(tensor.size, 'label')}, one an output."
        return [UserError(what, file=spec.file, place=_place(spec, "decision", "kind"), remedy=remedy)]
    what = (
        f"{_count(labels, 'label')}; the model has {_count(tensor.size, 'output')} "
        f"(its output is {shape_text(tensor.shape)})"
    )
    remedy = f"List {_count(tensor.size, 'label')} in the order of training, one an output."
    return [UserError(what, file=spec.file, place=_place(spec, "decision", "labels"), remedy=remedy)]


def _gives_back(spec: Spec, graph: Graph) -> list[UserError]:
    """What is compared with the input has its shape."""
    shapes = [[size for size in tensor.shape if size != 1] for tensor in (graph.input, graph.output)]
    if shapes[0] == shapes[1] or (graph.input.size == graph.output.size and min(map(len, shapes)) <= 1):
        return []
    what = (
        f'is "anomaly", which compares the model\'s output with its input; the input is '
        f"{shape_text(graph.input.shape)}, the output {shape_text(graph.output.shape)}"
    )
    remedy = "Take a model that gives back its input, an autoencoder; of a classifier leave kind away."
    return [UserError(what, file=spec.file, place=_place(spec, "decision", "kind"), remedy=remedy)]


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
