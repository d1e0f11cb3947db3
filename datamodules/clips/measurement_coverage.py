"""Coverage of a recording by measurements: those with too few are neither trained on nor scored."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from datamodules.clips.dataset import ClipSource
from datamodules.clips.samplers import ClipSampler
from datamodules.manifests.manifest import Recording
from datamodules.series import Series, UnreadableSeries


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Number of `valid` rows among all `rows` of a series, and the `fault` if that does not suffice."""

    valid: int
    rows: int
    fault: str = ""

    @property
    def share(self) -> float:
        """Share of valid rows, 0 to 1."""
        return self.valid / self.rows if self.rows else 0.0

    @property
    def reason(self) -> str:
        """The fault with its numbers; empty where there is none."""
        return f"{self.fault}: {self.valid} of {self.rows} frames hold a measurement" if self.fault else ""


class NothingMeasured(UnreadableSeries):
    """No recording that should be used holds a measurement; `unmeasured` has each with the reason."""

    def __init__(self, what: str, unmeasured: Mapping[str, Coverage]) -> None:
        self.unmeasured = dict(unmeasured)
        listed = "; ".join(f"{name} ({found.reason})" for name, found in list(self.unmeasured.items())[:5])
        super().__init__(
            f"none of the {len(self.unmeasured)} recordings to {what} holds a measurement: {listed}. Extract "
            "them again, or leave them out of the manifest"
        )


def coverage(series: Series, sampler: ClipSampler | None = None) -> Coverage:
    """Count the valid rows of a series and say whether they suffice for training and scoring.

    A second of valid rows is needed, or half of the rows of what is shorter (our choice), and one of the
    clips that evaluation takes must see some of them.

    Args:
        series: The series.
        sampler: Chooses the clips of evaluation; None asks for the rows alone.
    """
    rows, valid = len(series.valid), int(series.valid.sum())
    needed = max(1, min(ceil(series.fps or 1.0), ceil(rows / 2)))
    fault = ""
    if valid < needed:
        fault = "no measurement" if not valid else f"fewer than the {needed} measurements that are needed"
    elif sampler is not None and not any(
        series.valid[indices[real]].any()
        for indices, real in (sampler(rows, clip, None) for clip in range(sampler.count(rows)))
    ):
        fault = "no clip falls on a measurement"
    return Coverage(valid=valid, rows=rows, fault=fault)


def unmeasured(
    recording: Recording, source: ClipSource, sampler: ClipSampler | None = None
) -> Coverage | None:
    """Return the coverage of a recording that lacks measurements; None if it suffices or all frames count.

    Raises:
        UnreadableSeries: The file is missing or damaged.
    """
    series = source.measured(recording)
    if series is None:
        return None
    found = coverage(series, sampler)
    return found if found.fault else None
