import numpy as np
import pytest

from datamodules.series.events import find_events


def triangle(rise, fall, peak, rows):
    """0 at the first row, up by `peak` in `rise` rows, down in `fall`, then 0."""
    return np.interp(np.arange(rows), [0, rise, rise + fall], [0, peak, 0])


def test_events_of_a_signal_drawn_by_hand():
    # 10 rows/s. Up to 4 in 1 s, down in 2 s; then up to 2 in 0.2 s, down in 0.4 s.
    x = np.concatenate([triangle(10, 20, 4.0, 40), triangle(2, 4, 2.0, 20)])
    events = find_events(x, np.ones(60, dtype=bool), np.arange(60) / 10)
    assert [event.start_s for event in events] == [0.2, 4.1]  # x is 0.8, 1.0 there: at or above 0.5
    assert [event.duration_s for event in events] == pytest.approx([2.6, 0.5])
    assert [event.rows for event in events] == [slice(2, 28), slice(41, 46)]
    assert [event.onset for event in events] == pytest.approx([4.0, 10.0])
    assert [event.offset for event in events] == pytest.approx([2.0, 5.0])


def test_hysteresis_does_not_split_an_event_and_ignores_what_stays_small():
    x = np.array([0, 1.2, 0.6, 1.3, 0, 0.9, 0, 0.7, 0.7, 0])
    events = find_events(x, np.ones(10, dtype=bool), np.arange(10.0))
    assert [(event.start_s, event.duration_s) for event in events] == [(1.0, 3.0)]
    assert len(find_events(x, np.ones(10, dtype=bool), np.arange(10.0), low=1.0, high=1.0)) == 2
    with pytest.raises(ValueError, match=r"high=0.5 must not be below low=1"):
        find_events(x, np.ones(10, dtype=bool), np.arange(10.0), low=1.0, high=0.5)


def test_a_plateau_belongs_to_neither_speed():
    x = np.array([0.0, 2, 4, 4, 4, 4, 2, 0])
    (event,) = find_events(x, np.ones(8, dtype=bool), np.arange(8.0))
    assert (event.onset, event.offset, event.duration_s) == (2.0, 2.0, 6.0)


def test_a_gap_ends_an_event_and_what_is_not_seen_is_left_out():
    x = np.array([0, 2, 3, 3, 3, 2, 0, 0], dtype=float)
    valid = np.array([1, 1, 1, 0, 1, 1, 1, 1], dtype=bool)
    first, second = find_events(x, valid, np.arange(8.0))
    assert (first.onset, first.offset, first.duration_s) == (1.5, None, None)
    assert (second.onset, second.duration_s) == (None, None)
    assert second.offset == pytest.approx(1.5)  # from 3 at row 4 to 0 at row 6
