"""Manifests broken in every way that was seen or thought of: each is refused with file, value and remedy.

Those that pass are right as they are; the reason stands beside them.
"""

import codecs

import pandas as pd
import pytest

from datamodules.manifests.manifest import ManifestError, read_manifest

HEAD = "recording_id,subject_id,session_id,path,series_path,scale,score"
ROWS = [f"r{n},P{n},V1,,s.npz,PHQ-9,{n}" for n in range(4)]
GOOD = "\n".join([HEAD, *ROWS]) + "\n"


def cell(column, *values, base=GOOD):
    """The good table with values in a column from the first row on, the column added where it is new."""
    lines = [line.split(",") for line in base.strip().split("\n")]
    names = lines[0]
    if column not in names:
        names.append(column)
        for line in lines[1:]:
            line.append("")
    for line, value in zip(lines[1:], values, strict=False):
        line[names.index(column)] = value
    return "\n".join(",".join(line) for line in lines) + "\n"


def cells(**columns):
    text = GOOD
    for name, values in columns.items():
        text = cell(name, *values, base=text)
    return text


TWO = "write one of them everywhere"
ITEMS = {f"item_phq9_{n}": ["1"] for n in range(1, 10)}
ONE = {"subject_id": ["X", "X"], "score": ["1", "1"]}  # a person with two rows
TWO_VISITS = ONE | {"session_id": ["V1", "V2"]}
CODED = {f"item_phq9_{n}": ["2"] for n in range(1, 10)}
NO_SCORE = "recording_id,subject_id,session_id,path,series_path,binary\nr0,P0,V1,,s.npz,\nr1,P1,V1,,s.npz,\n"
BAD = [
    # the file itself
    ("empty", "", "is empty; its first line"),
    ("blank lines", "\n \n\n", "is empty"),
    ("only a header", HEAD + "\n", "has no rows"),
    ("no header", "\n".join(ROWS), "column 'recording_id' is missing"),
    ("binary", bytes(range(256)), "save it again as 'CSV UTF-8'"),
    ("zeros of a full disk", bytes(5000), "copy it again"),
    ("cp1252", cell("site", "K\xf6ln").encode("cp1252"), "line 2 .*UTF-8"),
    ("latin-1 name", cell("subject_id", "M\xfcller").encode("latin-1"), "M.xfcller.*CSV UTF-8"),
    ("mac roman", cell("site", "K\xf6ln").encode("mac-roman"), "CSV UTF-8"),
    ("shift-jis", cell("site", "\u6771\u4eac").encode("shift-jis"), "CSV UTF-8"),
    ("utf-16 without a mark", GOOD.encode("utf-16-le"), "UTF-16 without a mark"),
    ("cut in a character", cell("site", "K\xf6ln").encode()[:85] + b"\xc3", "CSV UTF-8"),
    ("a web page", "<html><body>404</body></html>", "no table"),
    # rows and quotes
    ("a cell too many", GOOD + "r9,P9,V1,,s.npz,PHQ-9,1,oops\n", "line 6 has 8 cells, the header has 7"),
    ("a cell too few", GOOD + "r9,P9,V1,,s.npz,PHQ-9\n", "line 6 has 6 cells, the header has 7"),
    ("half a row", GOOD[:-10], r"line 5 has \d cells"),
    ("comma for a decimal point", GOOD + "r9,P9,V1,,s.npz,PHQ-9,1,5\n", "holds a separator in quotes"),
    ("a stray quote swallows rows", GOOD.replace("r1,P1", 'r1,"P1'), "close every quote"),
    ("two stray quotes", GOOD.replace("r1,P1", 'r1,"P1').replace("r3,P3", 'r3,P3"'), "close the quote"),
    ("text behind a quote", GOOD.replace("r1,P1", 'r1,"P1"x'), "double those inside"),
    ("a line end in an id", GOOD.replace("r1,P1", 'r1,"P\n1"'), "write the cell on one line"),
    ("a column twice", GOOD.replace("path,series_path", "path,path"), "'path' appears twice"),
    ("a column without a name", cell("", "3"), "no name"),
    ("too many columns", ",".join(f"c{n}" for n in range(2500)) + "\n", "more than 2000 columns"),
    # persons
    ("zeros in front", cell("subject_id", "001", "1"), f"two persons of '001' and '1'.*{TWO}"),
    ("a float column", cell("subject_id", "300", "300.0"), "two persons of '300' and '300.0'"),
    ("capitals", cell("subject_id", "ab1", "AB1"), "two persons of 'ab1' and 'AB1'"),
    ("hyphen", cell("subject_id", "X-7", "X7", "X_7"), "three persons of 'X-7', 'X7' and 'X_7'"),
    ("inner blank", cell("subject_id", "X 7", "X7"), "two persons"),
    ("full width", cell("subject_id", "X\uff17", "X7"), "two persons"),
    ("arabic digits", cell("subject_id", "\u0663", "3"), "two persons"),
    ("cyrillic", cell("subject_id", "\u0420\u0031", "P1"), "two persons"),
    ("accent lost", cell("subject_id", "M\xfc", "Mu"), "two persons"),
    ("power of ten", cell("subject_id", "3E2", "300"), "two persons"),
    ("thousands", cell("subject_id", "'0", "+0"), "two persons"),
    ("two zeros", cell("subject_id", "A007", "A7"), "in more than case"),
    ("a week before", cell("session_id", "-4"), "'session_id' says .*code for none.*: 'week -4'"),
    ("NA", cell("subject_id", "NA"), "says that there is none in row 1 .*write 'unknown'"),
    ("nan", cell("subject_id", "nan"), "write 'unknown'"),
    ("None", cell("subject_id", "None"), "write 'unknown'"),
    ("a dash", cell("subject_id", "-"), "write 'unknown'"),
    ("a question mark", cell("subject_id", "?"), "write 'unknown'"),
    ("a formula's error", cell("subject_id", "#REF!"), "write 'unknown'"),
    ("a code for missing", cell("subject_id", "-999"), "write 'unknown'"),
    ("empty", cell("subject_id", ""), "is empty in row 1 .*write 'unknown'"),
    ("another unknown", cell("subject_id", "Unknown"), "write 'unknown' in small letters"),
    # visits and recordings
    ("V1 and v01", cells(subject_id=["X", "X"], session_id=["V1", "v01"]), f"two visits of 'V1' .*{TWO}"),
    ("1 and 1.0", cells(subject_id=["X", "X"], session_id=["1", "1.0"]), "two visits"),
    ("one day twice", cells(subject_id=["X", "X"], session_id=["2021-1-2", "2021-01-02"]), "two visits"),
    ("no session", cell("session_id", "NA"), "number or name the visit"),
    ("null session", cell("session_id", "null"), "number or name the visit"),
    ("ids repeat", cell("recording_id", "r1"), "'recording_id' repeats"),
    ("ids repeat unseen", cell("recording_id", "r\u200b1"), "'recording_id' repeats"),
    ("a bell in an id", cell("recording_id", "r\x071"), "control character"),
    ("an endless id", cell("recording_id", "r" * 500), "shorten it"),
    # labels
    ("half a point", cell("score", "12.5"), "12.5|sums of whole numbers"),
    ("out of range", cell("score", "28"), "outside PHQ-9"),
    ("below", cell("score", "-1"), "outside PHQ-9"),
    ("infinite", cell("score", "inf"), "'score' is not a number in row 1 .*'inf'"),
    ("a word", cell("score", "ten"), "'ten'"),
    ("other digits", cell("score", "\u0661\u0662"), "'score' is not a number"),
    ("an underscore", cell("score", "1_0"), "'1_0'"),
    ("a unit", cell("score", "12 points"), "'12 points'"),
    ("two totals", cells(subject_id=["X", "X"], score=["3", "9"]), "2 totals .* 'V1' of person 'X'"),
    ("items against the total", cells(**ITEMS, score=["12"]), "not the sum of the items .*12, items 9"),
    ("an item out of range", cell("item_phq9_1", "4"), "'item_phq9_1' is not .* 0 to 3 .*= 4"),
    ("a negative item", cell("item_phq9_1", "-1"), "leave unanswered ones empty"),
    ("half an answer", cell("item_phq9_1", "1.5"), "= 1.5"),
    ("an odd item of another scale", cell("item_x", "1e9"), "'item_x'"),
    ("binary 2", cell("binary", "2"), "must be 0 or 1"),
    ("binary contradicts", cell("binary", "1"), "drop the column to derive it"),
    ("no scale", cell("scale", "NA"), "'score' without 'scale'"),
    ("a strange scale", cell("scale", "PHQ9"), "did you mean 'PHQ-9'"),
    ("a huge trait", cell("trait_O", "1e30"), "'trait_O'.*1e.30"),
    # measurements
    ("negative rate", cell("fps", "-5"), "'fps' is not from .* = -5.*leave it empty"),
    ("rate 0", cell("fps", "0"), "'fps'"),
    ("rate 1200", cell("fps", "1200"), "= 1200"),
    ("rate with a unit", cell("fps", "30fps"), "'30fps'"),
    ("negative duration", cell("duration_s", "-1"), "'duration_s' .* = -1"),
    ("age -300", cell("age", "-300"), "'age' .* = -300"),
    ("age 200", cell("age", "200"), "'age' .* = 200"),
    ("age in words", cell("age", "young"), "'young'; write it in plain digits, and leave it empty"),
    ("an unknown age", cell("age", "unknown"), "'age' is not .*'unknown'; .*leave it empty"),
    ("a decimal comma", cells(age=['"35,5"', "40", "unknown"]), "'35,5'.*write it with a decimal point, and"),
    ("brightness 7", cell("brightness", "7"), "'brightness' .* = 7"),
    ("no frames", cell("n_frames", "0"), "'n_frames' .* = 0"),
    ("half a frame", cell("n_frames", "10.5"), "whole number"),
    ("frames against seconds", cells(n_frames=["9000"], fps=["30"], duration_s=["10"]), "9000 against 300"),
    ("width 0", cell("width", "0"), "'width'"),
    ("a yaw of 4000", cell("yaw", "4000"), "'yaw'"),
    ("half a visit", cell("visit_order", "1.5"), "'visit_order'"),
    ("one place, two visits", cells(subject_id=["X", "X"], session_id=["a", "b"], visit_order=["1", "1"]),
     "'visit_order' is shared by sessions of a person"),
    ("two places, one visit", cells(subject_id=["X", "X"], score=["1", "1"], visit_order=["1", "2"]),
     "'visit_order' has several values"),
    # two of one visit, in ways that punctuation alone does not tell
    ("a date as digits", cells(**ONE, session_id=["2021-01-05", "20210105"]), "'2021-01-05' and '20210105'"),
    ("a date day first", cells(**ONE, session_id=["2021-01-05", "5.1.2021"]), TWO),
    ("a date at midnight", cells(**ONE, session_id=["2021-1-5", "2021-01-05 00:00:00"]), TWO),
    ("two binary labels", NO_SCORE.replace("s.npz,", "s.npz,0", 1).replace("P1,V1,,s.npz,", "P0,V1,,s.npz,1"),
     "'binary' has two values in one session"),
    ("two answers to an item", cells(**ONE | {"score": ["", ""]}, item_phq9_1=["1", "2"]), "has two values"),
    ("a person in Cyrillic, small", cell("subject_id", "\u041d1", "\u043d1"), TWO),
    # one person, of whom two things are said
    ("two sexes", cells(**TWO_VISITS, sex=["f", "M"]), "'sex' has two values for person 'X'.*'f'.*'M'.*own"),
    ("two sexes in words", cells(**TWO_VISITS, sex=["Male", "weiblich"]), "leave it empty"),
    ("two sexes in codes", cells(**TWO_VISITS, sex=["1", "2"]), "'sex' has two values"),
    ("an age that falls", cells(**TWO_VISITS, age=["40", "35"]), "'age' falls .*V1: 40.*V2: 35.*correct"),
    ("an age that falls by place", cells(**ONE | {"score": ["", ""]}, session_id=["post", "pre"],
     visit_order=["2", "1"], age=["30", "33"]), "'age' falls"),
    ("two ages in a session", cells(**ONE, age=["20", "30"]), "'age' has two values in one session"),
    ("an age against the dates", cells(**ONE, session_id=["2020-01-05", "2021-01-05"], age=["20", "29"]),
     "is not what the dates of the sessions say"),
    # items
    ("items coded from 1", cells(**CODED, score=["9"]), "9, items 18'; .* coded from 1: subtract 1"),
    ("an item coded from 1", cells(item_phq9_1=["4"]), "subtract 1 from items coded"),
    ("an item with letters", cell("item_phq9_1", "often"), "'item_phq9_1' is not a number .*'often'"),
    ("items above the total, one open", cells(**ITEMS | {"item_phq9_1": [""]}, score=["7"]), "7, items 8 to"),
    ("a total that items cannot reach", cells(item_phq9_1=["0"], score=["27"]), "27, items 0 to 24"),
    ("items with zeros", cells(item_phq9_01=["1"]), "is 'item_phq9_1' of a questionnaire.*rename it"),
    # more of each kind of number
    ("half a point of BDI-II", cells(scale=["BDI-II"], score=["12.5"]), "12.5"),
    ("a quarter of HAMD-17", cells(scale=["HAMD-17"], score=["7.25"]), "7.25"),
    ("an odd total of DASS-21", cells(scale=["DASS-21-D"], score=["13"]), "13"),
    ("a mean for a total", cells(scale=["PHQ-8"], score=["0.875"]), "0.875"),
    ("an age in other digits", cell("age", "\u096a\u0968"), "'age' is not a number"),
    ("a rate in wide digits", cell("fps", "\uff13\uff10"), "'fps' is not a number"),
    ("a person of control signs", cell("subject_id", "P\x0b1"), "control character.*one line"),
    ("a line separator in a session", cell("session_id", "V\u20281"), "'session_id' holds a line end"),
    ("a return in a session", GOOD.replace("P1,V1", 'P1,"V\r1"'), "write the cell on one line"),
    ("lines in a person", GOOD.replace("r1,P1", 'r1,"P\r\n1"'), "write the cell on one line"),
    ("an infinite rate", cell("fps", "inf"), "'fps' is not a number .*'inf'"),
    ("no duration", cell("duration_s", "0"), "'duration_s' .* = 0"),
    ("an infinite duration", cell("duration_s", "-inf"), "'duration_s' is not a number"),
    ("a duration with a unit", cell("duration_s", "10 s"), "'10 s'"),
    ("a duration of years", cell("duration_s", "1e9"), "'duration_s' .*1000000000"),
    ("age 121", cell("age", "121"), "'age' .* = 121"),
    ("an infinite age", cell("age", "inf"), "'age' is not a number"),
    ("an age with a unit", cell("age", "34 y"), "'34 y'"),
    ("brightness below black", cell("brightness", "-0.1"), "'brightness' .* = -0.1"),
    ("brightness in bytes", cell("brightness", "255"), "'brightness' .* = 255"),
    ("brightness in words", cell("brightness", "dark"), "'dark'"),
    ("an infinite brightness", cell("brightness", "inf"), "'brightness' is not a number"),
    ("a trait far below", cell("trait_N", "-1e9"), "'trait_N'.*-1000000000"),
    ("an infinite trait", cell("trait_A", "inf"), "'trait_A' is not a number"),
    ("a trait in words", cell("trait_E", "high"), "'high'"),
    ("a trait of thousands", cell("trait_C", "5000"), "'trait_C' .* = 5000"),
    ("frames below zero", cell("n_frames", "-3"), "'n_frames' .* = -3"),
    ("too many frames", cell("n_frames", "1e12"), "'n_frames'"),
    ("frames with a unit", cell("n_frames", "300 frames"), "'300 frames'"),
    ("fewer frames than seconds", cells(n_frames=["30"], fps=["30"], duration_s=["100"]), "30 against 3000"),
    ("two cells too few", GOOD + "r9,P9,V1\n", "line 6 has 3 cells, the header has 7"),
    ("a quote behind text", GOOD.replace("r1,P1", 'r1,P"1').replace("r3,P3", '"r3,P3'), "close every quote"),
    ("two cells too many", GOOD + "r9,P9,V1,,s.npz,PHQ-9,1,a,b\n", "line 6 has 9 cells"),
    ("a second header", GOOD + GOOD, "line 6 names the columns again: two tables .*remove that line"),
    ("a second header in capitals", GOOD + HEAD.upper() + "\n", "line 6 names the columns again"),
    ("blanks for a header", " , , \n1,2,3\n", "names no column|recording_id"),
    ("a byte order mark alone", codecs.BOM_UTF8, "is empty"),
    ("utf-16 cut in a character", GOOD.encode("utf-16")[:-1], "UTF-16"),
    ("utf-32 cut", GOOD.encode("utf-32")[:-2], "UTF-32"),
    ("latin-1 in the header", GOOD.replace("score", "gr\xf6\xdfe").encode("latin-1"), "CSV UTF-8"),
    ("a path without an end", cell("path", "x" * 5000), "names no file.*relative paths"),
]  # fmt: skip

