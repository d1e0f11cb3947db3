import numpy as np
import pytest
import torch
from torch.nn import functional as F

from preprocessing.faces.tflite.file import TfliteFile, UnreadableGraph, densify
from preprocessing.faces.tflite.graph import DepthToSpace, load_graph, same_padding

DETECTOR, MESH, IRIS = (
    "face_detection_full_range_sparse.tflite",
    "face_landmark.tflite",
    "iris_landmark.tflite",
)
RELATIVE = 1e-5  # of the largest number in an output; measured: 1.5e-6


def litert(path, images):
    """Outputs of a batch by the reference runtime, one image at a time."""
    from ai_edge_litert.interpreter import Interpreter

    network = Interpreter(str(path), num_threads=1)
    network.allocate_tensors()
    answers = []
    for image in images:
        network.set_tensor(network.get_input_details()[0]["index"], image[None])
        network.invoke()
        answers.append([network.get_tensor(one["index"])[0] for one in network.get_output_details()])
    return [np.stack(values) for values in zip(*answers, strict=True)]


def pictures(side):
    """Noise of both ranges, and a photograph, whole and its face."""
    import cv2
    from skimage.data import astronaut

    rng = np.random.default_rng(0)
    photograph = astronaut()
    crops = [photograph, photograph[40:200, 140:300]]
    seen = [cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA) / 255 for crop in crops]
    noise = [rng.uniform(-1, 1, (side, side, 3)), rng.uniform(0, 1, (side, side, 3))]
    return np.stack([*seen, *noise]).astype(np.float32)


@pytest.mark.parametrize(("name", "side"), [(DETECTOR, 192), (MESH, 192), (IRIS, 64)])
def test_equals_the_reference_runtime(face_models, name, side):
    images = pictures(side)
    with torch.inference_mode():
        ours = load_graph(face_models / name)(torch.from_numpy(images))
    for mine, theirs in zip(ours, litert(face_models / name, images), strict=True):
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(mine, theirs, atol=RELATIVE * np.abs(theirs).max(), rtol=0)


def test_batches_and_half_precision(face_models):
    graph = load_graph(face_models / MESH)
    images = torch.from_numpy(pictures(192))
    with torch.inference_mode():
        whole, _ = graph(images)
        one, _ = graph(images[1:2])
        half, _ = graph.bfloat16()(images[:2].bfloat16())
    torch.testing.assert_close(one, whole[1:2], atol=1e-3, rtol=0)  # pixels of 192
    assert (half.float() - whole[:2]).abs().median() < 1.0


@pytest.mark.slow
def test_traces_without_a_break(face_models):
    graph = load_graph(face_models / IRIS)
    images = torch.from_numpy(pictures(64))
    compiled = torch.compile(graph, backend="eager", fullgraph=True, dynamic=True)
    with torch.inference_mode():
        for batch in (2, 3):
            torch.testing.assert_close(compiled(images[:batch]), graph(images[:batch]))


def test_unknown_operations_are_named(face_models, tmp_path):
    """PRELU of a real file is renumbered to an operation that no face network uses, COS, by its one byte."""
    import tflite

    held = bytearray((face_models / MESH).read_bytes())
    model = tflite.Model.GetRootAs(held, 0)
    for place in range(model.OperatorCodesLength()):
        code = model.OperatorCodes(place)
        if code.DeprecatedBuiltinCode() == tflite.BuiltinOperator.PRELU:
            table = code._tab
            for slot in (4, 10):  # both fields that hold the number
                if offset := table.Offset(slot):
                    held[table.Pos + offset] = tflite.BuiltinOperator.COS
    (tmp_path / "cos.tflite").write_bytes(held)
    with pytest.raises(UnreadableGraph, match=r"cos\.tflite: no torch module for operation COS"):
        load_graph(tmp_path / "cos.tflite")


def test_files_that_are_none(tmp_path):
    with pytest.raises(UnreadableGraph, match=r"none\.tflite: No such file.*preprocessing\.models"):
        load_graph(tmp_path / "none.tflite")
    (tmp_path / "page.tflite").write_text("<html>not found</html>")
    with pytest.raises(UnreadableGraph, match=r"not a \.tflite file"):
        load_graph(tmp_path / "page.tflite")


def test_sparse_weights_are_dense(face_models):
    """Every fourth number or so of the detector's sparse weights is stored, and the others are 0."""
    file = TfliteFile(face_models / DETECTOR)
    kernels = [held for held in file.constants.values() if held.ndim == 4 and held.shape[0] > 16]
    zeros = [np.mean(kernel == 0) for kernel in kernels]
    assert max(zeros) > 0.5
    assert all(kernel.dtype == np.float32 and kernel.any() for kernel in kernels)


class Level:
    """One level as the schema's accessors show it."""

    def __init__(self, size=0, starts=None, listed=None):
        self.size, self.starts, self.listed = size, starts, listed

    def Format(self):
        return int(self.starts is not None)

    def DenseSize(self):
        return self.size


class Sparsity:
    def __init__(self, order, blocks, levels):
        self.order, self.blocks, self.levels = order, blocks, levels

    def TraversalOrderAsNumpy(self):
        return np.array(self.order)

    def BlockMapAsNumpy(self):
        return np.array(self.blocks)

    def DimMetadata(self, level):
        return self.levels[level]


def test_densify_blocks(monkeypatch):
    """Blocks of 2 x 2 in a 4 x 4 matrix, rows compressed: the example that TACO's format describes."""
    monkeypatch.setattr(
        "preprocessing.faces.tflite.file._vector",
        lambda held, what: np.array(held.starts if what == "ArraySegments" else held.listed),
    )
    sparse = Sparsity(
        [0, 1, 2, 3], [0, 1], [Level(2), Level(starts=[0, 1, 3], listed=[1, 0, 1]), Level(2), Level(2)]
    )
    dense = densify(np.arange(1.0, 13.0), (4, 4), sparse)
    expected = np.block(
        [
            [np.zeros((2, 2)), np.array([[1, 2], [3, 4]])],
            [np.array([[5, 6], [7, 8]]), np.array([[9, 10], [11, 12]])],
        ]
    )
    np.testing.assert_array_equal(dense, expected)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation", "pads"),
    [
        (192, 3, 2, 1, (0, 1)), (191, 3, 2, 1, (1, 1)), (5, 2, 2, 1, (0, 1)),
        (8, 3, 1, 2, (2, 2)), (6, 2, 3, 1, (0, 0)),
    ],
)  # fmt: skip
def test_same_padding_puts_the_odd_zero_behind(size, kernel, stride, dilation, pads):
    assert same_padding(size, kernel, stride, dilation) == pads
    padded = size + sum(pads)
    assert (padded - (kernel - 1) * dilation - 1) // stride + 1 == -(-size // stride)


def test_depth_to_space_counts_channels_fastest():
    """Where each block has one channel it is torch's pixel shuffle; with more the channel varies fastest."""
    x = torch.arange(2 * 4 * 3 * 5.0).reshape(2, 4, 3, 5)
    torch.testing.assert_close(DepthToSpace(2)(x), F.pixel_shuffle(x, 2))
    y = torch.arange(8.0).reshape(1, 8, 1, 1)
    assert DepthToSpace(2)(y)[0, :, 0, 1].tolist() == [2.0, 3.0]
