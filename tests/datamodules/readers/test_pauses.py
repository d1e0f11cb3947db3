"""A pause in a recording is no damage, however long it lasts and whatever the order of the frames."""

from fractions import Fraction

import av
import numpy as np

from datamodules.readers import open_video


def test_frames_around_a_long_pause_are_exact(tmp_path):
    path, times = tmp_path / "pause.mp4", [number + (500 if number >= 10 else 0) for number in range(20)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 10 * number, np.uint8), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with open_video(path) as video:
        assert video.n_frames == 20
        levels = video.frames([0, 9, 10, 19]).float().mean(dim=(1, 2, 3)).tolist()
    np.testing.assert_allclose(levels, [0, 90, 100, 190], atol=4)