GOOD_ONES = [
    ("as it is", GOOD, "the good table"),
    ("byte order mark", codecs.BOM_UTF8 + GOOD.encode(), "the mark says how to read it"),
    ("utf-16 with its mark", GOOD.encode("utf-16"), "the mark says how to read it"),
    ("utf-32 with its mark", GOOD.encode("utf-32"), "the mark says how to read it"),
    ("Windows line ends", GOOD.replace("\n", "\r\n"), "every line is there"),
    ("old Mac line ends", GOOD.replace("\n", "\r"), "every line is there"),
    ("semicolons", GOOD.replace(",", ";"), "the header tells the separator"),
    ("tabs", GOOD.replace(",", "\t"), "the header tells the separator"),
    ("a separator named", "sep=;\n" + GOOD.replace(",", ";"), "spreadsheets write this line"),
    ("a blank line", GOOD + "\n,,,,,,\n", "nothing is in it"),
    ("blanks around ids", cell("subject_id", " P0 "), "cannot be meant"),
    ("zero-width blank", cell("subject_id", "P\u200b0"), "cannot be seen, hence not meant"),
    ("no-break blank", cell("subject_id", "\xa0P0"), "cannot be meant"),
    ("hyphen between digits", cell("subject_id", "1-2", "12"), "site 1 person 2 is not person 12"),
    ("sessions of others", cell("session_id", "V1", "v01"), "each person has one of them"),
    ("before and after", cells(subject_id=["X", "X"], session_id=["T-1", "T1"]), "a sign is meant"),
    ("no rate", cell("fps", "NaN"), "a missing number is read from the file"),
    ("no site", cell("site", "NA"), "missing, and said in the log"),
    ("an unknown person", cell("subject_id", "unknown", "unknown"), "the word for it"),
    ("one person's None", cell("subject_id", "Nonet"), "a name"),
    ("two days of one month", cells(**ONE, session_id=["2021-01-05", "2021-05-01"]), "years first"),
    ("two times of a day", cells(**ONE, session_id=["2021-01-05T09:00", "2021-01-05T14:00"]), "two visits"),
    ("an unanswered item", cells(**ITEMS | {"item_phq9_1": [""]}, score=["9"]), "8 to 11"),
    ("marks in the header", "\ufeff" + GOOD.replace("subject_id", "subject_id\u200b"), "cannot be seen"),
    ("a sex in two words", cells(**TWO_VISITS, sex=["f", "Female"]), "the same"),
    ("a sex in a word and a code", cells(**TWO_VISITS, sex=["f", "2"]), "nobody knows the code"),
    ("a sex not always known", cells(**TWO_VISITS, sex=["f", ""]), "nothing contradicts it"),
    ("a sex that is neither", cells(**TWO_VISITS, sex=["f", "diverse"]), "persons may say so later"),
    (
        "two unknown persons",
        cells(subject_id=["unknown"] * 2, sex=["f", "m"], age=["9", "90"]),
        "two persons",
    ),
    ("an age rounded", cells(**TWO_VISITS, age=["40", "39"]), "rounded up, then down"),
    (
        "an age in another order",
        cells(**ONE, session_id=["post", "pre"], age=["41", "40"]),
        "nobody knows it",
    ),
    (
        "twenty years by date",
        cells(**ONE, session_id=["2001-01-01", "2021-06-01"], age=["20", "40"]),
        "so it is",
    ),
    ("twelve years", cells(**TWO_VISITS, age=["20", "32"]), "a long study"),
    ("a fall of names alone", cells(**ONE, session_id=["T-7", "T-1"], age=["30", "28"]), "minus or hyphen?"),
    ("items of no questionnaire", cells(item_x_1=["4"], item_x_2=["1"]), "of the study's own"),
    ("items add up", cells(**ITEMS, score=["9"]), "they do"),
]


