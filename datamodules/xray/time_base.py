"""Clocks that contradict each other, the table, or themselves: `time_base`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from datamodules.wording import first_few
from datamodules.xray.defect import Defect, defect_of
from datamodules.xray.durations import Stated, odd_between_sets, odd_lengths, odd_rows
from datamodules.xray.measured import Measured
from datamodules.xray.survey import Survey

# All our choices; docs/guide/xray.md says why.
APART = 0.03  # as for series: 24 and 25 frames/s are told apart, 29.97 and 30 are not
_THOUSAND = (300.0, 3000.0)  # times as fast or slow as the others: seconds for milliseconds or the other way
_SLOWEST, _FASTEST = 0.005, 2000.0  # rows/s, beyond which a unit is wrong whatever the others say
_AGREE = 0.8  # of the recordings, before one that differs is a fault
_LONGEST = 400  # letters of what is told of the same recordings


def time_base(found: Survey, table: pd.DataFrame) -> tuple[list[Defect], int]:
    """Defects, and how many clocks and stated rates were looked at.

    Args:
        found: What the pass found.
        table: With `recording_id`, and `fps`, `n_frames`, `duration_s` where it states them.
    """
    timed = [one for one in found.measured if one.clock is not None]
    stated = {name: _column(table, name) for name in ("fps", "n_frames", "duration_s")}
    ids = table["recording_id"].astype(str).tolist()
    defects = [*odd_rows(ids, stated), *_of_table(stated["fps"])]
    for own in found.sets().values():
        clocked = [one for one in own if one.clock is not None]
        for check in (_backwards, _changing):
            defects += check(clocked)
        wrong = _units(clocked, stated["fps"])
        defects += _said("s and ms are mixed", wrong)
        rest = [one for one in clocked if one.file not in {bad.file for bad, _ in wrong}]
        for detector in (_against_file, _other_rates):
            defects += detector(rest)
        defects += _against_table(rest, stated["fps"])
        defects += _said("the duration does not fit", odd_lengths(rest, stated["duration_s"]))
    defects += odd_between_sets(timed)
    return _merged(defects), len(timed) + sum(len(values) for values in stated.values())


def _column(table: pd.DataFrame, name: str) -> dict[str, float]:
    """What the table states by recording, without what is empty."""
    if name not in table:
        return {}
    values = pd.to_numeric(table[name], errors="coerce")
    ids = table["recording_id"].astype(str)
    return {own: float(one) for own, one in zip(ids, values, strict=True) if np.isfinite(one) and one > 0}


def _said(what: str, wrong: Sequence[tuple[Measured, str]]) -> list[Defect]:
    if not wrong:
        return []
    first, said = wrong[0]
    text = f"{first.column}: {what} in {len(wrong)} file(s): {first.file} {said}"
    return [defect_of("time_base", text, [one for one, _ in wrong])]


def _checked(what: str, own: Sequence[Measured], said: Callable[[Measured], str]) -> list[Defect]:
    return _said(what, [(one, told) for one in own if (told := said(one))])


def _backwards(own: Sequence[Measured]) -> list[Defect]:
    def said(one: Measured) -> str:
        clock = one.clock
        return f"in row {clock.back} ({clock.backs} such rows)" if clock is not None and clock.backs else ""

    return _checked("times do not grow from row to row", own, said)


def _changing(own: Sequence[Measured]) -> list[Defect]:
    def said(one: Measured) -> str:
        clock = one.clock
        if clock is None or clock.slow is None or clock.fast is None:
            return ""
        parts = sorted((clock.slow, clock.fast), key=lambda part: part[1])
        return " and ".join(f"{rate:.4g}/s from row {row} on" for rate, row in parts)

    return _checked("the rate changes within the recording", own, said)


def _units(own: Sequence[Measured], fps: Stated) -> list[tuple[Measured, str]]:
    """Files whose times are a thousand times as fast or slow as those of others, as stated, or as can be."""
    rates = {one.file: one.clock.rate for one in own if one.clock is not None and one.clock.rate}
    if not rates:
        return []
    sane = [rate for rate in rates.values() if _SLOWEST <= rate <= _FASTEST]
    usual = float(np.median(sane)) if sane else None
    wrong = []
    for one in own:
        rate = rates.get(one.file)
        if rate is None:
            continue
        said = next((fps[name] for name in one.owners if name in fps), None)
        against = [known for known in (usual, said) if known]
        far = [known for known in against if _THOUSAND[0] < max(rate / known, known / rate) < _THOUSAND[1]]
        if far or not _SLOWEST <= rate <= _FASTEST:
            others = f", where others have {far[0]:.4g}" if far else ""
            wrong.append((one, f"has {rate:.4g} rows/s in the unit that it names{others}"))
    return wrong


def _against_file(own: Sequence[Measured]) -> list[Defect]:
    def said(one: Measured) -> str:
        clock = one.clock
        if clock is None or not clock.rate or not clock.stated or _near(clock.rate, clock.stated):
            return ""
        return f"states {clock.stated:.4g}/s, its times tell {clock.rate:.4g}"

    return _checked("the stated rate is not that of the times", own, said)


def _against_table(own: Sequence[Measured], fps: Stated) -> list[Defect]:
    """Files whose rate is not what the table states; of feature sets, not in the usual proportion to it.

    An extractor may give a row for every fifth picture: of a set, what all of its files share is no fault.
    """
    pairs = [
        (one, rate, fps[name])
        for one in own
        if one.clock is not None and (rate := one.clock.rate or one.clock.stated)
        for name in one.owners[:1]
        if name in fps
    ]
    if not pairs:
        return []
    ratios = np.log([rate / stated for _, rate, stated in pairs])
    usual = _mode(ratios) if not pairs[0][0].column.startswith("series_path") else 0.0
    wrong = [
        (one, f"has {rate:.4g}/s, the table states {stated:.4g}")
        for (one, rate, stated), ratio in zip(pairs, ratios, strict=True)
        if abs(ratio - usual) > np.log1p(APART)
    ]
    if usual and len(wrong) > (1 - _AGREE) * len(pairs):
        return []  # the table is about another clock
    return _said("the rate is not the stated one", wrong)


def _other_rates(own: Sequence[Measured]) -> list[Defect]:
    """Files of another rate than most."""
    rates = {
        one.file: float(rate)
        for one in own
        if one.clock is not None and (rate := one.clock.rate or one.clock.stated)
    }
    if len(rates) < 3:
        return []
    logs = np.log(list(rates.values()))
    usual = _mode(logs)
    wrong = [
        (one, f"has {rates[one.file]:.4g}/s, most have {np.exp(usual):.4g}")
        for one in own
        if one.file in rates and abs(np.log(rates[one.file]) - usual) > np.log1p(APART)
    ]
    return _said("other rates than in most recordings", wrong)


def _mode(logs: np.ndarray) -> float:
    """The value (of N) within `APART` of which most others lie; their median."""
    near = np.abs(logs[:, None] - logs) <= np.log1p(APART) if len(logs) <= 4000 else None
    if near is None:
        return float(np.median(logs))
    return float(np.median(logs[near[near.sum(axis=1).argmax()]]))


def _of_table(fps: Stated) -> Iterator[Defect]:
    """Stated of the table that differ from those of most recordings."""
    if len(fps) < 3:
        return
    usual = _mode(np.log(list(fps.values())))
    other = [name for name, rate in fps.items() if not _near(rate, float(np.exp(usual)))]
    if other:
        rates = first_few(sorted({f"{fps[name]:.4g}" for name in other}), 3)
        text = (
            f"the table: other rates than in most recordings: {first_few(other, 5)} have {rates}/s, most "
            f"{np.exp(usual):.4g}"
        )
        yield Defect(kind="time_base", text=text, recordings=tuple(other))


def _merged(defects: Sequence[Defect]) -> list[Defect]:
    """Defects of different recordings; the first that is told of the same also names their other files."""
    found: dict[frozenset[str], Defect] = {}
    for one in defects:
        key = frozenset(one.recordings)
        if key in found:
            files = tuple(dict.fromkeys([*found[key].files, *one.files]))
            also = f"{found[key].text}; {one.text}"
            found[key] = replace(
                found[key], files=files, text=also if len(also) <= _LONGEST else found[key].text
            )
        else:
            found[key] = one
    return list(found.values())


def _near(one: float, other: float) -> bool:
    return bool(abs(np.log(one / other)) <= np.log1p(APART))
