import pyarrow as pa
import pytest

from datamodules.manifests.index.sealed_file import Damaged, read_sealed, write_sealed

TABLE = pa.table(
    {"name": pa.array(["a", "", "\u00fc"], pa.large_string()), "value": [1.0, float("nan"), -0.0]}
)


def test_what_was_written_is_read_and_mapped(tmp_path):
    write_sealed(tmp_path / "t", TABLE, {"source": "x", "numbers": [1, 2]})
    before = pa.total_allocated_bytes()
    table, head = read_sealed(tmp_path / "t")
    assert table["name"].to_pylist() == ["a", "", "\u00fc"]
    assert str(table["value"].to_pylist()) == "[1.0, nan, -0.0]"
    assert head == {"source": "x", "numbers": [1, 2]}
    assert pa.total_allocated_bytes() == before  # on the memory of the file


def test_every_flipped_byte_and_every_cut_is_seen(tmp_path):
    place = tmp_path / "t"
    write_sealed(place, TABLE, {"source": "x"})
    content = place.read_bytes()
    for at in range(0, len(content), 7):
        place.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(Damaged):
            read_sealed(place)
    for length in range(0, len(content), 41):
        place.write_bytes(content[:length])
        with pytest.raises(Damaged):
            read_sealed(place)
    with pytest.raises(FileNotFoundError):
        read_sealed(tmp_path / "none")
