"""An exported program in the place of a network, with a function that stands for the program."""

import pytest
import torch

from engine.exporting.bundle import ExportError
from engine.exporting.exported import ExportedNetwork, task_of

BATCH = {
    "series": torch.ones(3, 4, 2),
    "mask": torch.ones(3, 4, dtype=torch.bool),
    "subject": torch.tensor([0, 0, 1]),
    "row": torch.tensor([0, 1, 2]),
    "visit": torch.tensor([0, 1, 0]),
    "clip": torch.zeros(3, dtype=torch.int64),
    "scored": torch.tensor([True, True, False]),
    "recording_id": ["a", "b", "c"],
    "subject_id": ["p", "p", "q"],
    "session_id": ["1", "2", "1"],
}
OUTPUTS = ("score", "binary", "context_available", "embedding", "attention")


@pytest.fixture
def network():
    """An exported network, and what its program was given: `network(*inputs)`."""

    def build(*inputs):
        seen = []

        def call(given):
            seen.append(dict(zip(inputs, given, strict=True)))
            row = torch.arange(3.0)
            known = torch.tensor([True, True, False])
            return [row, row / 10, known, torch.zeros(3, 5), torch.full((3, 4), 0.25)]

        return ExportedNetwork(call, inputs=inputs, outputs=OUTPUTS), seen

    return build


def test_a_program_is_fed_by_name_and_its_answers_are_the_predictions_of_the_task(network):
    exported, seen = network("mask", "series", "row", "subject")
    found = task_of(exported).predict_step(dict(BATCH))
    assert all(seen[0][name] is not None and torch.equal(seen[0][name], BATCH[name]) for name in seen[0])
    assert found["score"].tolist() == [0.0, 1.0]  # of the scored rows, as they came
    assert found["binary"].tolist() == pytest.approx([0.0, 0.1])
    assert found["context_available"].tolist() == [True, True]
    assert found["attention"].shape == (2, 4)
    assert found["recording_id"] == ["a", "b"]


def test_known_visits_go_to_a_program_that_asks_for_them(network):
    exported, seen = network("series", "mask", "subject", "visit", "history.earlier", "history.score")
    history = {"earlier": torch.eye(3, dtype=torch.bool), "score": torch.rand(3, 3)}
    exported({**BATCH, "history": history})
    assert torch.equal(seen[0]["history.earlier"], history["earlier"])
    assert torch.equal(seen[0]["history.score"], history["score"])


def test_without_known_visits_no_score_is_told(network):
    exported, seen = network("series", "mask", "subject", "visit", "history.earlier", "history.score")
    exported(dict(BATCH))
    assert not seen[0]["history.earlier"].any()
    assert seen[0]["history.score"].isnan().all()
    assert exported.needs_history


def test_without_known_visits_a_context_of_recordings_sees_all_others(network):
    exported, seen = network("series", "mask", "subject", "row", "history.earlier")
    exported(dict(BATCH))
    assert seen[0]["history.earlier"].all()
    assert not exported.needs_history


def test_a_program_that_cannot_tell_earlier_visits_from_later_ones_does_not_answer_where_it_should(network):
    exported, _ = network("series", "mask", "subject", "row")
    history = {"earlier": torch.eye(3, dtype=torch.bool), "score": torch.rand(3, 3)}
    with pytest.raises(ExportError, match="look at later ones"):
        exported({**BATCH, "history": history})
    alone, _ = network("series", "mask")  # reads nobody's visits
    alone({**BATCH, "history": history})
