from pathlib import Path

import pytest

from datamodules.sources.shared.daic import Participant, agreed_labels
from datamodules.sources.shared.draft import Draft


@pytest.mark.parametrize("keep_binary", [False, True])
@pytest.mark.parametrize(
    ("score", "binary", "expected"),
    [(10, 0, True), (9, 1, True), (10, 1, False), (9, 0, False), (None, 1, False), (10, None, False)],
)
def test_a_label_contradicts_a_total_on_the_other_side_of_ten(score, binary, expected, keep_binary):
    draft = Draft(name="corpus", root=Path("root"))
    person = Participant(number="300", split="train", sex="F", score=score, binary=binary)
    labels = agreed_labels(person, draft, rule="label_300", keep_binary=keep_binary)
    assert [erratum.rule for erratum in draft.errata] == ["label_300"] * expected
    kept = None if expected and keep_binary else score
    assert labels == {"score": kept, "binary": binary if kept is None else None}
