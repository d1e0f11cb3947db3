"""Action units that a series holds as intensities, and selections that report the missing ones.

OpenFace 2 measures no intensity of AU16, AU18, AU19, AU27 and AU28 (of AU28 the presence only), so the sums
and selections of published work that names it and them cannot be what their tables say.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datamodules.series import Series
from datamodules.series.channel_schema import au

# Sun, Zhang & Men (IEIE SPC 12(6), 511, 2023), section 3.4; there is no AU3 in adults, and OpenFace, which
# they name, measures none of 18, 19 and 27.
SUN_2023 = (1, 2, 3, 4, 5, 7, 9, 12, 15, 18, 19, 27)
SUN_2023_SELECTED = (4, 7, 9, 12, 18, 27)  # their table 2


@dataclass(frozen=True, kw_only=True)
class Availability:
    """Names of the wanted units by availability: measured as intensity, missing, or replaced by presence."""

    found: tuple[str, ...]
    missing: tuple[str, ...]
    substituted: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every unit was measured as intensity."""
        return not self.missing and not self.substituted

    def __str__(self) -> str:
        parts = [f"found {', '.join(self.found) or 'none'}"]
        parts += [f"missing {', '.join(self.missing)}"] * bool(self.missing)
        parts += [f"presence in place of intensity of {', '.join(self.substituted)}"] * bool(self.substituted)
        return "; ".join(parts)


def available(series: Series, units: Sequence[int], *, substitute: bool = False) -> Availability:
    """Which units the series holds as intensities.

    Args:
        series: The series.
        units: Numbers of the units.
        substitute: Count a unit of which only the presence is known as substituted, not as missing.
    """
    found = tuple(au(unit) for unit in units if au(unit) in series.channels)
    absent = [unit for unit in units if au(unit) not in series.channels]
    present = [unit for unit in absent if substitute and au(unit, "present") in series.channels]
    return Availability(
        found=found,
        missing=tuple(au(unit) for unit in absent if unit not in present),
        substituted=tuple(au(unit) for unit in present),
    )


def select_units(
    series: Series, units: Sequence[int], *, presence_intensity: float | None = None
) -> tuple[Series, Availability]:
    """Intensities of the units that are there, in the given order, and the report of the others.

    Args:
        series: The series.
        units: Numbers of the units.
        presence_intensity: Intensity (0-5) that stands for a present unit whose intensity was not measured;
            None substitutes nothing.

    Raises:
        ValueError: None of the units is there, a unit is named twice, or the intensity cannot be.
    """
    if len(set(units)) != len(units):
        raise ValueError(f"units {tuple(units)} names one of them twice")
    if presence_intensity is not None and not 0 < presence_intensity <= 5:
        raise ValueError(f"presence_intensity={presence_intensity} is no intensity above 0 and up to 5")
    report = available(series, units, substitute=presence_intensity is not None)
    kept = [au(unit) for unit in units if au(unit) not in report.missing]
    if not kept:
        raise ValueError(
            f"none of {', '.join(map(au, units))} is there (found: {', '.join(series.channels)})"
        )
    columns = []
    for name in kept:
        replaced = name in report.substituted
        values = series.values[:, series.channels.index(f"{name}_present" if replaced else name)]
        columns.append(values * np.float32(presence_intensity or 0) if replaced else values)
    selected = Series(
        values=np.stack(columns, axis=1).astype(np.float32),
        channels=tuple(kept),
        valid=series.valid,
        fps=series.fps,
        seconds=series.seconds,
    )
    return selected, report
