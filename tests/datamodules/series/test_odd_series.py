"""Odd files of features that are read, each with what is right about it.

A file in which nothing was measured is no error of the reader: who trains or scores leaves it out and tells.
"""

import numpy as np
import pytest

from datamodules.series import read_series
from datamodules.series.formats.openface import ORDER
from tests.datamodules.series.files import (
    CLOCK,
    OPENFACE,
    ROWS,
    TABLE,
    array,
    cells,
    csv,
    fex,
    libreface,
    line,
    mediapipe,
    npz,
    openface,
    parquet,
    plain,
    text,
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def measured(series) -> None:
    assert series.valid.all()


def unmeasured(series) -> None:
    assert not series.valid.any()
    assert not series.values.any()


def only_units(series) -> None:
    """No clock, row number or quality is a channel."""
    assert series.channels == ("au04", "au12")


def rate(fps: float, within: float = 1e-3):
    def check(series) -> None:
        assert series.fps == pytest.approx(fps, rel=within)

    return check


def own_rows(series) -> None:
    assert (len(series.values), series.valid.all(), len(series.notes)) == (ROWS, True, 1)
    assert "part of a longer table" in series.notes[0]


def noted(word: str):
    def check(series) -> None:
        assert any(word in note for note in series.notes)

    return check


def lost(*rows: int):
    def check(series) -> None:
        assert np.flatnonzero(~series.valid).tolist() == list(rows)

    return check


HALF = (1 + np.random.default_rng(0).random((ROWS, 2))).astype(np.float16)
NO_FACE = TABLE.replace("0.98, 1,", "0.10, 0,")
READ = {
    # no measurement at all is no error of the reader: who scores recordings leaves these out
    "success 0 in every row": (text("s.csv", NO_FACE), unmeasured),
    "confidence 0 in every row": (text("s.csv", TABLE.replace("0.98, 1,", "0.0, 1,")), unmeasured),
    "all numbers lost": (text("s.csv", cells("-1.#IND, nan")), unmeasured),
    "all zeros without a word on quality": (csv(plain() * 0), unmeasured),
    "all zeros in an archive": (npz(values=np.zeros((ROWS, 2))), unmeasured),
    "valid is false": (npz(valid=np.zeros(ROWS, bool)), unmeasured),
    "empty cells only": (csv(plain() * np.nan), unmeasured),
    "landmarks of nobody": (array(np.zeros((ROWS, 136)), "1_visual.npy"), unmeasured),
    "MPDD of nobody": (array(np.zeros((ROWS, len(ORDER) - 5))), unmeasured),
    "py-feat's FaceScore is empty": (csv(fex(FaceScore=np.nan)), unmeasured),
    "py-feat's FaceScore is 0": (csv(fex(FaceScore=0.0)), unmeasured),
    "py-feat found nothing at all": (csv(fex(FaceScore=np.nan, AU01=np.nan)), unmeasured),
    "mediapipe found nothing": (csv(mediapipe() * np.nan), unmeasured),
    # zeros that a column of quality vouches for are measurements
    "a face that does not move": (text("s.csv", cells("0, 0")), measured),
    # clocks that tell something
    "time 0 in every row, as for pictures": (text("s.csv", openface(time=lambda i: 0.0)), rate(30)),
    "libreface without a clock": (csv(libreface(0.0)), rate(30)),
    "milliseconds under their name": (csv(plain(timestamp_ms=40.0 * CLOCK)), rate(25)),
    "milliseconds in OpenFace": (
        text("s.csv", openface(head=OPENFACE.replace("timestamp", "timestamp_ms"), time=lambda i: 40 * i)),
        rate(25),
    ),
    "1 row a second": (csv(plain(timestamp=CLOCK)), rate(1)),
    "240 rows a second": (csv(plain(timestamp=np.round(CLOCK / 240, 3))), rate(240, 0.01)),
    "every 60th frame": (csv(plain(frame=60 * CLOCK, timestamp=2.0 * CLOCK)), rate(0.5)),
    "twice the manifest's rate": (csv(plain(timestamp=CLOCK / 60)), noted("says 30")),
    "an archive of another rate": (npz(fps=60.0), noted("says 30")),
    "a rate within rounding": (csv(plain(timestamp=CLOCK / 29.97)), lambda series: series.notes == ()),
    "a part of a longer table": (
        text("s.csv", openface(frame=lambda i: 5001 + i, time=lambda i: (5000 + i) / 30)),
        own_rows,
    ),
    "a late face": (
        text("s.csv", openface(600, frame=lambda i: 301 + i, time=lambda i: (300 + i) / 30)),
        noted("300 frames before it"),
    ),
    # what is no channel
    "pandas' row number": (csv(plain().assign(**{"Unnamed: 0": CLOCK})), only_units),
    "pandas' row number again": (
        csv(plain().assign(**{"Unnamed: 0.1": CLOCK, "Unnamed: 0": CLOCK})),
        only_units,
    ),
    "index": (csv(plain(index=CLOCK)), only_units),
    "no name": (text("s.csv", plain().to_csv()), only_units),
    "pandas' index in parquet": (parquet(plain().iloc[::-1], index=True), only_units),
    "capitals": (csv(plain(Frame=CLOCK, Timestamp=CLOCK / 30, Confidence=1.0, Success=1)), only_units),
    "blanks and capitals": (
        csv(plain(**{" FRAME ": CLOCK, "Face ID": 0, "TIMESTAMP": CLOCK / 30})),
        only_units,
    ),
    "clocks of other names": (csv(plain(time_s=CLOCK / 30, ms=CLOCK / 0.03, Seconds=CLOCK)), only_units),
    "a counter of any name": (csv(plain(laufnummer=CLOCK + 7)), only_units),
    "a counter down": (csv(plain(left=ROWS - CLOCK)), only_units),
    "a clock of any name": (csv(plain(zeit=np.round(CLOCK / 30, 3))), only_units),
    "a counter of any name beside gaps": (
        csv(plain(frame=CLOCK + CLOCK // 20, n=CLOCK + CLOCK // 20)),
        only_units,
    ),
    "quality in capitals loses rows": (csv(plain(Success=(CLOCK != 7).astype(int))), lost(7)),
    "a mark in capitals loses rows": (csv(plain(VALID=(CLOCK != 3).astype(int))), lost(3)),
    "text in success is no success": (csv(plain(success=["1"] * 4 + ["no"] + ["1"] * 35)), lost(4)),
    # cells that say that there is no number
    "C's and R's words for nothing": (
        text("s.csv", line(line(TABLE, 3, "4,0,.1,.98,1,-nan(ind),1"), 5, "6,0,.167,.98,1,NA,1")),
        lost(3, 5),
    ),
    "infinity of an extractor": (text("s.csv", line(TABLE, 3, "4,0,.1,.98,1,inf,1")), lost(3)),
    "a byte order mark": (text("s.csv", b"\xef\xbb\xbf" + TABLE.encode()), measured),
    "line ends of Windows": (text("s.csv", TABLE.replace("\n", "\r\n")), measured),
    "no line end at the end": (text("s.csv", TABLE.rstrip("\n")), measured),
    "half floats": (npz(values=HALF), measured),
}


@pytest.mark.parametrize("case", READ)
def test_odd_series_are_read_for_what_they_are(tmp_path, case):
    write, right = READ[case]
    right(read_series(write(tmp_path), channels=None, fps=30.0))
