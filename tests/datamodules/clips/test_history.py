import numpy as np
import torch

from datamodules.clips.collate import keep_rows
from datamodules.clips.history import VisitFacts, history

NAN = float("nan")


def by_hand(subject, facts):
    """The rule of docs/guide/protocols.md, pair by pair."""
    size = len(facts)
    earlier, score = np.zeros((size, size), dtype=bool), np.full((size, size), np.nan, dtype=np.float32)
    for i, mine in enumerate(facts):
        for j, other in enumerate(facts):
            if subject[i] == subject[j] >= 0 and other.known and other.place < mine.place:
                earlier[i, j], score[i, j] = True, other.score
    return earlier, score


def test_a_row_knows_the_earlier_known_visits_of_its_person_alone():
    rng = np.random.default_rng(0)
    subject = rng.integers(-2, 4, size=40)
    facts = [
        VisitFacts(float(place) if place < 4 else NAN, bool(place < 3), float(value) if value > 8 else NAN)
        for place, value in zip(rng.integers(0, 5, size=40), rng.integers(0, 60, size=40), strict=True)
    ]
    found = history(torch.from_numpy(subject), facts)
    earlier, score = by_hand(subject, facts)
    assert earlier.sum() > 30
    assert np.isnan(score[earlier]).any()  # a known visit may lack its score
    np.testing.assert_array_equal(found["earlier"].numpy(), earlier)
    np.testing.assert_array_equal(found["score"].numpy(), score)
    assert found["score"].dtype == torch.float32


def test_rows_leave_a_history_on_both_sides():
    facts = [VisitFacts(float(place), True, 10.0 * place) for place in range(4)]
    batch = {
        "row": torch.arange(4),
        "errors": [],
        "history": history(torch.zeros(4, dtype=torch.int64), facts),
    }
    kept = keep_rows(batch, [3, 1])
    assert kept["history"]["earlier"].tolist() == [[False, True], [False, False]]
    np.testing.assert_array_equal(kept["history"]["score"].numpy(), [[NAN, 10.0], [NAN, NAN]])
