"""Files of features as programs write them, and as disks and persons damage them."""

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.series import channel_schema

OPENFACE = "frame, face_id, timestamp, confidence, success, AU01_r, AU12_r"
ROWS = 40


def openface(rows: int = ROWS, *, time=lambda i: i / 30, frame=lambda i: i + 1, head: str = OPENFACE) -> str:
    """An OpenFace table of noise with two action units."""
    level = np.random.default_rng(0).uniform(0.5, 3, (rows, 2))
    lines = [
        f"{frame(i)}, 0, {time(i):.3f}, 0.98, 1, {level[i, 0]:.2f}, {level[i, 1]:.2f}" for i in range(rows)
    ]
    return "\n".join([head, *lines]) + "\n"


def plain(rows: int = ROWS, **columns) -> pd.DataFrame:
    """A table of our own with two noisy channels."""
    rng = np.random.default_rng(1)
    return pd.DataFrame(columns | {"au04": rng.uniform(0, 2, rows), "au12": rng.uniform(0, 2, rows)})


def text(name: str, content: str | bytes):
    """A file of this text."""

    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def csv(table: pd.DataFrame, name: str = "s.csv"):
    return text(name, table.to_csv(index=False))


def npz(**arrays):
    """Our archive of two channels with some arrays changed; None leaves one out."""
    values = np.random.default_rng(2).normal(size=(ROWS, 2)).astype(np.float32)
    held = {"values": values, "channels": np.array(["au04", "au12"]), "fps": 25.0} | arrays

    def write(folder: Path) -> Path:
        np.savez(folder / "s.npz", **{name: array for name, array in held.items() if array is not None})
        return folder / "s.npz"

    return write


def packed(content: bytes, name: str = "s.csv.gz"):
    return text(name, gzip.compress(content))


def archive(content: bytes, name: str = "values.npy"):
    """A zip of one member."""

    def write(folder: Path) -> Path:
        with zipfile.ZipFile(folder / "s.npz", "w", zipfile.ZIP_DEFLATED) as stream:
            stream.writestr(name, content)
        return folder / "s.npz"

    return write


def parquet(table: pd.DataFrame, *, index: bool = False):
    def write(folder: Path) -> Path:
        table.to_parquet(folder / "s.parquet", index=index)
        return folder / "s.parquet"

    return write


def array(values: np.ndarray, name: str = "001_A_1.npy", *, pickled: bool = False):
    def write(folder: Path) -> Path:
        np.save(folder / name, values, allow_pickle=pickled)
        return folder / name

    return write


def place(make):
    """A path that is no regular file."""

    def write(folder: Path) -> Path:
        path = folder / "s.csv"
        make(path)
        return path

    return write


def line(content: str, row: int, new: str) -> str:
    lines = content.splitlines()
    lines[row + 1] = new
    return "\n".join(lines) + "\n"


def fex(rows: int = ROWS, **columns) -> pd.DataFrame:
    """A py-feat table."""
    rng = np.random.default_rng(3)
    held = {"frame": np.arange(rows), "FaceRectX": 1.0, "FaceScore": 0.9, "AU01": rng.uniform(0, 1, rows)}
    return pd.DataFrame(held | columns)


def libreface(step: float, frames=None) -> pd.DataFrame:
    frames = np.arange(ROWS) if frames is None else frames
    au = np.random.default_rng(4).uniform(0, 3, len(frames))
    return pd.DataFrame({"frame_idx": frames, "frame_time_in_ms": frames * step, "au_1_intensity": au})


def mediapipe(**columns) -> pd.DataFrame:
    shapes = np.random.default_rng(5).uniform(0, 1, (ROWS, 52))
    return pd.DataFrame(columns | dict(zip(channel_schema.BLENDSHAPES, shapes.T, strict=True)))


def opendbm(**columns) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    return pd.DataFrame(
        columns | {"fac_AU01int": rng.uniform(0, 3, ROWS), "fac_AU12int": 1 + rng.uniform(0, 1, ROWS)}
    )


def clnf(step: float):
    """DAIC-WOZ's gaze file alone."""
    rng = np.random.default_rng(7)
    clock = {
        "frame": np.arange(1, ROWS + 1),
        "timestamp": np.arange(ROWS) * step,
        "confidence": 1.0,
        "success": 1,
    }
    held = pd.DataFrame(clock | {"AU01_r": rng.uniform(0, 3, ROWS)})
    return csv(held, "300_CLNF_AUs.txt")


def cells(last: str) -> str:
    """OpenFace's table whose action units are this text in every row."""
    rows = (f"{i + 1}, 0, {i / 30:.3f}, 0.98, 1, {last}" for i in range(ROWS))
    return "\n".join([OPENFACE, *rows]) + "\n"


CLOCK = np.arange(ROWS)
TABLE = openface()
