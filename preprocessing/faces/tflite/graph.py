"""TFLite graphs as torch modules with a free batch axis.

Images go in, and tensors of rank 4 come out, as `(B, H, W, C)`, as in the file. In between they are
`(B, C, H, W)` in the memory format channels-last, so the order in memory stays that of the file.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from preprocessing.faces.tflite.file import Operation, TfliteFile, UnreadableGraph

_PLACES = (0, 2, 3, 1)  # place in (B, C, H, W) of each axis of (B, H, W, C)
_SAME = 0  # padding in the schema; 1 is VALID
_ACTIVATIONS: dict[int, Callable[[], nn.Module] | None] = {0: None, 1: nn.ReLU, 3: nn.ReLU6}


def load_graph(path: Path) -> fx.GraphModule:
    """The graph of a .tflite file, in evaluation mode and without gradients.

    It takes the one input of the file `(B, H, W, C)` and returns a tuple of the outputs in its order, the
    batch first; it can be moved to a device, cast to half precision, and compiled.

    Raises:
        UnreadableGraph: A damaged file, or an operation that is not known here, by its name.
    """
    file = TfliteFile(path)
    if len(file.inputs) != 1:
        raise UnreadableGraph(f"{path}: the graph has {len(file.inputs)} inputs; 1 is read")
    root, graph = nn.Module(), fx.Graph()
    images = graph.placeholder("images")
    nodes = {file.inputs[0]: graph.call_method("permute", (images, 0, 3, 1, 2))}
    for place, operation in enumerate(file.operations):
        name = f"{operation.name.lower()}_{place}"
        taken = tuple(nodes[number] for number in operation.inputs if number in nodes)
        for step, module in enumerate(_modules(file, operation)):
            root.add_module(f"{name}_{step}", module)
            taken = (graph.call_module(f"{name}_{step}", taken),)
        (nodes[operation.output],) = taken
    graph.output(tuple(_as_stored(graph, file, nodes[number], number) for number in file.outputs))
    module = fx.GraphModule(root, graph).eval().requires_grad_(requires_grad=False)
    return module.to(memory_format=torch.channels_last)


def _as_stored(graph: fx.Graph, file: TfliteFile, node: fx.Node, number: int) -> fx.Node:
    return graph.call_method("permute", (node, 0, 2, 3, 1)) if len(file.shapes[number]) == 4 else node


def _modules(file: TfliteFile, operation: Operation) -> list[nn.Module]:
    """What an operation becomes: modules that follow each other."""
    if operation.name not in _OPERATIONS:
        raise UnreadableGraph(
            f"{file.path}: no torch module for operation {operation.name}; known are {', '.join(_OPERATIONS)}"
        )
    return _OPERATIONS[operation.name](file, operation)


def _activation(file: TfliteFile, operation: Operation) -> list[nn.Module]:
    """The activation that is part of an operation; none or one."""
    number = operation.options.FusedActivationFunction()
    if number not in _ACTIVATIONS:
        raise UnreadableGraph(f"{file.path}: {operation.name} has activation {number}; known are 0, 1, 3")
    activation = _ACTIVATIONS[number]
    return [] if activation is None else [activation()]


def same_padding(size: int, kernel: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """Zeros before and after an axis so that the output has ceil(size / stride); the odd one comes after."""
    extent = (kernel - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + extent - size, 0)
    return total // 2, total - total // 2


def _pads(
    file: TfliteFile, operation: Operation, kernel: tuple[int, int], dilation: tuple[int, int]
) -> list[int]:
    """Left, right, top, bottom, as torch counts them."""
    if operation.options.Padding() != _SAME:
        return [0, 0, 0, 0]
    _, height, width, _ = file.shapes[operation.inputs[0]]
    strides = operation.options.StrideH(), operation.options.StrideW()
    return [
        *same_padding(width, kernel[1], strides[1], dilation[1]),
        *same_padding(height, kernel[0], strides[0], dilation[0]),
    ]


def _convolution(file: TfliteFile, operation: Operation) -> list[nn.Module]:
    """Weights are `(out, h, w, in)`, or `(1, h, w, out)` where each channel has its own."""
    options, weights = operation.options, torch.from_numpy(file.constant(operation.inputs[1]).copy())
    is_depthwise = operation.name == "DEPTHWISE_CONV_2D"
    weights = weights.permute(3, 0, 1, 2) if is_depthwise else weights.permute(0, 3, 1, 2)
    channels, (height, width) = file.shapes[operation.inputs[0]][3], weights.shape[2:]
    dilation = options.DilationHFactor(), options.DilationWFactor()
    pads = _pads(file, operation, (height, width), dilation)
    is_even = pads[0] == pads[1] and pads[2] == pads[3]
    layer = nn.Conv2d(
        channels,
        weights.shape[0],
        (height, width),
        stride=(options.StrideH(), options.StrideW()),
        padding=(pads[2], pads[0]) if is_even else 0,
        dilation=dilation,
        groups=channels // weights.shape[1],
        bias=len(operation.inputs) > 2 and operation.inputs[2] >= 0,
    )
    layer.weight.data = weights
    if layer.bias is not None:
        layer.bias.data = torch.from_numpy(file.constant(operation.inputs[2]).copy())
    return [*([] if is_even else [Pad(pads)]), layer, *_activation(file, operation)]


def _max_pool(file: TfliteFile, operation: Operation) -> list[nn.Module]:
    options = operation.options
    kernel = options.FilterHeight(), options.FilterWidth()
    pads = _pads(file, operation, kernel, (1, 1))
    pool = nn.MaxPool2d(kernel, (options.StrideH(), options.StrideW()))
    return [*([Pad(pads, -torch.inf)] if any(pads) else []), pool, *_activation(file, operation)]


class Pad(nn.Module):
    """Constant padding of the last axes, as `torch.nn.functional.pad` counts them."""

    def __init__(self, pads: list[int], value: float = 0.0) -> None:
        super().__init__()
        self.pads, self.value = pads, value

    def forward(self, x: Tensor) -> Tensor:
        """Pad ``(B, C, H, W)``."""
        return F.pad(x, self.pads, value=self.value)


def _pad(file: TfliteFile, operation: Operation) -> list[nn.Module]:
    batch, height, width, channels = file.constant(operation.inputs[1]).reshape(4, 2).tolist()
    if any(batch):
        raise UnreadableGraph(f"{file.path}: PAD of {batch} along the batch, which is free here")
    return [Pad([*width, *height, *channels])]


def _prelu(file: TfliteFile, operation: Operation) -> list[nn.Module]:
    """One slope a channel; the schema's shape is that of an image, 1 where it is shared."""
    slopes = file.constant(operation.inputs[1])
    if slopes.size != slopes.shape[-1]:
        raise UnreadableGraph(f"{file.path}: slopes {slopes.shape} of PRELU; read is one a channel")
    layer = nn.PReLU(slopes.size)
    layer.weight.data = torch.from_numpy(slopes.reshape(-1).copy())
    return [layer]


