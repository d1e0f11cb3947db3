"""The formats of an export: a network to bytes, and these bytes to a function of tensors again.

Bytes are a stranger's: `program_check` looks at a program before torch loads it, weights are tensors alone,
and ONNX is a description without code that may name no other file.
"""

import importlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor
from torch.export import Dim, ExportedProgram

from engine.exporting.bundle import ExportError
from engine.exporting.program import EARLIER, SCORE, Program
from engine.exporting.program_check import checked_program

Call = Callable[[Sequence[Tensor]], list[Tensor]]
"""From the inputs of a program to its outputs, both in their order, on the CPU."""

_TALKATIVE = ("torch._export", "torch._export.serde.serialize", "torch.onnx", "onnxscript", "onnx_ir")
_EXTRA = "install the extra: pip install 'euthymia[export]'"


def weights_to_bytes(weights: Mapping[str, Tensor]) -> bytes:
    """Weights in the format of safetensors, which holds tensors and no code."""
    content: bytes = save(
        {name: value.detach().cpu().contiguous().clone() for name, value in weights.items()}
    )
    return content


def weights_from_bytes(content: bytes) -> dict[str, Tensor]:
    """The weights by name.

    Raises:
        ExportError: They are not in this format.
    """
    try:
        found: dict[str, Tensor] = load(content)
    except SafetensorError as error:
        raise ExportError(f"its weights are not in the format of safetensors ({error})") from error
    return found


def traced(program: Program, batch: Mapping[str, Tensor]) -> ExportedProgram:
    """The graph of a program for batches of any size, without paths of this machine.

    Args:
        program: In evaluation mode, on the CPU.
        batch: Made up, never real: torch keeps it in the file as an example.

    Raises:
        ExportError: torch cannot trace this network.
    """
    size = Dim("batch", min=1)  # traced with more, run with any
    pairs = (EARLIER, SCORE)
    axes = tuple({0: size, 1: size} if name in pairs else {0: size} for name in program.inputs)
    given = tuple(batch[name] for name in program.inputs)
    try:
        with torch.no_grad(), _quietly():
            found = torch.export.export(program, given, dynamic_shapes=(axes,), strict=True)
    except Exception as error:  # whatever a network does that torch cannot follow
        raise ExportError(
            "torch cannot turn this network into a program, as its steps depend on its input (packed "
            "sequences do), or as it is not meant for batches of any size. Export its weights alone, with "
            "format=safetensors, or train with another model/trunk, such as tcn or state_space in the place "
            f"of lstm. torch says: {str(error).strip().splitlines()[0][:300]}"
        ) from error
    for node in found.graph.nodes:
        node.meta.pop("stack_trace", None)
    found._guards_code = []  # texts that torch would run as Python; it checks the shapes without them, too
    return found


def program_to_bytes(found: ExportedProgram) -> bytes:
    """A traced program as torch saves it (`.pt2`).

    Raises:
        ExportError: It holds more than operators of torch and tensors.
    """
    buffer = io.BytesIO()
    torch.export.save(found, buffer)
    return checked_program(buffer.getvalue())


def program_from_bytes(content: bytes) -> Call:
    """A saved program as a function, once it has been looked at.

    Raises:
        ExportError: It holds more than operators of torch and tensors, or is of another version of torch.
    """
    checked = checked_program(content)
    try:
        with _quietly():
            module = torch.export.load(io.BytesIO(checked)).module(check_guards=False)
    except Exception as error:  # of another version of torch, most of all
        raise ExportError(
            f"this torch, {torch.__version__}, cannot load the program ({type(error).__name__}: "
            f"{str(error)[:200]}). Its certificate names the version that wrote it"
        ) from error

    def call(given: Sequence[Tensor]) -> list[Tensor]:
        return list(module(*given))

    return call


def onnx_to_bytes(found: ExportedProgram, *, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    """A traced program in ONNX, with its inputs and outputs by name.

    Raises:
        ExportError: The extra is missing, ONNX has no such operator, or it takes more than 2 GB.
    """
    _library("onnxscript")
    onnx = _library("onnx")
    try:
        with _quietly():
            written = torch.onnx.export(
                found, input_names=[*inputs], output_names=[*outputs], dynamo=True, verbose=False
            )
            assert written is not None
            model = written.model_proto
    except Exception as error:  # whatever onnxscript has no word for
        raise ExportError(
            f"this network cannot be written in ONNX ({type(error).__name__}: {str(error)[:300]}). Export it "
            "with format=torch_export, or its weights with format=safetensors"
        ) from error
    if model.ByteSize() >= onnx.checker.MAXIMUM_PROTOBUF:
        raise ExportError(
            f"the network takes {model.ByteSize()} bytes, and one file of ONNX holds at most "
            f"{onnx.checker.MAXIMUM_PROTOBUF}: export it with format=torch_export"
        )
    for one in _nodes(model):
        del one.metadata_props[:]  # where in the code it stood, by paths of this machine
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def onnx_from_bytes(content: bytes, *, inputs: Sequence[str], outputs: Sequence[str]) -> Call:
    """A network in ONNX as a function, on the CPU.

    Raises:
        ExportError: The extra is missing, it is no network of these inputs, or names another file.
    """
    onnx, runtime = _library("onnx"), _library("onnxruntime")
    try:
        model = onnx.load_model_from_string(content)
        if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in _tensors(model)):
            raise ExportError("its network names another file for its weights, which is never opened")
        settings = runtime.SessionOptions()
        settings.intra_op_num_threads = torch.get_num_threads()
        session = runtime.InferenceSession(content, settings, providers=["CPUExecutionProvider"])
    except ExportError:
        raise
    except Exception as error:  # the runtime has classes of its own for each fault
        raise ExportError(f"its network is no ONNX that runs here ({str(error)[:200]})") from error
    if [one.name for one in session.get_inputs()] != [*inputs]:
        raise ExportError(f"its network takes {[one.name for one in session.get_inputs()]}, not {[*inputs]}")

    def call(given: Sequence[Tensor]) -> list[Tensor]:
        fed = {name: value.numpy() for name, value in zip(inputs, given, strict=True)}
        return [torch.from_numpy(value) for value in session.run([*outputs], fed)]

    return call


@contextmanager
def _quietly() -> Iterator[None]:
    """Without what torch and onnxscript remark on their own steps."""
    before = {name: logging.getLogger(name).level for name in _TALKATIVE}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for name in before:
                logging.getLogger(name).setLevel(logging.ERROR)
            yield
        finally:
            for name, level in before.items():
                logging.getLogger(name).setLevel(level)


def _nodes(model: Any) -> Iterator[Any]:
    """All nodes of a model of ONNX, those of its functions and branches among them."""
    queue = [model.graph, *model.functions]
    while queue:
        for node in queue.pop().node:
            yield node
            for own in node.attribute:
                queue += [*([own.g] if own.HasField("g") else []), *own.graphs]


def _tensors(model: Any) -> Iterator[Any]:
    """All tensors of a model of ONNX."""
    yield from model.graph.initializer
    for sparse in model.graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in _nodes(model):
        for own in node.attribute:
            yield from own.tensors
            yield own.t
            for graph in (own.g, *own.graphs):
                yield from graph.initializer


def _library(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ExportError(f"format=onnx needs {name}, which is not installed: {_EXTRA}") from error
