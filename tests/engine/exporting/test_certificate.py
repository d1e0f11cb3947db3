"""What counts as the same prediction: seven digits are all that float32 has."""

from types import SimpleNamespace

import pytest
import torch

from engine.exporting.bundle import ExportError
from engine.exporting.certificate import certificate_of


@pytest.mark.parametrize(
    ("difference", "largest", "passes"),
    [
        (9e-6, 0.5, True),
        (1.1e-5, 0.5, False),
        (3e-5, 30.0, True),
        (4e-4, 30.0, False),
        (float("nan"), 30.0, False),
    ],
)
def test_points_may_differ_by_a_part_of_the_largest_and_probabilities_by_the_bare_limit(
    difference, largest, passes, tmp_path
):
    checkpoint = SimpleNamespace(path=tmp_path / "best.ckpt", state_dict={"a": torch.zeros(1)}, weights=None)
    found = {"made_up": {"largest_difference": {"score": difference}, "largest_value": {"score": largest}}}
    if passes:
        assert certificate_of(checkpoint, "onnx", found)["parity"] == found
        return
    with pytest.raises(ExportError, match=r"format=onnx: on made_up, score is .* not exported"):
        certificate_of(checkpoint, "onnx", found)
