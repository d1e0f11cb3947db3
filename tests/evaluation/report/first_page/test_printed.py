"""The first page on paper: one sheet, however much there is to say."""

import re
import shutil
import subprocess

import pytest

from evaluation.report.report import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUESTIONNAIRES = [
    {"name": name, "low": 0, "high": high, "cut_off": cut}
    for name, high, cut in (("BDI-II", 63, 14), ("PHQ-8", 24, 10), ("PHQ-9", 27, 10), ("HAMD-17", 52, 8))
]


def sheets(page, folder):
    """How many sheets a browser prints a page on."""
    source, out = folder / "page.html", folder / "page.pdf"
    source.write_text(page, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer"]
    quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
    ]
    places = [f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={out}", source.as_uri()]
    subprocess.run([CHROMIUM, *options, *quiet, *places], check=True, capture_output=True, timeout=120)
    return len(re.findall(rb"/Type\s*/Page\b", out.read_bytes()))


@pytest.fixture
def talkative(run, record):
    """A run of which as much is to be said as there can be."""
    estimate = {"value": 0.61, "low": 0.42, "high": 0.77}
    line = {"auc": estimate, "mae": {"value": 9.9, "low": 8.1, "high": 12.2}}
    line["brier"] = {"value": 0.24, "low": 0.21, "high": 0.27}
    line["difference"] = {
        "auc": {"value": 0.1, "low": -0.1, "high": 0.3},
        "mae": {"value": -1.0, "low": -2.0, "high": 1.0},
    }
    groups = [
        {
            "group": f"{name} of a long name",
            "persons": 24,
            "auc": estimate,
            "difference": {"auc": {"value": 0.2, "low": 0.1, "high": 0.3}},
        }
        for name in ("first", "second", "third", "fourth")
    ]
    part = record["parts"]["holdout"]["test"] | {"site": {f"hospital number {n}": 9 - n for n in range(8)}}
    return run(
        reference={
            **dict.fromkeys(("constant", "nuisance", "last_score"), line),
            "statistics": {"raw": line},
        },
        groups={name: {"groups": groups} for name in ("sex", "age", "site")},
        changed={
            "synthetic": True,
            "questionnaires": QUESTIONNAIRES,
            "leaks_on_purpose": ["duration_s"],
            "test_looks": 4,
            "data": "a_data_set_with_a_rather_long_name_of_its_own",
            "parts": {"holdout": record["parts"]["holdout"] | {"test": part}},
        },
    )


@pytest.mark.skipif(CHROMIUM is None, reason="no browser to print with")
@pytest.mark.slow
def test_it_fills_one_sheet_and_no_more(talkative, tmp_path):
    one = talkative
    write_report(
        tmp_path / "report.html",
        metrics=one.metrics,
        predictions=one.predictions,
        manifest=one.record,
        thresholds=one.threshold,
        groups=one.groups,
    )
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    end = page.index("</section>", page.index('<section id="first-page">')) + len("</section>")
    assert page.count(one.page.strip()[:200]) == 1
    tail = "</main></body></html>"
    assert sheets(page[:end] + tail, tmp_path) == 1
    assert sheets(page[:end] + "<p>the technical part</p>" + tail, tmp_path) == 2  # on a sheet of its own
    doubled = page[:end].replace(
        '<section id="first-page">', '<section id="first-page">' + "<p>more</p>" * 80
    )
    assert sheets(doubled + tail, tmp_path) > 1  # more than a sheet is found


def test_it_folds_and_cuts_nothing(talkative):
    assert not re.search("<details|overflow:hidden|max-height", talkative.page)