def written(tmp_path, content):
    (tmp_path / "s.npz").touch()
    path = tmp_path / "m.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(("content", "said"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_manifest_is_refused_with_file_value_and_remedy(content, said, tmp_path):
    path = written(tmp_path, content)
    with pytest.raises(ManifestError, match=f"(?s)m.csv.*({said})"):
        read_manifest(path, probe=False)


@pytest.mark.parametrize(("content", "why"), [c[1:] for c in GOOD_ONES], ids=[c[0] for c in GOOD_ONES])
def test_an_odd_manifest_is_read_where_it_is_right(content, why, tmp_path):
    table = read_manifest(written(tmp_path, content), probe=False).table
    assert len(table) == 4, why
    assert table["recording_id"].tolist() == ["r0", "r1", "r2", "r3"], why
    assert table["score"].notna().all(), why


def test_a_workbook_a_strange_suffix_and_rubbish_are_refused(tmp_path):
    for name, said in (
        ("m.xlsx", "save its sheet"),
        ("m.json", "ends in .csv"),
        ("m.parquet", "write it again"),
    ):
        (tmp_path / name).write_bytes(b"PK\x03\x04 rubbish")
        with pytest.raises(ManifestError, match=f"(?s){name}.*{said}"):
            read_manifest(tmp_path / name, probe=False)


