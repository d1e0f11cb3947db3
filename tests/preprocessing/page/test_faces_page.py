import re
from html.parser import HTMLParser

import pytest

from engine.cohort.face_pipeline import page_templates
from preprocessing.page.faces_page import write_faces_page
from preprocessing.page.recording_block import duration, percent
from preprocessing.page.timeline import timeline

RECORD = {
    "fingerprint": "0123456789abcdef" * 4,
    "settings": {"aligner": {"size": 224, "oval": False}},
    "provenance": {
        "backend": {"networks": [{"name": "mesh.tflite", "sha256": "ab" * 32, "licence": "Apache-2.0"}]}
    },
}
EVIL = 'Söhne & <b>"1"</b> 30%'


class Page(HTMLParser):
    """Tags with their attributes, the text, and whether tags balance."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text, self.pieces = [], [], "", []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in {"meta", "img", "input", "br", "path"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        self.pieces.append((self.open[-1] if self.open else "", data))

    def texts(self, tag):
        return [data for name, data in self.pieces if name == tag]

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def entries(make_verdict):
    verdict = make_verdict(200, {"blurred": range(50), "dark": range(25)})
    seen = {"seconds": 8.0, "fps": 25.0, "width": 640, "height": 480, "frames": 200}
    lost = {reason: int(frames.sum()) for reason, frames in verdict.reasons.items()}
    used = {"usable": int(verdict.usable.sum()), "lost": lost, "timeline": timeline(verdict)}
    whole = {"usable": 200, "lost": {}, "timeline": {}}
    sheet = {"sheet": {"path": f"sheets/{EVIL}.jpg", "sha256": "0"}}
    return [
        {"recording_id": "fine", "status": "ok", "reasons": [], **seen, **whole, "files": sheet},
        {
            "recording_id": EVIL,
            "status": "warned",
            "reasons": ["A second face."],
            **seen,
            **used,
            "files": sheet,
        },
        {"recording_id": "text", "status": "refused", "reasons": ["/home/me/text.mp4: it holds <no> video."]},
    ]


@pytest.fixture
def page(entries, tmp_path):
    write_faces_page(
        tmp_path / "faces.html", entries=entries, record=RECORD, templates=page_templates(), rate=123.4
    )
    return Page((tmp_path / "faces.html").read_text(encoding="utf-8"))


def test_the_head_counts_what_happened(page):
    text = " ".join(page.text.split())
    assert "Faces of 3 recordings" in text
    assert "2 of 3 recordings can be used" in text
    for figure in ("1 ok", "1 ok with warnings", "1 refused", "16.0 s of video used", "123 frames a second"):
        assert re.sub(" ", "", figure) in re.sub(" ", "", text)
    assert "88 %of its 400 frames usable" in text  # 350 of 400
    assert "do not pass it on" in text


def test_refused_ones_come_first_with_their_reason(page):
    refused, recordings = page.text.index("Refused"), page.text.index("Of each recording")
    assert refused < page.text.index("…/text.mp4: it holds <no> video") < recordings
    order = re.findall(
        r'article id="(r\d)"', str([f'article id="{one["id"]}"' for one in page.all("article")])
    )
    assert order == ["r1", "r0", "r2"]  # with warnings, ok, refused


def test_reasons_are_counted_over_all_recordings(page):
    rows = re.sub(r"\s+", " ", page.text)
    assert "blurred5012 %1" in rows  # frames, of 400, recordings
    assert "dark256 %1" in rows


def test_names_are_shown_as_they_are_and_break_nothing(page):
    assert EVIL in page.text
    assert not page.all("b") or all("1" not in one.get("class", "") for one in page.all("b"))
    (first, _) = page.all("img")
    assert first["src"] == "sheets/S%C3%B6hne%20%26%20%3Cb%3E%221%22%3C/b%3E%2030%25.jpg"
    assert first["loading"] == "lazy"
    assert {"width", "height"} <= set(first)


def test_pictures_have_words(page):
    words = [one["alt"] for one in page.all("img")]
    assert words[0].startswith(f"Contact sheet of {EVIL}")
    assert "75 % of frames used" in words[0]
    strips = page.all("svg")
    assert len(strips) == 2
    assert all(one["role"] == "img" for one in strips)
    assert strips[0]["aria-label"] == "Over time: 75 % of frames used, blurred 25 %, dark 12 %"


def test_what_was_done_is_told(page):
    lines = dict(zip(page.texts("dt"), page.texts("dd"), strict=True))
    assert lines["aligner.size"] == "224"
    assert lines["aligner.oval"] == "false"
    assert lines["mesh.tflite"] == f"sha256 {'ab' * 32} · licence Apache-2.0"
    assert "0123456789abcdef" in page.text


def test_nothing_is_fetched_and_nothing_runs(page):
    assert not page.all("script")
    assert not page.all("link")
    addresses = [
        one.get("src") or one.get("href") for _, one in page.tags if one.get("src") or one.get("href")
    ]
    assert not [address for address in addresses if re.match(r"\w+:|//|/", address)]


def test_every_choice_has_a_label_and_hides_the_others(page, tmp_path):
    assert {one["id"] for one in page.all("input")} == {one["for"] for one in page.all("label")}
    style = (tmp_path / "faces.html").read_text(encoding="utf-8")
    for status in ("ok", "warned", "refused"):
        assert f"#show-{status}:checked ~ .blocks > article:not(.{status})" in style


@pytest.mark.parametrize("count", [0, 1000])
def test_none_and_very_many(entries, tmp_path, count):
    many = [entries[number % 3] | {"recording_id": f"r{number}"} for number in range(count)]
    write_faces_page(tmp_path / "faces.html", entries=many, record={}, templates=page_templates())
    text = (tmp_path / "faces.html").read_text(encoding="utf-8")
    assert len(text) < 15_000 + 1_500 * (count + 1)
    assert len(Page(text).all("article")) == count
    assert ("No recording can be used" in text) == (count == 0)


def test_shares_round_to_nothing_and_to_all_only_where_they_are():
    shares = [percent(part, 1000) for part in (0, 1, 9, 10, 500, 990, 999, 1000)]
    assert shares == ["0 %", "under 1 %", "under 1 %", "1 %", "50 %", "99 %", "over 99 %", "100 %"]
    assert percent(0, 0) == "0 %"
    assert [duration(s) for s in (0.1, 59.9, 61, 3599.6, 7200, 1e6)] == [
        *("0.1 s", "59.9 s", "1:01 min", "60:00 min", "2.0 h", "277.8 h")
    ]


def test_what_broke_off_has_no_strip_and_no_shares(entries, tmp_path):
    broken = {"recording_id": "cut", "status": "refused", "reasons": ["cut"], "frames": 90, "usable": 0}
    nobody = broken | {"recording_id": "nobody", "lost": {"no face": 90}, "timeline": {"no face": "9" * 90}}
    write_faces_page(tmp_path / "faces.html", entries=[broken, nobody], record={}, templates=page_templates())
    page = Page((tmp_path / "faces.html").read_text(encoding="utf-8"))
    assert [one["aria-label"] for one in page.all("svg")] == ["Over time: 0 % of frames used, no face 100 %"]
    assert page.text.count("of frames used") == 1
    assert "no face90100 %1" in re.sub(r"\s+", " ", page.text)
