# SPDX-License-Identifier: Apache-2.0
"""The model reader: a .tflite file becomes a checked Graph, or one message that lists every fault found.

Nothing in the file is believed: offsets and lengths (flatbuffer.py), indices, shapes, types, scales.
What passes is what the `aot` engine computes exactly; the operators' own rules are in codegen/ops.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from codegen.common.errors import UserError, UserErrors
from codegen.model import schema
from codegen.model.flatbuffer import FlatbufferError, Reader, Table
from codegen.model.graph import Graph, Node, Quantization, Tensor
from codegen.model.variables import REMEDY, VariableError, lasting, resolve, with_own_states

Read = TypeVar("Read")

LARGEST_FILE = 64 << 20  # bytes; far beyond any microcontroller's flash
LARGEST_TENSOR = 16 << 20  # bytes
LARGEST_RANK = 8
MOST_FAULTS = 20  # reported of tensors and layers that cannot be read

CONVERT = """convert it with full int8 quantisation:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = samples  # a generator of [one input as float32], a few hundred times
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8"""

DAMAGED = "the file is damaged or cut short; copy it or convert the model again"

FIX = "fix the model's input shape, e.g. keras.Input(shape=(15, 20, 1), batch_size=1), and convert"

_MAGIC = {
    b"\x89HDF": "an HDF5 file (a Keras .h5 model)",
    b"PK\x03\x04": "a zip file (a .keras model?)",
    b"\x08": "a protobuf file (an ONNX or frozen TensorFlow model?)",
}


def read_operators(path: Path, content: bytes) -> list[str]:
    """The names of the main graph's operators in order, whatever else is wrong; none of a damaged file."""
    try:
        return _FileReader(path, content).operators()
    except (FlatbufferError, UserError):
        return []


def read_graph(path: Path, content: bytes | None = None) -> Graph:
    """The file's one graph as it stands: indices, shapes, types and constants checked, operators not.

    content: the file's, where it has been read
    """
    return _read(path, content, _FileReader.graph)


def read_whole(path: Path, content: bytes | None = None) -> Graph:
    """The same for an engine that interprets the file: operators of variables and of other graphs stay, too,
    and the graph's variables only count what lasts from one run to the next."""
    return _read(path, content, _FileReader.whole)


def read_graphs(path: Path) -> tuple[Graph, ...]:
    """Every graph of the file with each of its operators, those of variables too; the model is the first."""
    return tuple(_read(path, None, _FileReader.graphs))


def _read(path: Path, content: bytes | None, read: Callable[[_FileReader], Read]) -> Read:
    data = read_content(path) if content is None else content
    try:
        return read(_FileReader(path, data))
    except FlatbufferError as error:
        raise UserError(f"{error.what}", file=path, place=f"byte {error.byte}", remedy=DAMAGED) from None


def read_content(path: Path) -> bytes:
    """The file's content, when it is a TFLite file by its first bytes."""
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise UserError(
                f"{size} bytes is more than a model for a microcontroller can be ({LARGEST_FILE} at most)",
                file=path,
            )
        data = path.read_bytes()
    except FileNotFoundError:
        raise UserError(
            "there is no such file", file=path, remedy="give the path of a .tflite model"
        ) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UserError(
            f"cannot be read: {reason}", file=path, remedy="give the path of a .tflite model"
        ) from None
    if data[4:8] != schema.IDENTIFIER:
        if not data:
            raise UserError("an empty file", file=path, remedy="copy it again, or convert the model again")
        found = next((text for magic, text in _MAGIC.items() if data.startswith(magic)), "something else")
        _check_text(path, data)
        raise UserError(
            f"not a TFLite model but {found} (bytes 4 to 7 of a TFLite file read TFL3)",
            file=path,
            remedy=f"if this is a model of another kind, {CONVERT}",
        )
    return data


def _check_text(path: Path, data: bytes) -> None:
    """Refuses what people have in place of a model: its bytes as a C array, or a pointer to where it is."""
    if data.startswith(b"version https://git-lfs"):
        raise UserError(
            "a Git LFS pointer: it names the model, which is not here", file=path, remedy="git lfs pull"
        )
    if re.search(rb"0x54,\s*0x46,\s*0x4c,\s*0x33", data, re.IGNORECASE):
        raise UserError(
            "a C array of a model; the model's own bytes are wanted",
            file=path,
            remedy="write them to a file:\n"
            f"    grep -oE '0x[0-9a-fA-F]{{2}}' {path} | cut -c3- | xxd -r -p > {path.stem}.tflite",
        )


def layer_place(node: Node, graph: Graph) -> str:
    """How messages and comments tell a layer: layer 3 (CONV_2D conv1/Relu)."""
    names = [graph.tensors[index].name for index in node.outputs]
    return f"layer {node.number} ({' '.join([node.op, *names[:1]]).strip()})"