def test_odd_types_of_parquet_are_text_numbers_or_refused(tmp_path):
    (tmp_path / "s.npz").touch()
    rows = {"recording_id": ["a", "b"], "subject_id": [1.0, 2.0], "path": "", "series_path": "s.npz"}
    days = pd.to_datetime(["2021-01-15", "2021-02-03"])
    pd.DataFrame(rows | {"session_id": days}).to_parquet(tmp_path / "m.parquet")
    table = read_manifest(tmp_path / "m.parquet", probe=False).table
    assert table["subject_id"].tolist() == ["1", "2"]
    assert table["session_id"].tolist() == ["2021-01-15", "2021-02-03"]
    for odd in ([[1], [2]], [b"x", b"y"], [{"k": 1}, {"k": 2}]):
        pd.DataFrame(rows | {"session_id": odd}).to_parquet(tmp_path / "m.parquet")
        with pytest.raises(ManifestError, match=r"(?s)m.parquet.*'session_id' holds .*a cell is text"):
            read_manifest(tmp_path / "m.parquet", probe=False)


def test_a_manifest_too_large_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr("datamodules.manifests.table_file.MOST_BYTES", 100)
    with pytest.raises(ManifestError, match=r"(?s)m.csv.*are too much for a manifest"):
        read_manifest(written(tmp_path, GOOD), probe=False)


def test_what_is_read_as_missing_is_said(tmp_path, caplog):
    read_manifest(written(tmp_path, cell("site", "NA", "Bonn", "null")), probe=False)
    assert "column 'site': 'NA', 'null' in 2 row(s) is read as missing" in caplog.text
