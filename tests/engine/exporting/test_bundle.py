"""The file of an export: what is in it comes out again, and a changed byte is found wherever it lies."""

import hashlib
import json
import zipfile

import pytest

from engine.exporting.bundle import CARD, CERTIFICATE, RECORD, ExportError, read_bundle, write_bundle

MEMBERS = {CARD: b'{"a": 1}', RECORD: b"{}", "network.onnx": bytes(range(64))}


@pytest.fixture
def bundle(tmp_path):
    path = tmp_path / "best.onnx.zip"
    write_bundle(path, MEMBERS, {"format": "onnx"})
    return path


def sealed(path):
    """Give a zip the seal that a bundle has, as somebody could who rewrites one on purpose."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = b"0" * 64
    body = path.read_bytes()[:-64]
    path.write_bytes(body + hashlib.sha256(body).hexdigest().encode())
    return path


def test_the_members_come_out_as_they_went_in(bundle):
    found = read_bundle(bundle)
    certificate = json.loads(found.pop(CERTIFICATE))
    assert found == MEMBERS
    assert certificate["format"] == "onnx"
    assert certificate["sha256"] == {
        name: hashlib.sha256(content).hexdigest() for name, content in MEMBERS.items()
    }


def test_any_tool_opens_it_and_the_same_members_make_the_same_file(bundle, tmp_path):
    with zipfile.ZipFile(bundle) as archive:
        assert archive.read("network.onnx") == MEMBERS["network.onnx"]
    write_bundle(tmp_path / "again.zip", MEMBERS, {"format": "onnx"})
    assert (tmp_path / "again.zip").read_bytes() == bundle.read_bytes()


def test_a_flipped_byte_is_refused_wherever_it_lies_and_its_member_named(bundle):
    whole = bundle.read_bytes()
    with zipfile.ZipFile(bundle) as archive:
        places = {}
        for one in archive.infolist():
            start = one.header_offset + 30 + len(one.filename)  # a local header has 30 bytes and the name
            places |= dict.fromkeys(range(start, start + one.file_size), one.filename)
    assert len(whole) > len(places) > 300
    for place in range(len(whole)):
        bundle.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(ExportError, match="altered or damaged") as caught:
            read_bundle(bundle)
        named = [places[place]] if place in places else [*MEMBERS, CERTIFICATE, "its directory"]
        assert any(f"{name} was altered" in str(caught.value) for name in named), place


def test_a_file_that_was_cut_off_or_lengthened_is_refused(bundle):
    whole = bundle.read_bytes()
    for changed in (b"", whole[:-1], whole[:100], whole + b"0"):
        bundle.write_bytes(changed)
        with pytest.raises(ExportError):
            read_bundle(bundle)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ExportError, match=r"none\.zip: no such file"):
        read_bundle(tmp_path / "none.zip")


@pytest.mark.parametrize("kept", [True, False])
def test_a_right_seal_does_not_cover_a_member_with_another_digest(bundle, tmp_path, kept):
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(bundle) as source, zipfile.ZipFile(other, "w") as target:
        for one in source.infolist():
            if one.filename != "network.onnx":
                target.writestr(one, source.read(one))
            elif kept:
                target.writestr(one.filename, b"another network")
    with pytest.raises(ExportError, match="not those that it certifies"):
        read_bundle(sealed(other))


def test_a_packed_bundle_is_refused_as_it_could_grow(bundle, tmp_path):
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(bundle) as source, zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as target:
        for one in source.infolist():
            target.writestr(one.filename, source.read(one))
    with pytest.raises(ExportError, match="no bundle"):
        read_bundle(sealed(other))


def test_another_zip_is_refused(tmp_path):
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "b")
    with pytest.raises(ExportError, match=r"no bundle of export\.py"):
        read_bundle(path)
