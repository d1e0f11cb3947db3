"""Reading of .tflite files: operations, shapes, and constants as dense arrays.

The format is the FlatBuffers schema of TensorFlow Lite (Apache-2.0); `tflite` holds its accessors.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray

from datamodules.commands import typed

_IDENTIFIER = b"TFL3"
_UNFOLDED = ("DEQUANTIZE", "DENSIFY")


class UnreadableGraph(ValueError):
    """A model file that is missing or damaged, or holds what is not read here."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Operation:
    """One operation: its name in the schema, numbers of its tensors, its options as the schema has them."""

    name: str
    inputs: tuple[int, ...]
    output: int
    options: Any


class TfliteFile:
    """What a .tflite file holds.

    Weights that are stored sparse or in half precision become dense float32 here, so the operations that
    would unpack them are none of `operations`.

    Args:
        path: The file.

    Attributes:
        operations: in the order of execution.
        shapes: of all tensors, with a batch of 1.
        constants: dense arrays by number of their tensor.
        inputs: numbers of the tensors that go in.
        outputs: numbers of those that come out.

    Raises:
        UnreadableGraph: No such file, not a .tflite file, more than one subgraph, or a type that is not read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        model = tflite.Model.GetRootAs(_bytes(path), 0)
        if model.SubgraphsLength() != 1:
            raise UnreadableGraph(
                f"{path}: holds {model.SubgraphsLength()} graphs; only files of one are read"
            )
        graph = model.Subgraphs(0)
        tensors = [graph.Tensors(number) for number in range(graph.TensorsLength())]
        self.shapes = tuple(tuple(int(side) for side in _array(tensor.ShapeAsNumpy())) for tensor in tensors)
        self.constants = {
            number: _constant(path, tensor, data)
            for number, tensor in enumerate(tensors)
            if (data := _array(model.Buffers(tensor.Buffer()).DataAsNumpy())).size
        }
        self.inputs = tuple(int(number) for number in graph.InputsAsNumpy())
        self.outputs = tuple(int(number) for number in graph.OutputsAsNumpy())
        operations = [
            _operation(path, model, graph.Operators(place)) for place in range(graph.OperatorsLength())
        ]
        self.operations = tuple(found for found in operations if not self._folded(found))

    def constant(self, number: int) -> NDArray[Any]:
        """A constant tensor.

        Raises:
            UnreadableGraph: The tensor is computed.
        """
        if number not in self.constants:
            raise UnreadableGraph(f"{self.path}: tensor {number} is computed, and is read only as a constant")
        return self.constants[number]

    def _folded(self, operation: Operation) -> bool:
        """Whether the operation only unpacks a constant, which is unpacked already."""
        if operation.name not in _UNFOLDED or operation.inputs[0] not in self.constants:
            return False
        self.constants[operation.output] = self.constants[operation.inputs[0]]
        return True


def _bytes(path: Path) -> bytes:
    try:
        held = path.read_bytes()
    except OSError as fault:
        raise UnreadableGraph(f"{path}: {fault.strerror}; `{typed('face_models')}` gets it") from fault
    if held[4:8] != _IDENTIFIER:
        raise UnreadableGraph(f"{path}: not a .tflite file; `{typed('face_models')}` gets it")
    return held


def _array(found: Any) -> NDArray[Any]:
    """What the accessors give for a vector: 0 where there is none."""
    return np.zeros(0, np.uint8) if isinstance(found, int) else np.asarray(found)


def _names(schema: type) -> dict[int, str]:
    return {number: name for name, number in vars(schema).items() if isinstance(number, int)}


_OPERATORS, _TYPES, _OPTIONS = map(_names, (tflite.BuiltinOperator, tflite.TensorType, tflite.BuiltinOptions))
_DTYPES = {"FLOAT32": "<f4", "FLOAT16": "<f2", "INT32": "<i4"}


def _operation(path: Path, model: Any, held: Any) -> Operation:
    code = model.OperatorCodes(held.OpcodeIndex())
    # Older files have their number, up to 127, in the deprecated field only.
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    name = _OPERATORS.get(number, f"number {number}")
    if name == "CUSTOM":
        name = f"CUSTOM {code.CustomCode().decode()}"
    if held.OutputsLength() != 1:
        raise UnreadableGraph(f"{path}: operation {name} has {held.OutputsLength()} outputs; 1 is read")
    options, table = None, held.BuiltinOptions()
    if table is not None:
        options = getattr(tflite, _OPTIONS[held.BuiltinOptionsType()])()
        options.Init(table.Bytes, table.Pos)
    return Operation(
        name=name,
        inputs=tuple(int(place) for place in held.InputsAsNumpy()),
        output=int(held.Outputs(0)),
        options=options,
    )


def _constant(path: Path, tensor: Any, data: NDArray[Any]) -> NDArray[Any]:
    kind = _TYPES[tensor.Type()]
    if kind not in _DTYPES:
        raise UnreadableGraph(
            f"{path}: tensor {tensor.Name().decode()} is {kind}; read are {', '.join(_DTYPES)}"
        )
    values = data.view(_DTYPES[kind])
    shape = tuple(int(side) for side in _array(tensor.ShapeAsNumpy()))
    sparsity = tensor.Sparsity()
    dense = values.reshape(shape) if sparsity is None else densify(values, shape, sparsity)
    return dense.astype(np.float32) if dense.dtype.kind == "f" else dense


def densify(values: NDArray[Any], shape: tuple[int, ...], sparsity: Any) -> NDArray[Any]:
    """Dense array of a sparse tensor, stored level by level as TACO does (Kjolstad et al., OOPSLA 2017).

    A level is dense, with a fixed number of children a node, or compressed, with the children listed. Levels
    are the dimensions in the order of traversal, then the inner coordinates of dimensions cut into blocks.

    Args:
        values: Stored numbers, one a leaf.
        shape: Of the dense tensor.
        sparsity: The schema's `SparsityParameters`.
    """
    order, blocks = _array(sparsity.TraversalOrderAsNumpy()), _array(sparsity.BlockMapAsNumpy())
    nodes = np.zeros(1, np.int64)  # place of each node among the nodes of its level
    coordinates = np.zeros((0, 1), np.int64)  # one row a level above
    sizes = dict[int, int]()
    for level, dimension in enumerate(order):
        held = sparsity.DimMetadata(level)
        if held.Format() == tflite.DimensionType.DENSE:
            size = sizes[int(dimension)] = held.DenseSize()
            counts = np.full(len(nodes), size)
            own = np.tile(np.arange(size), len(nodes))
            children = np.repeat(nodes * size, counts) + own
        else:
            starts, listed = _vector(held, "ArraySegments"), _vector(held, "ArrayIndices")
            counts = np.diff(starts)[nodes]
            within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            children = np.repeat(starts[:-1][nodes], counts) + within
            own = listed[children]
        coordinates = np.vstack([np.repeat(coordinates, counts, axis=1), own])
        nodes = children
    return _placed(values[nodes], shape, coordinates[np.argsort(order)], blocks, sizes)


def _placed(
    values: NDArray[Any],
    shape: tuple[int, ...],
    coordinates: NDArray[np.int64],
    blocks: NDArray[Any],
    sizes: dict[int, int],
) -> NDArray[Any]:
    """Values at their coordinates, a row a dimension and then one for each that is cut into blocks."""
    rank = len(shape)
    for inner, dimension in enumerate(blocks, start=rank):
        if inner < len(coordinates):
            coordinates[dimension] = coordinates[dimension] * sizes[inner] + coordinates[inner]
    dense = np.zeros(shape, values.dtype)
    dense[tuple(coordinates[:rank])] = values
    return dense


def _vector(held: Any, what: str) -> NDArray[np.int64]:
    """A vector of a compressed level; its width is that of the union's member."""
    table = getattr(held, what)()
    vector = (tflite.Int32Vector, tflite.Uint16Vector, tflite.Uint8Vector)[
        getattr(held, f"{what}Type")() - 1
    ]()
    vector.Init(table.Bytes, table.Pos)
    return np.asarray(vector.ValuesAsNumpy(), np.int64)
