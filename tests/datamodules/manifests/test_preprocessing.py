"""How recordings were preprocessed: read from their cache, compared, and kept apart."""

import json
import shutil

import pandas as pd
import pytest

from datamodules.manifests.manifest import ManifestError, read_manifest
from datamodules.manifests.preprocessing import (
    BadPreprocessing,
    Preprocessing,
    is_version,
    read_preprocessing,
)
from datamodules.manifests.refused_recordings import refused_notes
from datamodules.sources import joined
from tests.face_cache import PROVENANCE, SETTINGS, write_cache, write_record

DIGEST = "a" * 64


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_cache(tmp_path_factory.mktemp("clinic"), persons=2, visits=1, frames=30)


@pytest.fixture
def caches(written, tmp_path):
    """Two caches of the same clips, of which the second gets a record of its own."""

    def make(**record):
        for name in ("one", "two"):
            shutil.copytree(written.parent, tmp_path / name)
        write_record(tmp_path / "two", **record)
        return [tmp_path / name / "manifest.csv" for name in ("one", "two")]

    return make


def record(**changes):
    return {"fingerprint": DIGEST, "settings": SETTINGS, "provenance": PROVENANCE} | changes


def test_a_manifest_says_how_its_recordings_were_made_wherever_it_lies(written, tmp_path):
    manifest = read_manifest(written)
    assert manifest.preprocessing.settings == SETTINGS
    assert manifest.name == written.parent.name
    manifest.write(tmp_path / "some.csv")
    elsewhere = read_manifest(tmp_path / "some.csv")
    assert elsewhere.preprocessing.plain() == manifest.preprocessing.plain()
    assert (elsewhere.name, elsewhere.without_labels().preprocessing is None) == ("some", False)


def test_the_digest_of_the_recordings_does_not_count_it(caches):
    one, two = map(read_manifest, caches(settings={"size": 96}))
    assert one.digest() == two.digest()
    assert one.preprocessing.fingerprint != two.preprocessing.fingerprint
    two.root.joinpath("preprocessing.json").unlink()
    assert read_manifest(two.file).preprocessing is None


def test_a_cache_that_has_lost_its_record_is_not_taken_for_videos(caches):
    one, two = caches(settings={"size": 96})
    for path in (one, two):
        (path.parent / "preprocessing.json").unlink()
        (path.parent / "refused.csv").write_text("recording_id,path,reason\n")
    for path in (one, two):
        with pytest.raises(ManifestError, match=r"preprocessing\.json: is missing.*preprocess\.py"):
            read_manifest(path)


def test_caches_of_two_kinds_are_joined_on_demand_only(caches):
    manifests = list(map(read_manifest, caches(settings={"size": 96})))
    with pytest.raises(ManifestError, match=r"2 kinds .*one.clips.*mixed_preprocessing=true"):
        joined.read(manifests=manifests)
    mixed = joined.read(manifests=manifests, mixed_preprocessing=True).preprocessing
    assert mixed.settings == {"mixed": sorted(one.preprocessing.fingerprint for one in manifests)}
    assert mixed.fingerprint not in mixed.settings["mixed"]
    shutil.copy(manifests[0].root / "preprocessing.json", manifests[1].root)
    same = joined.read(manifests=[read_manifest(one.file) for one in manifests])
    assert same.preprocessing.fingerprint == manifests[0].preprocessing.fingerprint


def test_raw_videos_beside_a_cache_are_refused(caches):
    path, other = caches()
    (other.parent / "preprocessing.json").unlink()
    table = pd.read_csv(path, dtype=str)
    table.loc[1, ["path", "series_path"]] = [str(other.parent / "clips" / "p01_v0.mp4"), ""]
    table.to_csv(path, index=False)
    with pytest.raises(ManifestError, match=r"p01_v0\.mp4 \(none\)"):
        read_manifest(path)
    assert read_manifest(path, mixed_preprocessing=True).preprocessing.settings["mixed"][-1] == "none"


def test_what_differs_is_named_by_its_key():
    was = Preprocessing.of(record())
    networks = [{"name": "mesh", "sha256": "1"}, {"name": "iris", "sha256": "2"}]
    one, two = ({"backend": {"networks": networks, "version": v}, "libraries": {"av": v}} for v in "12")
    settings = {**SETTINGS, "size": 96, "oval": True}
    found = was.differences(Preprocessing.of(record(settings=settings)))
    assert found == {"settings.size": (48, 96), "settings.oval": (None, True)}
    first = Preprocessing.of(record(provenance=one))
    assert all(map(is_version, first.differences(Preprocessing.of(record(provenance=two)))))
    two["backend"]["networks"] = [networks[0] | {"sha256": "9"}, networks[1]]
    found = first.differences(Preprocessing.of(record(provenance=two)))
    assert [key for key in found if not is_version(key)] == ["provenance.backend.networks.mesh.sha256"]
    assert not is_version("settings.version")
    assert not is_version("provenance.libraries.format")


BAD = {
    "a list": ([], "does not hold fingerprint"),
    "more": (record(evil=1), "nothing else"),
    "no digest": (record(fingerprint="../etc"), "no SHA-256"),
    "text": (record(settings="x"), "settings are str"),
    "numbers": (record(settings={"a": float("inf")}), "no plain value"),
    "names": (record(settings={3: 1}), "no text"),
    "deep": (record(settings=json.loads('{"a":' * 40 + "1" + "}" * 40)), "too deeply"),
    "long": (record(provenance={"a": "x" * 100_000}), "longer than"),
}


@pytest.mark.parametrize("case", BAD)
def test_other_values_are_no_record(case):
    content, said = BAD[case]
    with pytest.raises(BadPreprocessing, match=said):
        Preprocessing.of(content)


DAMAGED = {"empty": "", "cut": "{", "list": "[1]", "more": json.dumps(record(evil=1)), "long": " " * 200_000}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_record_stops_the_reading_with_its_name(text, written, tmp_path):
    shutil.copytree(written.parent, tmp_path / "cache")
    (tmp_path / "cache" / "preprocessing.json").write_text(text)
    with pytest.raises(ManifestError, match=r"preprocessing\.json: is not what preprocess\.py writes"):
        read_manifest(tmp_path / "cache" / "manifest.csv")


@pytest.mark.parametrize("beside", ["refused.csv", "encoder_seen.json"])
def test_a_store_that_has_lost_its_record_is_told_of_as_a_store(tmp_path, beside):
    (tmp_path / "tokens").mkdir()
    (tmp_path / beside).write_text("{}")
    with pytest.raises(
        BadPreprocessing, match=r"which encoder made these tokens.*command of encode\.py"
    ) as told:
        read_preprocessing(tmp_path)
    (tmp_path / "preprocessing.json").write_text("[1]")
    with pytest.raises(BadPreprocessing, match=r"is not what encode\.py writes.*Delete it and") as damaged:
        read_preprocessing(tmp_path)
    assert "faces" not in str(told.value) + str(damaged.value)
    (tmp_path / "preprocessing.json").write_text(json.dumps(record()))
    (tmp_path / "refused.csv").write_text("what\nelse\n")
    table = pd.DataFrame({"path": [""], "tokens_path": ["tokens/a.npy"]})
    with pytest.raises(BadPreprocessing, match=r"refused\.csv: is not what encode\.py writes"):
        refused_notes(table, tmp_path)
