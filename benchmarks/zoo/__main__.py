"""Networks of others beside ours on one protocol: `python -m benchmarks.zoo input=series out=outputs/zoo`.

Every entry has to fit 16 recordings first; one that cannot is listed as such. Then each is trained on the
same persons: as many trials at the first seed, among which validation chooses for the other seeds, too. A
unit that is done leaves its `result.json`; started again, the comparison goes on with what is missing. On a
corpus of your own: `overrides=data=manifest,data.path=table.csv`.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from tqdm import tqdm

from benchmarks.zoo.page import write_zoo
from benchmarks.zoo.plan import KINDS, SEEDS, Input, Unit, Zoo
from benchmarks.zoo.table import unfit
from benchmarks.zoo.work import run_unit
from datamodules.command_line import UsageError, run, spelled
from engine.runs.quiet_warnings import quiet
from engine.training.pool import in_pool


def main(
    *,
    input: Input,
    out: Path,
    seeds: int = SEEDS,
    workers: int = 2,
    data: Path = Path("data"),
    entries: tuple[str, ...] = (),
    overrides: tuple[str, ...] = (),
) -> None:
    """Train what is missing and show the table.

    Args:
        input: What the networks read.
        out: Folder of results.
        seeds: Trainings of each entry.
        workers: Processes, one thread each.
        data: Where the cohort is kept.
        entries: Names of networks; all by default. Of series: mpdrm_series, depression_branch,
            mpdrm_abstract_series, lstm, inception_time, tcn, state_space, facial_pulse. Of pixels: mpdrm,
            depression_branch, mpdrm_abstract, mpdrm_timm, mdn_50, msn, li_fpn, sta_drn, lmtformer, pra_net,
            dep_mgnn, r3d_18, r2plus1d_18, s3d, mvit_v2_s, swin3d_t, resnet18_frames, vit_video.
        overrides: Of conf/train.yaml, for every training.
    """
    quiet()
    zoo = Zoo(input=input, out=out, data=data, seeds=seeds, entries=entries, further=overrides)
    try:
        units = zoo.units()
    except ValueError as error:
        raise UsageError(str(error)) from error
    missing = [unit for unit in units if not _done(unit)]
    out.mkdir(parents=True, exist_ok=True)
    try:
        with (
            tqdm(total=len(units), initial=len(units) - len(missing), desc="zoo", unit="unit") as bar,
            tempfile.TemporaryDirectory(prefix=".work-", dir=out) as work,
        ):
            for name in in_pool(partial(run_unit, work=Path(work)), _stages(units, missing), workers=workers):
                bar.update()
                bar.set_postfix_str(name)
    except KeyboardInterrupt:
        sys.exit("interrupted: what is finished is kept, the same command goes on from there")
    given = {"seeds": seeds, "entries": entries, "overrides": overrides}
    chosen = spelled(input=input, **{key: value for key, value in given.items() if value}, out=out)
    sys.stdout.write(
        write_zoo([one for one in units if _done(one)], command=f"python -m benchmarks.zoo {chosen}", out=out)
    )


def _stages(units: Sequence[Unit], missing: Sequence[Unit]) -> Iterator[list[Unit]]:
    """The lines, the fits, then of entries that can fit the trials, and the trainings at their rate."""
    for kind in KINDS:
        cannot = set(unfit(units)) if kind in ("trials", "training") else set()
        yield [one for one in missing if one.kind == kind and one.entry.name not in cannot]


def _done(unit: Unit) -> bool:
    if not unit.result.is_file():
        return False
    earlier = json.loads(unit.result.read_text(encoding="utf-8"))
    if earlier["overrides"] != list(unit.overrides):
        raise UsageError(f"{unit.result}: made with other settings; take another out= or delete it")
    return True


if __name__ == "__main__":
    sys.exit(run(main))
