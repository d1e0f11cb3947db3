"""Bad files of features: each is refused with its file and a reason that says what to do."""

import gzip
import os

import numpy as np
import pandas as pd
import pytest

from datamodules.series import UnreadableSeries, channel_schema, read_series
from datamodules.series import table as tables
from datamodules.series.checks import file_size
from tests.datamodules.series.files import (
    CLOCK,
    OPENFACE,
    ROWS,
    TABLE,
    archive,
    array,
    clnf,
    csv,
    fex,
    libreface,
    line,
    mediapipe,
    npz,
    opendbm,
    openface,
    packed,
    parquet,
    place,
    plain,
    text,
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


REFUSED = {
    # clocks
    "a webm's 1000 frames/s": (text("s.csv", openface(time=lambda i: i / 1000)), r"1000 frames/s"),
    "300 frames/s": (text("s.csv", openface(1000, time=lambda i: i / 300)), r"300 frames/s.*240"),
    "milliseconds under timestamp": (text("s.csv", openface(time=lambda i: 33.3 * i)), "milliseconds"),
    "milliseconds in a plain table": (csv(plain(timestamp=40.0 * CLOCK)), "timestamp_ms"),
    "microseconds": (csv(plain(timestamp=40_000.0 * CLOCK)), "frames/s"),
    "hours": (csv(plain(timestamp=CLOCK / 25 / 3600)), "frames/s"),
    "mediapipe in seconds under timestamp_ms": (csv(mediapipe(timestamp_ms=CLOCK / 25)), "frames/s"),
    "mediapipe in milliseconds under timestamp": (csv(mediapipe(timestamp=40.0 * CLOCK)), "milliseconds"),
    "opendbm in milliseconds": (csv(opendbm(timestamp=40.0 * CLOCK)), "milliseconds"),
    "clnf at 1000 rows/s": (clnf(0.001), "1000 frames/s"),
    "clnf in milliseconds": (clnf(33.0), "milliseconds"),
    "libreface of no camera": (csv(libreface(2.0)), "neither in seconds nor in milliseconds"),
    "an archive's 1000 frames/s": (npz(fps=1000.0), r"'fps' gives 1000"),
    "an archive's negative rate": (npz(fps=-25.0), r"'fps' gives -25"),
    "an archive's rate that is no number": (npz(fps=np.nan), r"'fps' gives nan"),
    "an archive's rate in text": (npz(fps=np.array("25")), r"'fps' is <U2"),
    "an archive's list of rates": (npz(fps=np.full(ROWS, 25.0)), r"'fps' is .*\(40,\)"),
    "time goes back": (text("s.csv", line(TABLE, 9, "10, 0, 0.01, 0.98, 1, 1, 1")), "comes after"),
    "time repeats": (csv(plain(timestamp=np.r_[CLOCK[:20] / 25, CLOCK[:20] / 25])), "comes after"),
    "time stands still, not at 0": (csv(plain(timestamp=np.full(ROWS, 7.0))), "comes after"),
    "a time is missing": (csv(plain(timestamp=np.where(CLOCK == 5, np.nan, CLOCK / 25))), "no time in row 5"),
    "a time in the next year": (csv(plain(timestamp=np.r_[CLOCK[:-1] / 25, 3e7])), "correct the times"),
    # frame numbers
    "a frame number of a billion": (
        text("s.csv", line(TABLE, 39, "1000000000, 0, 1.3, .98, 1, 1, 1")),
        "frame",
    ),
    "frame numbers up to a billion": (
        csv(plain(frame=np.linspace(0, 1e9, ROWS).round() + CLOCK % 3)),
        "frames",
    ),
    "a frame number of 1e300": (csv(plain(frame=np.r_[CLOCK[:-1], 1e300])), "cannot be counted"),
    "frames run ahead of the clock": (
        text("s.csv", line(TABLE, 39, "9000, 0, 1.3, .98, 1, 1, 1")),
        "correct the frame numbers or the times",
    ),
    "half a frame": (csv(plain(frame=CLOCK + 0.5)), "not a whole number"),
    "a frame twice": (csv(plain(frame=np.r_[0, CLOCK[:-1]])), "comes after"),
    # text
    "zeros of a full disk": (text("s.csv", bytes(200_000)), "zero bytes"),
    "zeros at the end": (text("s.csv", TABLE.encode() + bytes(5_000)), "row 40 holds zero bytes"),
    "old Mac line ends": (text("s.csv", TABLE.replace("\n", "\r")), "old Macs"),
    "old Mac line ends inside": (text("s.csv", TABLE[:300] + TABLE[300:].replace("\n", "\r")), "old Macs"),
    "UTF-16": (text("s.csv", TABLE.encode("utf-16")), "UTF-16; save it as UTF-8"),
    "UTF-16, big end first": (text("s.csv", b"\xfe\xff" + TABLE.encode("utf-16-be")), "UTF-16"),
    "cp1252 in the header": (text("s.csv", "frame,M\xfcdigkeit\n1,2\n2,3\n".encode("cp1252")), "not UTF-8"),
    "cp1252 in a cell": (text("s.csv", "au01,mood\n1,m\xfcde\n2,x\n".encode("cp1252")), "s.csv"),
    "empty": (text("s.csv", ""), "empty, 0 bytes"),
    "header only": (text("s.csv", OPENFACE + "\n"), "no row, it is empty"),
    "one row": (text("s.csv", openface(1)), "one row"),
    "blanks only": (text("s.csv", "\n\n\n"), "no header"),
    "semicolons": (text("s.csv", plain().to_csv(index=False, sep=";")), "separate the columns by commas"),
    "tabs": (text("s.csv", plain().to_csv(index=False, sep="\t")), "separate the columns by commas"),
    "a cell too many": (text("s.csv", line(TABLE, 3, "4,0,.1,.98,1,1,1,9")), "row 3 has more cells"),
    "a cell too few": (text("s.csv", line(TABLE, 3, "4,0,.1,.98,1,1")), "row 3 has 6 cells and the header 7"),
    "cut in the last row": (text("s.csv", TABLE[:-20]), "row 39 has .* the file is cut there"),
    "commas for decimal points": (text("s.csv", line(TABLE, 3, "4,0,0,1,.98,1,1,1")), "decimal points"),
    "a quote that swallows rows": (text("s.csv", line(TABLE, 3, '4,0,.1,.98,1,"1,1')), "not closed"),
    "a column twice": (text("s.csv", openface(head=OPENFACE.replace("AU12_r", "AU01_r"))), "appears twice"),
    "frame and Frame": (csv(plain(frame=CLOCK, Frame=CLOCK)), "'frame' appears twice"),
    "a word among numbers": (text("s.csv", line(TABLE, 3, "4,0,.1,.98,1,high,1")), "'high' in row 3"),
    "words only": (csv(plain(mood=["fine"] * ROWS)), "'mood' holds no number"),
    "complex numbers": (csv(plain(wave=["1+2j"] * ROWS)), "'wave' holds no number"),
    "Arabic digits": (text("s.csv", line(TABLE, 3, "4,0,.1,.98,1,\u0661.\u0662,1")), "digits 0 to 9"),
    "wide digits": (csv(plain(x=["\uff11\uff12"] * ROWS)), "'x' holds no number"),
    "success in words": (csv(plain(success=["yes"] * ROWS)), "'success' holds no number"),
    # more of each kind
    "old Mac line ends, packed": (packed(TABLE.replace("\n", "\r").encode()), "old Macs"),
    "old Mac line ends in a corpus": (
        text("300_CLNF_AUs.txt", TABLE.replace("\n", "\r")),
        "old Macs",
    ),
    "old Mac line end in one row": (
        text("s.csv", line(TABLE, 3, "4,0,.1,.98,1,1,1\r5,0,.2,.98,1,1,1")),
        "Macs",
    ),
    "two cells too few": (text("s.csv", line(TABLE, 3, "4,0,.1,.98,1")), "row 3 has 5 cells"),
    "a quote in the header": (text("s.csv", TABLE.replace("AU01_r", '"AU01_r', 1)), "not closed|s.csv"),
    "Devanagari digits": (text("s.csv", line(TABLE, 3, "4,0,.1,.98,1,\u0967.\u0968,1")), "digits 0 to 9"),
    "one row in an archive": (npz(values=np.ones((1, 2))), "one row"),
    "one row in parquet": (parquet(plain(1)), "one row"),
    "one row of py-feat": (csv(fex(1)), "one row"),
    "one row of landmarks": (array(np.ones((1, 709))), "one row"),
    "one row, packed": (packed(openface(1).encode()), "one row"),
    "libreface frames up to a billion": (
        csv(libreface(1 / 30, np.r_[CLOCK[:-1], 1e9])),
        "correct the frame numbers",
    ),
    "py-feat frames up to a billion": (csv(fex(frame=np.r_[CLOCK[:-1], 1e9])), "correct the frame numbers"),
    "frames at an end": (text("s.csv", line(TABLE, 39, "20000000, 0, 9e5, .98, 1, 1, 1")), "frame|times"),
    # packed files
    "cut gzip": (text("s.csv.gz", gzip.compress(TABLE.encode())[:-40]), "copy or extract it again"),
    "text called gzip": (text("s.csv.gz", TABLE), "not a readable series"),
    "cut archive": (text("s.npz", b"PK\x03\x04" + bytes(90)), "not a readable series"),
    "an archive without channels": (npz(channels=None), "channels"),
    "an archive without values": (npz(values=None), "values"),
    "a member that is no array": (archive(b"not an array"), "s.npz"),
    "a pickled array": (array(np.array([{"a": 1}], dtype=object), pickled=True), "not a readable series"),
    "pickled values": (npz(values=np.array([[object()]], dtype=object)), "s.npz"),
    "an array of a header of junk": (
        text("001_A_1.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': ((((((\n"),
        "npy",
    ),
    "text as values": (npz(values=np.full((ROWS, 2), "1.5")), "values are <U3"),
    "complex values": (npz(values=np.full((ROWS, 2), 1 + 2j)), "values are complex128"),
    "dates as values": (npz(values=np.full((ROWS, 2), "2020-01-01", "M8[D]")), "values are datetime64"),
    "values of three axes": (npz(values=np.ones((ROWS, 2, 3))), "do not match"),
    "one value": (npz(values=np.float32(3)), "s.npz"),
    "channels too few": (npz(channels=np.array(["au04"])), "do not match"),
    "channels as numbers": (npz(channels=np.arange(2)), "store names, one a column"),
    "a channel twice": (npz(channels=np.array(["au04", "au04"])), "'au04' appears twice"),
    "valid of another length": (npz(valid=np.ones(7, bool)), "do not match"),
    "valid as a matrix": (npz(valid=np.ones((ROWS, 2), bool)), "'valid' is bool"),
    "valid as text": (npz(valid=np.full(ROWS, "False")), "'valid' is <U5"),
    "valid that is no number": (npz(valid=np.full(ROWS, np.nan)), "'valid' is float64"),
    "NaN in a valid row": (
        npz(values=np.where(CLOCK[:, None] == 3, np.nan, np.ones((ROWS, 2)))),
        "nan in row 3",
    ),
    "infinity in a valid row": (
        npz(values=np.where(CLOCK[:, None] == 3, np.inf, np.ones((ROWS, 2)))),
        "inf in row 3",
    ),
    "complex landmarks": (array(np.ones((5, 709), complex)), "values are complex128"),
    "an array of another width": (array(np.ones((5, 100))), "write it as .npz"),
    "a flat array": (array(np.ones(709)), "write it as .npz"),
    "parquet cut": (text("s.parquet", b"PAR1" + bytes(80)), "not a readable series"),
    "dates in parquet": (parquet(plain(day=pd.Timestamp("2020-01-01"))), "'day' holds no number"),
    # what is no file
    "a folder": (place(lambda path: path.mkdir()), "is not a file"),
    "a pipe": (place(os.mkfifo), "is not a file"),
    "a link to itself": (place(lambda path: path.symlink_to(path)), "correct its path"),
    "a link to nothing": (place(lambda path: path.symlink_to(path.with_name("gone"))), "no such series file"),
    "a name too long": (lambda folder: folder / ("x" * 300 + ".csv"), "correct its path"),
    "a name with a zero": (lambda folder: folder / "a\0.csv", "correct its path"),
    "below a file": (lambda folder: text("a.csv", TABLE)(folder) / "s.csv", "correct its path"),
    "a spreadsheet": (text("s.xlsx", "x"), "a series ends in"),
    # units
    "degrees for radians": (csv(pd.DataFrame({"pose_Rx": np.linspace(10, 20, ROWS) + CLOCK % 3})), "rad"),
    "pixels for shares": (csv(mediapipe().assign(**{channel_schema.BLENDSHAPES[3]: 300.0})), "outside"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_series_are_refused_with_file_and_reason(tmp_path, case):
    write, message = REFUSED[case]
    path = write(tmp_path)
    with pytest.raises(UnreadableSeries, match=message) as refused:
        read_series(path, channels=None, fps=30.0)
    assert path.name in str(refused.value)


def test_a_counter_that_is_asked_for_is_refused(tmp_path):
    path = csv(plain(laufnummer=CLOCK))(tmp_path)
    with pytest.raises(UnreadableSeries, match=r"s\.csv: 'laufnummer' counts rows or time"):
        read_series(path, channels=["au04", "laufnummer"])
    with pytest.raises(UnreadableSeries, match=r"s\.npz: no channel 'frame'"):
        read_series(npz(channels=np.array(["frame", "au04"]))(tmp_path), channels=["frame"])
    assert read_series(tmp_path / "s.npz", channels=None).channels == ("au04",)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (text("s.csv", ",".join(f"c{k}" for k in range(200_000)) + "\n"), "200,000 columns"),
        (text("s.csv", "a" * 5_000_000), "the header is longer than 4 MiB"),
        (text("s.csv", "au01\n" + "1" * 5_000_000), "row is longer than 4 MiB"),
        (packed(b"au01\n" + b"1\n" * 4_000_000), "2,000,000"),
        (text("s.csv", "au01\n" + "1\n" * 2_000_001), "2,000,001 rows"),
        (parquet(pd.DataFrame({"au01": np.zeros(2_000_001, np.float32)})), "2,000,001 rows"),
    ],
)
def test_sizes_beyond_the_limits_are_named(tmp_path, write, message):
    with pytest.raises(UnreadableSeries, match=message):
        read_series(write(tmp_path), channels=None)


def test_what_unpacks_to_too_much_is_refused_before_or_while_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(file_size, "MAX_BYTES", 1_000_000)
    rows = b"0.25,0.5\n" * 150_000
    write = packed(b"au01,au02\n" + rows)
    with pytest.raises(UnreadableSeries, match=r"s\.csv\.gz: .* GiB unpacked"):
        read_series(write(tmp_path), channels=None)
    with monkeypatch.context() as patch:
        patch.setattr(tables, "_blocks", None)  # its trailer says so: nothing is unpacked
        with pytest.raises(UnreadableSeries, match="unpacked"):
            read_series(tmp_path / "s.csv.gz", channels=None)
    two = gzip.compress(b"au01,au02\n" + rows) + gzip.compress(b"1,2\n")  # the trailer of the last part only
    with pytest.raises(UnreadableSeries, match=r"t\.csv\.gz: .* GiB unpacked"):
        read_series(text("t.csv.gz", two)(tmp_path), channels=None)
    np.savez_compressed(tmp_path / "s.npz", values=np.zeros((300_000, 1)), channels=np.array(["au01"]))
    with pytest.raises(UnreadableSeries, match=r"s\.npz: .* GiB unpacked"):
        read_series(tmp_path / "s.npz", channels=None)
    (tmp_path / "s.csv").write_bytes(b"au01,au02\n" + rows)
    with pytest.raises(UnreadableSeries, match=r"s\.csv: .* GiB on disk"):
        read_series(tmp_path / "s.csv", channels=None)
