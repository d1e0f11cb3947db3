import gzip
import io
import pickle
import zipfile

import cv2
import numpy as np
import pytest

from datamodules.readers import UnreadableVideo, open_video
from datamodules.readers.file_kind import plain_reason
from tests.datamodules.readers.videos import truncated


def archive():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a", "b")
    return buffer.getvalue()


KINDS = {
    "text": ("Dear all,\n" * 90).encode(),
    "text ": ("Größe " * 3000).encode()[: 4096 * 2],
    "text  ": b"hi",
    "ZIP": archive(),
    "gzip": gzip.compress(b"text"),
    "PNG": cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))[1].tobytes(),
    "JPEG": cv2.imencode(".jpg", np.zeros((4, 4, 3), np.uint8))[1].tobytes(),
    "zeros": bytes(5000),
    "AppleDouble": bytes.fromhex("0005160700020000") + b"Mac OS X        ",
    "no kind of video": np.random.default_rng(0).bytes(5000),
}


@pytest.mark.parametrize("word", KINDS)
def test_what_a_file_is_is_told_in_plain_words(word, tmp_path):
    path = tmp_path / "x.mp4"
    path.write_bytes(KINDS[word])
    assert word.strip() in plain_reason(path)


def test_a_video_cut_before_its_table_is_told(video, tmp_path):
    with pytest.raises(UnreadableVideo, match=r"table of contents .* the copy was cut off"):
        open_video(truncated(video("b_frames"), keep=0.6))
    (tmp_path / "notes.mp4").write_text("Dear all,\n" * 90)
    with pytest.raises(UnreadableVideo, match="it is text") as told:
        open_video(tmp_path / "notes.mp4")
    assert told.value.reason == pickle.loads(pickle.dumps(told.value)).reason == "it is text"