def _count(things: Sequence[int], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _clean(text: str) -> str:
    """Names are printed in messages and C comments: printable ASCII only."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)


@dataclass(frozen=True)
class _Code:
    """An operator code: its name, and the version of it that the file was written for."""

    op: str
    version: int


@contextmanager
def _collected(faults: list[UserError]) -> Iterator[None]:
    """A fault joins the others, so that all are reported at once; of a damaged file its first."""
    try:
        yield
    except UserError as fault:
        faults.append(fault)
        if len(faults) == MOST_FAULTS or fault.remedy == DAMAGED:
            raise faults[0] if len(faults) == 1 else UserErrors(faults) from None


class _FileReader:
    """Reads one file's tables into a Graph."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.data = data
        self.model = Reader(data).root()

    def fail(self, what: str, place: str | None = None, remedy: str = DAMAGED) -> UserError:
        """A UserError about this file."""
        return UserError(what, file=self.path, place=place, remedy=remedy)

    def graph(self) -> Graph:
        """The one subgraph, its variables numbered."""
        main, *others = self.graphs()
        try:
            main = with_own_states(resolve(main, others))
        except VariableError as error:
            place = layer_place(error.node, main) if error.node else "model"
            raise self.fail(error.what, place, REMEDY) from None
        self._check_ends(main)
        return main

    def whole(self) -> Graph:
        """The first subgraph with all of its operators."""
        main, *others = self.graphs()
        self._check_ends(main)
        return lasting(main, others)

    def graphs(self) -> list[Graph]:
        """Every subgraph as it stands."""
        version = int(self.model.scalar(schema.Model.VERSION, "uint32", 0))
        if version != schema.VERSION:
            raise self.fail(
                f"TFLite schema version {version}; only version {schema.VERSION} is known", "model"
            )
        buffers = [
            self._buffer(table, index) for index, table in enumerate(self.model.tables(schema.Model.BUFFERS))
        ]
        codes = [self._code(table) for table in self.model.tables(schema.Model.OPERATOR_CODES)]
        subgraphs = self.model.tables(schema.Model.SUBGRAPHS)
        if not subgraphs:
            raise self.fail("there is no graph in it", "model")
        return [self._subgraph(table, buffers, codes) for table in subgraphs]

    def operators(self) -> list[str]:
        """The names of the main graph's operators; "" where a number leads nowhere."""
        codes = [self._code(table).op for table in self.model.tables(schema.Model.OPERATOR_CODES)]
        subgraphs = self.model.tables(schema.Model.SUBGRAPHS)
        tables = subgraphs[0].tables(schema.SubGraph.OPERATORS) if subgraphs else []
        numbers = [int(table.scalar(schema.Operator.OPCODE_INDEX, "uint32", 0)) for table in tables]
        return [codes[number] if number < len(codes) else "" for number in numbers]

    def _buffer(self, table: Table, index: int) -> NDArray[Any] | None:
        """A constant's bytes; None for the empty buffer of a tensor that is computed."""
        offset = int(table.scalar(schema.Buffer.OFFSET, "uint64", 0))
        size = int(table.scalar(schema.Buffer.SIZE, "uint64", 0))
        if offset > 1 and size:
            if offset + size > len(self.data):
                raise self.fail(
                    f"constant {index} lies outside the file", f"byte {min(offset, len(self.data))}"
                )
            return np.frombuffer(self.data, np.uint8, size, offset)
        values = table.numbers(schema.Buffer.DATA, "uint8")
        return None if values is None or not values.size else values

    def _code(self, table: Table) -> _Code:
        number = max(
            int(table.scalar(schema.OperatorCode.DEPRECATED_BUILTIN_CODE, "int8", 0)),
            int(table.scalar(schema.OperatorCode.BUILTIN_CODE, "int32", 0)),
        )
        op = schema.OPERATORS[number] if 0 <= number < len(schema.OPERATORS) else f"operator number {number}"
        if op == "CUSTOM":
            op = f"CUSTOM {_clean(table.text(schema.OperatorCode.CUSTOM_CODE) or 'without a name')}"
        return _Code(op, int(table.scalar(schema.OperatorCode.VERSION, "int32", 1)))

    def _subgraph(self, table: Table, buffers: list[NDArray[Any] | None], codes: list[_Code]) -> Graph:
        """One graph, with every index in range and every input made before it is used."""
        places = schema.SubGraph
        faults: list[UserError] = []
        tensors, nodes = [], []
        tables = table.tables(places.TENSORS)
        for i, t in enumerate(tables):
            with _collected(faults):
                tensors.append(self._tensor(t, i, buffers))
        count = len(tables)
        for i, t in enumerate(table.tables(places.OPERATORS)):
            with _collected(faults):
                nodes.append(self._node(t, i, count, codes))
        if faults:
            raise faults[0] if len(faults) == 1 else UserErrors(faults)
        inputs = table.small_numbers(places.INPUTS, "int32")
        outputs = table.small_numbers(places.OUTPUTS, "int32")
        for index in (*inputs, *outputs):
            if not 0 <= index < len(tensors):
                raise self.fail(
                    f"the graph's inputs or outputs name tensor {index} of {len(tensors)}", "graph"
                )
        graph = Graph(
            name=_clean(table.text(places.NAME) or "main"),
            sha256=hashlib.sha256(self.data).hexdigest(),
            tensors=tuple(tensors),
            nodes=tuple(nodes),
            inputs=inputs,
            outputs=outputs,
            content=self.data,
        )
        numbers = [int(t.scalar(schema.Tensor.BUFFER, "uint32", 0)) for t in tables]
        self._check_order(graph, {index for index, n in enumerate(numbers) if buffers[n] is not None})
        return graph

    def _check_ends(self, graph: Graph) -> None:
        """Inputs and outputs, each input once and given from outside."""
        if not graph.inputs or not graph.outputs:
            ends = f"{_count(graph.inputs, 'input')} and {_count(graph.outputs, 'output')}"
            remedy = "convert a model with at least one input and one output tensor"
            raise self.fail(f"{ends}: nothing is computed", "graph", remedy)
        if len(set(graph.inputs)) < len(graph.inputs):
            raise self.fail("one tensor is two of its inputs", "graph")
        for index in graph.inputs:
            if graph.tensors[index].data is not None:
                number = "" if len(graph.inputs) == 1 else f" {index}"
                raise self.fail(f"the input tensor{number} is a constant", "graph")

    def _check_order(self, graph: Graph, constants: set[int]) -> None:
        """Every value is made once, before it is used. constants: those of int4, too, which are not read"""
        nowhere = (i for i, tensor in enumerate(graph.tensors) if tensor.variable or not tensor.size)
        known = {*constants, *nowhere}
        known.update(graph.inputs)
        for node in graph.nodes:
            for index in node.inputs:
                if index >= 0 and index not in known:
                    raise self.fail(f"tensor {index} is used before it is made", layer_place(node, graph))
            for index in node.outputs:
                if index in known and not graph.tensors[index].variable:
                    raise self.fail(f"tensor {index} is made twice", layer_place(node, graph))
                known.add(index)
        if not known.issuperset(graph.outputs):
            raise self.fail("the output tensor is made by no layer", "graph")

    def _tensor(self, table: Table, index: int, buffers: list[NDArray[Any] | None]) -> Tensor:
        """One tensor; its constant data has the right number of bytes."""
        places = schema.Tensor
        name = _clean(table.text(places.NAME) or "")
        place = f"tensor {index} ({name})" if name else f"tensor {index}"
        number = int(table.scalar(places.TYPE, "int8", 0))
        if not 0 <= number < len(schema.TYPES):
            raise self.fail(f"type number {number} is unknown", place)
        dtype = schema.TYPES[number]
        shape = table.small_numbers(places.SHAPE, "int32")
        signature = table.small_numbers(places.SHAPE_SIGNATURE, "int32")
        if len(shape) > LARGEST_RANK:
            raise self.fail(f"{len(shape)} dimensions; at most {LARGEST_RANK} are allowed", place)
        if any(size < 0 for size in shape) or any(size < 0 for size in signature[1:]):
            reported = ", ".join(str(size) for size in signature or shape)
            raise self.fail(
                f"the shape [{reported}] is open; all sizes but the batch must be known",
                place,
                FIX,
            )
        if dtype in schema.NUMPY_TYPES and math.prod(shape) * np.dtype(dtype).itemsize > LARGEST_TENSOR:
            raise self.fail(
                f"the shape {list(shape)} needs more than any microcontroller has ({LARGEST_TENSOR} bytes)",
                place,
                "use a smaller model",
            )
        if table.table(places.SPARSITY) is not None:
            raise self.fail("its data is stored sparse", place, "convert the model without sparsity")
        buffer = int(table.scalar(places.BUFFER, "uint32", 0))
        if buffer >= len(buffers):
            raise self.fail(f"names constant {buffer} of {len(buffers)}", place)
        data = self._constant(buffers[buffer], shape, dtype, place)
        return Tensor(
            index=index,
            name=name,
            shape=shape,
            dtype=dtype,
            quantization=self._quantization(table.table(places.QUANTIZATION), shape, dtype, place, data),
            data=data,
            variable=bool(table.scalar(places.IS_VARIABLE, "bool", False)),
            open_batch=bool(signature) and signature[0] < 0,
        )

    def _constant(
        self, data: NDArray[Any] | None, shape: tuple[int, ...], dtype: str, place: str
    ) -> NDArray[Any] | None:
        """A constant's values in its shape."""
        if dtype not in schema.NUMPY_TYPES:
            return None
        if data is None:
            return np.zeros(shape, np.dtype(dtype)) if shape == (0,) and dtype == "int32" else None
        kind = np.dtype(dtype).newbyteorder("<")
        if data.size != math.prod(shape) * kind.itemsize:
            raise self.fail(f"{data.size} bytes of data do not fill {dtype}{list(shape)}", place)
        values = np.frombuffer(data.tobytes(), kind).reshape(shape)
        return values.astype(np.dtype(dtype), copy=False)

    def _quantization(
        self, table: Table | None, shape: tuple[int, ...], dtype: str, place: str, data: NDArray[Any] | None
    ) -> Quantization | None:
        """Scales and zero points; None where the tensor has none."""
        if table is None:
            return None
        places = schema.QuantizationParameters
        scales = table.small_numbers(places.SCALE, "float32")
        if not scales:
            return None
        zero_points = table.small_numbers(places.ZERO_POINT, "int64") or (0,) * len(scales)
        axis = int(table.scalar(places.QUANTIZED_DIMENSION, "int32", 0))
        if int(table.scalar(places.DETAILS_TYPE, "uint8", 0)):
            raise self.fail(
                "quantized in blocks or in a custom way",
                place,
                "use int8 quantisation per tensor or per channel",
            )
        zeros = data is not None and not data.any()  # of which a converter found no range
        if any(not (scale > 0 or (zeros and scale == 0)) or math.isinf(scale) for scale in scales):
            found = next(scale for scale in scales if not 0 < scale < math.inf)
            raise self.fail(
                f"a scale is {found}; scales are positive numbers", place, "convert the model again"
            )
        if len(zero_points) == 1 and len(scales) > 1:
            zero_points *= len(scales)
        if len(zero_points) != len(scales):
            raise self.fail(f"{len(scales)} scales and {len(zero_points)} zero points", place)
        if shape == (len(scales),):
            axis = 0  # some converters write the weights' axis beside the bias; every runtime overlooks it
        if len(scales) > 1 and not (0 <= axis < len(shape) and shape[axis] == len(scales)):
            raise self.fail(f"{len(scales)} scales do not fit axis {axis} of {list(shape)}", place)
        if dtype in ("int8", "uint8", "int16", "int32"):
            limits = np.iinfo(dtype)
            if any(not limits.min <= zero <= limits.max for zero in zero_points):
                raise self.fail(f"a zero point lies outside {dtype}", place, "convert the model again")
        return Quantization(scales, zero_points, axis)

    def _node(self, table: Table, index: int, tensors: int, codes: list[_Code]) -> Node:
        """One operator with its options by name."""
        places = schema.Operator
        number = int(table.scalar(places.OPCODE_INDEX, "uint32", 0))
        if number >= len(codes):
            raise self.fail(f"names operator code {number} of {len(codes)}", f"layer {index}")
        code = codes[number]
        inputs = table.small_numbers(places.INPUTS, "int32")
        outputs = table.small_numbers(places.OUTPUTS, "int32")
        intermediates = table.small_numbers(places.INTERMEDIATES, "int32")
        place = f"layer {index} ({code.op})"
        made = (*outputs, *intermediates)
        if any(not -1 <= tensor < tensors for tensor in inputs) or any(not 0 <= t < tensors for t in made):
            raise self.fail(f"names a tensor outside 0..{tensors - 1}", place)
        options = self._options(table, code.op, place)
        return Node(index, code.op, inputs, outputs, options, code.version, intermediates)

    def _options(self, node: Table, op: str, place: str) -> dict[str, Any]:
        """The operator's options, with the schema's defaults where the file has none."""
        if op not in schema.OPTIONS:
            return {}
        kind, fields = schema.OPTIONS[op]
        table = node.table(schema.Operator.OPTIONS)
        if table is not None and int(node.scalar(schema.Operator.OPTIONS_TYPE, "uint8", 0)) != kind:
            raise self.fail("carries the options of another operator", place)
        return {name: self._option(table, field, name, place) for name, field in fields.items()}

    def _option(self, table: Table | None, field: schema.Option, name: str, place: str) -> Any:
        if table is None:
            return field.default
        if field.kind == "int32s":
            return table.small_numbers(field.slot, "int32")
        if field.kind == "text":
            return _clean(table.text(field.slot) or "")
        names = {"activation": schema.ACTIVATIONS, "padding": schema.PADDINGS, "type": schema.TYPES}.get(
            field.kind
        )
        if names is None:
            return table.scalar(field.slot, field.kind, field.default)
        number = int(table.scalar(field.slot, "int8", names.index(field.default)))
        if not 0 <= number < len(names):
            raise self.fail(f"{name} number {number} is unknown", place)
        return names[number]
