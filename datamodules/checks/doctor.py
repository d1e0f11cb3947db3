"""Check of this machine for decoding and training: `python -m datamodules.checks.doctor`.

It names versions, cores, memory, GPUs and native libraries, and then tries each reader on a small video
whose frames are known. The exit status is 0 unless no reader works.
"""

import ctypes
import ctypes.util
import os
import platform
import shutil
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import av
import numpy as np
import torch
from torch import Tensor

from datamodules.command_line import run
from datamodules.readers import DeviceDecoder, VideoSource, open_video
from datamodules.user_cache import cache_folder

Row = tuple[str, str]

_TRAINING = ("torch", "torchvision", "pytorch-lightning", "torchmetrics", "timm")
PACKAGES = (*_TRAINING, "numpy", "av", "torchcodec", "decord")
READERS = ("pyav", "torchcodec", "decord", "auto")
_FRAMES, _SIDE, _STEP = 24, 64, 8  # the test video: frame n is a plane of gray level 32 + 8 n
_TOLERANCE = 3  # gray levels; half a step would be the next frame


def main() -> int:
    """Write the report to the terminal and return the exit status."""
    sections = {"Machine": machine(), "Packages": packages(), "GPU": gpus(), "Native libraries": libraries()}
    for title, rows in sections.items():
        _write(title, rows)
    checks = check_readers()
    _write("Readers, tried on a small video", [(name, verdict) for name, _, verdict in checks])
    works = any(ok for _, ok, _ in checks)
    sys.stdout.write("\nVideo can be read here.\n" if works else "\nNo reader works here: pip install av\n")
    return 0 if works else 1


def machine() -> list[Row]:
    """Describe cores, memory and disk."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    rows = [
        ("Python", f"{platform.python_version()} on {platform.platform()}"),
        ("CPU cores", f"{cores} usable"),
        ("Memory", _memory()),
        ("Free disk here", _free(Path.cwd())),
        ("Index cache", f"{cache_folder('packets')} ({_free(cache_folder('packets'))} free)"),
    ]
    shared = Path("/dev/shm")  # data loader workers hand over their batches here
    if shared.is_dir():
        rows.append(("Shared memory", f"{_free(shared)} free for data loader workers"))
    return rows


def packages() -> list[Row]:
    """List the installed versions of what decoding and training stand on."""
    return [(name, _version(name)) for name in PACKAGES]


def gpus() -> list[Row]:
    """List the CUDA devices and whether their video engine can be reached."""
    if not torch.cuda.is_available():
        built = f"CUDA {torch.version.cuda}" if torch.version.cuda else "the CPU"
        return [("CUDA", f"none (torch is built for {built}, no device answers)")]
    rows = []
    for number in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(number)
        rows.append((f"cuda:{number}", f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB"))
    return rows


def libraries() -> list[Row]:
    """List the native libraries: FFmpeg's for torchcodec, the driver's for decoding on the GPU."""
    found = {name: ctypes.util.find_library(name) for name in ("avcodec", "avformat", "avutil", "swscale")}
    missing = [name for name, where in found.items() if where is None]
    ffmpeg = f"missing: lib{', lib'.join(missing)} (torchcodec needs them; for example apt install ffmpeg)"
    no_engine = "no (in a container: NVIDIA_DRIVER_CAPABILITIES must include video)"
    return [
        ("FFmpeg, of the system", ffmpeg if missing else ", ".join(str(where) for where in found.values())),
        ("FFmpeg, inside PyAV", f"libavcodec {'.'.join(map(str, av.library_versions['libavcodec']))}"),
        ("NVDEC (libnvcuvid)", "yes" if _loads("libnvcuvid.so.1") else no_engine),
    ]


def check_readers() -> list[tuple[str, bool, str]]:
    """Try each reader: its name, whether it is exact, and what happened."""
    with tempfile.TemporaryDirectory() as folder:
        path = _small_video(Path(folder))
        wanted = [0, 20, 7, 7, _FRAMES - 1]
        try:
            with open_video(path, reader="pyav") as video:
                reference: Tensor | None = video.frames(wanted)
        except Exception:  # the loop below reports it
            reference = None
        results = [_check(name, path, wanted, reference) for name in READERS]
        return [*results, _check_device(path, wanted)]


def _check(name: str, path: Path, wanted: list[int], reference: Tensor | None) -> tuple[str, bool, str]:
    try:
        with open_video(path, reader=name) as video:
            frames, kind = video.frames(wanted), type(video).__name__
    except Exception as error:  # whatever happens is what there is to report
        return name, False, f"no: {error}".replace(f"{path}: ", "").splitlines()[0]
    if not _are_exact(frames, wanted):
        return name, False, "no: it returned other frames than it was asked for"
    same = reference is not None and torch.equal(frames, reference)
    chosen = f" ({kind})" if name == "auto" else ""
    return name, True, f"yes, frames exact, {'pixels as pyav' if same else 'pixels differ from pyav'}{chosen}"


def _check_device(path: Path, wanted: list[int]) -> tuple[str, bool, str]:
    """Decode a coded clip the way `decode=device` does."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    name = f"decode=device on {device}"
    decoder = DeviceDecoder(height=_SIDE, width=_SIDE)
    try:
        clip = VideoSource(height=_SIDE, width=_SIDE, reader="pyav", decode="device").encoded(path, wanted)
        exact = _are_exact(decoder([clip], device)[0].cpu(), wanted)
    except Exception as error:  # as above
        return name, False, f"no: {error}".splitlines()[0]
    how = "by the CPU, as the engine does not answer" if decoder.fell_back else "by the video engine"
    how = how if device.type == "cuda" else "by the CPU"
    return name, exact, f"yes, frames exact, decoded {how}" if exact else "no: it returned other frames"


def _are_exact(frames: Tensor, wanted: list[int]) -> bool:
    expected = torch.tensor([32.0 + _STEP * number for number in wanted])
    return bool(((frames.float().mean(dim=(1, 2, 3)) - expected).abs() < _TOLERANCE).all())


def _small_video(folder: Path) -> Path:
    path = folder / "doctor.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"g": "8", "bf": "2", "crf": "10"})
        stream.width, stream.height, stream.pix_fmt = _SIDE, _SIDE, "yuv420p"
        for number in range(_FRAMES):
            plane = np.full((_SIDE, _SIDE, 3), 32 + _STEP * number, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(plane, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def _memory() -> str:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return "unknown"
    return f"{total / 2**30:.0f} GiB"


def _free(folder: Path) -> str:
    existing = next((parent for parent in (folder, *folder.parents) if parent.exists()), Path("/"))
    return f"{shutil.disk_usage(existing).free / 2**30:.1f} GiB"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _write(title: str, rows: list[Row]) -> None:
    sys.stdout.write(f"\n{title}\n")
    sys.stdout.writelines(f"  {name:<24}{value}\n" for name, value in rows)


if __name__ == "__main__":
    raise SystemExit(run(main))
