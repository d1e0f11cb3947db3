from engine.config.differences import canonical_json, config_hash, differences, moved


def test_hash_ignores_where_a_run_writes_and_nothing_else():
    config = {"seed": 0, "model": {"dim": 4}, "paths": {"output": "a"}, "logger": None, "ckpt_path": None}
    moved = config | {"paths": {"output": "b"}, "logger": {"csv": 1}, "ckpt_path": "last.ckpt"}
    assert config_hash(config) == config_hash(moved)
    assert config_hash(config) != config_hash(config | {"seed": 1})
    assert config_hash(config) != config_hash(config | {"model": {"dim": 5}})


def test_canonical_json_has_one_spelling():
    assert (
        canonical_json({"b": 1, "a": [1, 2]}) == canonical_json({"a": [1, 2], "b": 1}) == '{"a":[1,2],"b":1}'
    )


def test_moving_a_run_moves_its_paths_and_no_others():
    config = {
        "paths": {"output": "/run", "data": "/runs"},
        "dirs": ["/run/checkpoints", "/run", "/running", 3],
    }
    assert moved(config, "/fold") == {
        "paths": {"output": "/fold", "data": "/runs"},
        "dirs": ["/fold/checkpoints", "/fold", "/running", 3],
    }
    assert config["paths"]["output"] == "/run"


READ = {"_target_": "read", "root": "/a/x", "workers": 2, "scale": "PHQ-8"}


def read_from(place, **changed):
    node = READ | {"root": place} | changed
    manifest = {"_target_": "join", "manifest": node, "manifests": [{"path": place, "manifest": node}]}
    return {"paths": {"output": "run"}, "data": {"root": place, "path": f"{place}.csv", "manifest": manifest}}


def test_data_may_lie_elsewhere_at_any_depth_and_be_nothing_else():
    assert differences(read_from("/a"), read_from("/b", workers=4)) == []
    assert differences({"paths": {"output": "run"}}, {"paths": {"output": "run"}}) == []
    found = differences(read_from("/a"), read_from("/b", scale="PHQ-9"))
    assert [line.partition(":")[0] for line in found] == [
        "data.manifest.manifest.scale",
        "data.manifest.manifests",
    ]
    assert "/a" not in "".join(found)