class Add(nn.Module):
    """Sum of two tensors of one shape."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Add them."""
        return x + y


def _add(file: TfliteFile, operation: Operation) -> list[nn.Module]:
    one, other = (file.shapes[number] for number in operation.inputs)
    if one != other or any(number in file.constants for number in operation.inputs):
        raise UnreadableGraph(
            f"{file.path}: ADD of {one} and {other}; read are two computed ones of one shape"
        )
    return [Add(), *_activation(file, operation)]


class DepthToSpace(nn.Module):
    """Blocks of channels become blocks of pixels; the channel varies fastest within a block."""

    def __init__(self, block: int) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        """From ``(B, C n n, H, W)`` to ``(B, C, H n, W n)``, with `n` the side of a block."""
        batch, _, height, width = x.shape
        blocks = x.reshape(batch, self.block, self.block, -1, height, width).permute(0, 3, 4, 1, 5, 2)
        return blocks.reshape(batch, -1, height * self.block, width * self.block)


class Reshape(nn.Module):
    """Another shape of the same numbers in the order of the file; `shape` is without the batch."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        """Reshape; what has rank 4 is ``(B, C, H, W)`` before and after."""
        x = x.permute(0, 2, 3, 1) if x.ndim == 4 else x
        x = x.reshape(-1, *self.shape)
        return x.permute(0, 3, 1, 2) if x.ndim == 4 else x


class Concatenate(nn.Module):
    """Tensors one after the other along an axis."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, *parts: Tensor) -> Tensor:
        """Join them."""
        return torch.cat(parts, self.axis)


def _reshape(file: TfliteFile, operation: Operation) -> list[nn.Module]:
    before, after = file.shapes[operation.inputs[0]], file.shapes[operation.output]
    if (before[0], after[0]) != (1, 1):
        raise UnreadableGraph(f"{file.path}: RESHAPE of {before} to {after} mixes the batch with other axes")
    return [Reshape(after[1:])]


def _concatenate(file: TfliteFile, operation: Operation) -> list[nn.Module]:
    rank = len(file.shapes[operation.output])
    axis = operation.options.Axis() % rank
    if axis == 0 or operation.options.FusedActivationFunction():
        raise UnreadableGraph(f"{file.path}: CONCATENATION along axis {axis}, or with an activation")
    return [Concatenate(_PLACES[axis] if rank == 4 else axis)]


def _resize(file: TfliteFile, operation: Operation) -> list[nn.Module]:
    """Bilinear; torch has the two conventions that newer graphs use, and not the corner-based old one."""
    height, width = file.constant(operation.inputs[1]).tolist()
    corners, half_pixels = operation.options.AlignCorners(), operation.options.HalfPixelCenters()
    if corners == half_pixels:
        raise UnreadableGraph(
            f"{file.path}: RESIZE_BILINEAR with align_corners={corners}, half_pixel_centers={half_pixels}; "
            "read is exactly one of them"
        )
    return [nn.Upsample((height, width), mode="bilinear", align_corners=bool(corners))]


_OPERATIONS: dict[str, Callable[[TfliteFile, Operation], list[nn.Module]]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _convolution,
    "MAX_POOL_2D": _max_pool,
    "PAD": _pad,
    "PRELU": _prelu,
    "RELU": lambda *_: [nn.ReLU()],
    "ADD": _add,
    "DEPTH_TO_SPACE": lambda _, operation: [DepthToSpace(operation.options.BlockSize())],
    "RESHAPE": _reshape,
    "CONCATENATION": _concatenate,
    "RESIZE_BILINEAR": _resize,
}
