import av
import numpy as np
import pytest

from datamodules.synthetic.video import GOP, write_video


@pytest.fixture
def frames():
    ramp = np.linspace(0, 255, 64, dtype=np.float64)
    return [
        np.repeat(np.tile(np.roll(ramp, 2 * t), (48, 1))[..., None], 3, axis=2).astype(np.uint8)
        for t in range(30)
    ]


def test_file_holds_the_frames(tmp_path, frames):
    path = tmp_path / "a.mp4"
    assert write_video(path, frames, fps=15) == 30
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoded = list(container.decode(stream))
        assert (stream.codec_context.name, stream.pix_fmt, float(stream.average_rate)) == (
            "h264",
            "yuv420p",
            15.0,
        )
    assert [int(f.pts * f.time_base * 15 + 0.5) for f in decoded] == list(range(30))
    assert not any(f.pict_type == av.video.frame.PictureType.B for f in decoded)
    assert [t for t, f in enumerate(decoded) if f.key_frame] == list(range(0, 30, GOP))
    for sent, got in zip(frames, decoded, strict=True):
        assert np.abs(sent.astype(int) - got.to_ndarray(format="rgb24").astype(int)).mean() < 6


@pytest.mark.slow
def test_same_frames_give_the_same_bytes(tmp_path, frames):
    # Many times: an encoder that reads memory it never wrote goes wrong rarely.
    seen, litter = set(), []
    rng = np.random.default_rng(0)
    for _ in range(100):
        litter = [*litter[-9:], rng.integers(0, 255, rng.integers(5_000, 30_000), dtype=np.uint8)]
        write_video(tmp_path / "a.mp4", [frame.copy() for frame in frames], fps=15)
        seen.add((tmp_path / "a.mp4").read_bytes())
    assert len(seen) == 1


def test_a_crash_leaves_no_half_file(tmp_path, frames):
    def broken():
        yield from frames[:5]
        raise RuntimeError("power cut")

    path = tmp_path / "a.mp4"
    write_video(path, frames, fps=15)
    before = path.read_bytes()
    with pytest.raises(RuntimeError, match="power cut"):
        write_video(path, broken(), fps=15)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda f: [], "at least one"),
        (lambda f: [f[0][:47]], "even sizes"),
        (lambda f: [f[0], f[1][:46]], "frame 1"),
    ],
)
def test_frames_it_cannot_store_are_refused(tmp_path, frames, make, message):
    with pytest.raises(ValueError, match=message):
        write_video(tmp_path / "a.mp4", make(frames), fps=15)
    assert list(tmp_path.iterdir()) == []
