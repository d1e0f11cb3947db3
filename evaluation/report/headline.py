"""Headline of the report: the result in words, no stronger than its intervals allow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from evaluation.baselines.line_names import FAMILIES, chief_lines
from evaluation.report.few_persons import without_doubtful_intervals

Tone = Literal["good", "mixed", "poor", "trial"]


@dataclass(frozen=True)
class Verdict:
    """A headline, its tone and the sentences that back it."""

    headline: str
    tone: Tone
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class _Finding:
    """What the model was compared with, whether it is beaten, and the sentence that says so.

    Where it is not, `lines` are those of which nothing is shown, and `worse` those that are reliably better.
    """

    lines: Sequence[str]
    beaten: bool
    sentence: str
    worse: Sequence[str] = ()


def judge(metrics: Mapping[str, Any], *, trial: bool = False) -> Verdict:
    """Say whether the model beats chance and its reference lines on the test split.

    Of fewer than ten tested persons nothing is called certain: their intervals may miss the truth.

    Args:
        metrics: content of `metrics.json`.
        trial: the run was cut short on purpose, as by `debug=fast`: then nothing is a result.
    """
    metrics = without_doubtful_intervals(metrics)
    test, reference = metrics["test"], metrics.get("reference") or {}
    asked = (
        _ranking(test),
        _against_nuisance(test, reference),
        _error(test, reference),
        _against_earlier_scores(reference),
        _against_readers(reference),
    )
    findings = [finding for finding in asked if finding]
    extras = [s for s in (_below_chance(reference), _identity(reference), _oracles(reference)) if s]
    beaten = [finding.beaten for finding in findings]
    tone: Tone = "good" if beaten and all(beaten) else "mixed" if any(beaten) else "poor"
    undecided = _HIDDEN if test.get("reason") else _UNDECIDED
    headline = _headline(findings) + _shown(test) if findings else undecided
    return Verdict(
        headline=f"A trial run, no result{_shown(test)}" if trial else headline,
        tone="trial" if trial else tone,
        sentences=tuple([finding.sentence for finding in findings] + extras),
    )


_UNDECIDED = "The test split cannot decide: no metric is defined on it"
_HIDDEN = "The labels of the test part are hidden: it is predicted, and validation alone is measured"


def _headline(findings: Sequence[_Finding]) -> str:
    """What is beaten and what is not, by name."""
    parts = {
        "better than": [name for one in findings if one.beaten for name in one.lines],
        "not shown to be better than": [name for one in findings if not one.beaten for name in one.lines],
        "worse than": [name for one in findings for name in one.worse],
    }
    told = "; ".join(f"{words} {_listed(lines)}" for words, lines in parts.items() if lines)
    if parts["better than"] and not all(one.beaten for one in findings):
        told = f"only {told}"
    return told[0].upper() + told[1:]


def _listed(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def _shown(test: Mapping[str, Any]) -> str:
    return next((f": {n.upper()} {number(test[n])}" for n in ("auc", "mae") if known(test, n)), "")


def _ranking(test: Mapping[str, Any]) -> _Finding | None:
    auc = known(test, "auc")
    if auc is None:
        return None
    text = f"Test AUC is {number(auc)}"
    if auc["low"] is None:
        why = "there is no interval to rely on, so chance cannot be ruled out"
        return _Finding(("chance",), False, f"{text}; {why}.")
    if auc["low"] > 0.5:
        return _Finding(("chance",), True, f"{text}: the interval lies above chance (0.50).")
    if auc["high"] < 0.5:
        why = "the interval lies below chance (0.50); check the labels and the split"
        return _Finding((), False, f"{text}: {why}.", worse=("chance",))
    return _Finding(("chance",), False, f"{text}: the interval includes chance (0.50).")


def _against_nuisance(test: Mapping[str, Any], reference: Mapping[str, Any]) -> _Finding | None:
    line = reference.get("nuisance") or {}
    gap = known(line.get("difference"), "auc")
    if gap is None:
        return None
    text = (
        f"Technical properties of the videos alone reach AUC {number(line['auc'])}; the model minus that is "
        f"{number(gap)}"
    )
    if _is_below_chance(line) and (auc := known(test, "auc")):
        text += f" (and {number(_shifted(auc, -0.5))} against chance)"
    if gap["low"] is not None and gap["low"] > 0:
        return _Finding(("the nuisance line",), True, f"{text}, an interval above 0.")
    if gap["high"] is not None and gap["high"] < 0:
        return _Finding((), False, f"{text}, an interval below 0.", worse=("the nuisance line",))
    why = "the model is not shown to use more than how the videos were made"
    return _Finding(("the nuisance line",), False, f"{text}: {why}.")


def _below_chance(reference: Mapping[str, Any]) -> str | None:
    """Why a line that was fitted on training persons can be reliably wrong about others."""
    line = reference.get("nuisance") or {}
    if not _is_below_chance(line):
        return None
    return (
        f"The nuisance line itself lies below chance, AUC {number(line['auc'])}: what goes with the label "
        "among the training persons goes against it among the tested ones, so that it is reliably wrong. "
        "That happens where few persons are dealt into parts: of whom training got too many, testing got "
        "too few, and an accidental rule of the one turns round in the other. The difference to this line "
        "flatters the model; read the difference to chance."
    )


def _is_below_chance(line: Mapping[str, Any]) -> bool:
    auc = known(line, "auc")
    return auc is not None and auc.get("high") is not None and auc["high"] < 0.5


def _shifted(estimate: Mapping[str, Any], by: float) -> dict[str, Any]:
    ends = {key: estimate.get(key) for key in ("value", "low", "high")}
    return {key: None if value is None else value + by for key, value in ends.items()}


def _error(test: Mapping[str, Any], reference: Mapping[str, Any]) -> _Finding | None:
    line = reference.get("constant") or {}
    gap = known(line.get("difference"), "mae")
    if gap is None:
        return None
    text = (
        f"The mean absolute error is {number(test['mae'])} points, against {line['mae']['value']:.2f} for "
        f"always answering the training mean (difference {number(gap)})"
    )
    if gap["high"] is not None and gap["high"] < 0:
        return _Finding(("the constant guess",), True, f"{text}: smaller than the constant guess.")
    if gap["low"] is not None and gap["low"] > 0:
        return _Finding((), False, f"{text}: larger than the constant guess.", worse=("the constant guess",))
    return _Finding(
        ("the constant guess",), False, f"{text}: not shown to be smaller than the constant guess."
    )


def _against_earlier_scores(reference: Mapping[str, Any]) -> _Finding | None:
    names = {"last_score": "the last earlier score", "mean_score": "the mean earlier score"}
    lines = {name: reference.get(key) for key, name in names.items()}
    return _against(
        "What the person scored before reaches, without a face, AUC", lines, all_of="the earlier scores"
    )


def _against_readers(reference: Mapping[str, Any]) -> _Finding | None:
    words = {key: name if name.isupper() else name.lower() for key, name in FAMILIES.items()}
    lines = {f"the {words[key]} line": line for key, (_, line) in chief_lines(reference).items()}
    return _against(
        "Simple readers of the same series reach AUC", lines, all_of="simple readers of its series"
    )


def _against(said: str, lines: Mapping[str, Mapping[str, Any] | None], *, all_of: str) -> _Finding | None:
    """The model against several lines at once, which it beats where it beats each."""
    measured = {
        name: (line["auc"], gap)
        for name, line in lines.items()
        if line and known(line, "auc") and (gap := known(line.get("difference"), "auc"))
    }
    if not measured:
        return None
    worse = [name for name, (_, gap) in measured.items() if gap["high"] is not None and gap["high"] < 0]
    open_ = [
        name for name, (_, gap) in measured.items() if gap["low"] is None or gap["low"] <= 0 <= gap["high"]
    ]
    found = ", ".join(
        f"{number(auc)} ({_short(name)}; the model minus that {number(gap)})"
        for name, (auc, gap) in measured.items()
    )
    ends = [f"worse than {_listed(worse)}"] if worse else []
    ends += [f"not shown to be better than {_listed(open_)}"] if open_ else []
    if not ends:
        return _Finding((all_of,), True, f"{said} {found}: every interval of a difference lies above 0.")
    return _Finding(open_, False, f"{said} {found}: {', '.join(ends)}.", worse=worse)


def _short(name: str) -> str:
    return name.removeprefix("the ").removesuffix(" line")


def _identity(reference: Mapping[str, Any]) -> str | None:
    line = reference.get("identity")
    if not line:
        return None
    name = next((n for n in ("auc", "mae") if known(line, n)), None)
    best = (
        "nothing defined" if name is None else f"{name.upper()} {number(line[name])} without a look at a face"
    )
    gap = None if name is None else known(line.get("difference"), name)
    return (
        f"Caution: persons are shared with the training recordings ({line.get('note', 'see below')}). "
        f"Looking a person up reaches {best}"
        + ("" if gap is None else f"; the model minus that is {number(gap)}")
        + ". Results on shared persons say little about others."
    )


_ORACLES = (("raw", "from the raw statistics"), ("relative", "relative to each person's habit"))


def _oracles(reference: Mapping[str, Any]) -> str | None:
    oracle = reference.get("oracle") or {}
    parts = [
        f"{number(oracle[kind]['auc'])} {how}" for kind, how in _ORACLES if known(oracle.get(kind), "auc")
    ]
    if not parts:
        return None
    return (
        "No line to beat, but how much there is to find: an oracle, a linear reader of the truth behind this "
        f"cohort, reaches AUC {' and '.join(parts)}."
    )


def known(line: Mapping[str, Any] | None, name: str) -> Mapping[str, Any] | None:
    """The estimate of a metric, or `None` where the line or the value is missing."""
    estimate: Mapping[str, Any] | None = (line or {}).get(name)
    return estimate if estimate and estimate.get("value") is not None else None


def number(estimate: Mapping[str, Any], digits: int = 2) -> str:
    """A value with its interval, `0.81 [0.72, 0.89]`; a minus sign is typographic."""
    if estimate.get("value") is None:
        return "not defined"
    # adding 0.0 turns the rounded -0.0 into 0.0
    value, *ends = (
        f"{round(estimate[key], digits) + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}")
        for key in ("value", "low", "high")
        if estimate.get(key) is not None
    )
    return f"{value} [{', '.join(ends)}]" if ends else value
