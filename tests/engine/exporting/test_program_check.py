"""What a saved program may hold: torch would run what lies in a changed one, and it is refused unloaded."""

import io
import json
import pickle
import zipfile

import pytest
import torch
from torch import nn
from torch.export import Dim

from engine.exporting.bundle import ExportError
from engine.exporting.program_check import checked_program


class _Small(nn.Module):
    """Has what our programs have: weights, a constant, a size that is computed, inputs by name."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.register_buffer("scale", torch.tensor(2.0))

    def forward(self, *given):
        x, mask = given
        pairs = (mask[:, None] == mask[None, :]).flatten()
        return self.linear(x) * self.scale + torch.ones(2), pairs.sum() / pairs.shape[0]


@pytest.fixture(scope="module")
def saved():
    size = Dim("batch", min=1)
    given = (torch.randn(4, 3), torch.ones(4, dtype=torch.bool))
    shapes = (({0: size}, {0: size}),)
    program = torch.export.export(_Small(), given, dynamic_shapes=shapes, strict=True)
    program._guards_code = []
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    return buffer.getvalue()


def changed(content, ending, edit):
    """The archive with one member edited, by the end of its name; an edit of None adds it."""
    buffer, met = io.BytesIO(), 0
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(buffer, "w") as target:
        for one in source.infolist():
            inside = source.read(one)
            if one.filename.endswith(ending):
                inside, met = edit(inside), met + 1
            target.writestr(one.filename, inside)
    assert met == 1
    return buffer.getvalue()


def of_graph(change):
    """An edit of the description of a graph."""

    def edit(inside):
        graph = json.loads(inside)
        change(graph)
        return json.dumps(graph).encode()

    return edit


class _Planted:
    """Unpickled, it writes a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def with_code(path):
    buffer = io.BytesIO()
    torch.save(((_Planted(path),), {}), buffer)
    return buffer.getvalue()


def test_a_program_of_operators_and_tensors_is_let_through_and_runs(saved):
    checked = checked_program(saved)
    module = torch.export.load(io.BytesIO(checked)).module(check_guards=False)
    assert module(torch.zeros(1, 3), torch.ones(1, dtype=torch.bool))[0].shape == (1, 2)


def test_code_among_the_examples_would_run_as_torch_loads_them_and_is_refused(saved, tmp_path):
    mark = tmp_path / "mark"
    bad = changed(saved, "sample_inputs/model.pt", lambda _: with_code(mark))
    with pytest.raises(ExportError, match="holds code"):
        checked_program(bad)
    assert not mark.exists()
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever comes of it, the code has run
        torch.export.load(io.BytesIO(bad)).module()
    assert mark.exists()


def _first_node(graph):
    return graph["graph_module"]["graph"]["nodes"][0]


@pytest.mark.parametrize(
    "target",
    [
        "torch.os.system",
        "torch.hub.load",
        "torch.ops.aten.from_file.default",
        "_operator.methodcaller",
        "#x:y",
        3,
    ],
)
def test_a_call_of_anything_but_an_operator_is_refused(saved, target):
    bad = changed(
        saved, "models/model.json", of_graph(lambda graph: _first_node(graph).update(target=target))
    )
    with pytest.raises(ExportError, match="no operator of ATen"):
        checked_program(bad)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"guards_code": ["__import__('os').getpid()"]}, "guards_code"),
        ({"expr_str": "__import__('os').getpid()"}, "no sum of sizes"),
        ({"expr_str": "Symbol('s0').func"}, "no sum of sizes"),
        ({"expr_str": "Symbol('__class__')"}, "no sum of sizes"),
        ({"expr_str": "9**9**9**9"}, "no sum of sizes"),
        ({"range_constraints": {"print(1)": {}}}, "bounds what is no size"),
        ({"as_custom_obj": {"name": "x"}}, "object of a class"),
        (
            {"in_spec": '[1, {"type": "collections.defaultdict", "context": "", "children_spec": []}]'},
            "takes or gives",
        ),
        (
            {"out_spec": '[1, {"type": null, "context": {"__enum__": true, "fqn": "os:x"}}]'},
            "objects of a class",
        ),
    ],
    ids=str,
)
def test_entries_that_torch_would_evaluate_or_import_are_refused(saved, entry, told):
    bad = changed(saved, "models/model.json", of_graph(lambda graph: graph.update(entry)))
    with pytest.raises(ExportError, match=told):
        checked_program(bad)


def test_sizes_that_our_programs_compute_are_let_through(saved):
    batch = "Symbol('s13', positive=True, integer=True)"
    for text in (
        batch,
        f"Mul(Integer(289), {batch})",
        f"Pow({batch}, Integer(2))",
        f"Add(Integer(-1), {batch})",
    ):
        edit = of_graph(lambda graph, text=text: graph.update(expr_str=text))
        checked_program(changed(saved, "models/model.json", edit))


def test_pickled_weights_are_refused(saved):
    def pickled(graph):
        next(iter(graph["config"].values()))["use_pickle"] = True

    with pytest.raises(ExportError, match="use_pickle"):
        checked_program(changed(saved, "model_weights_config.json", of_graph(pickled)))


def test_further_members_are_refused(saved):
    buffer = io.BytesIO(saved)
    with zipfile.ZipFile(buffer, "a") as archive:
        root = archive.namelist()[0].partition("/")[0]
        archive.writestr(f"{root}/data/constants/opaque_obj_0", pickle.dumps(1))
    with pytest.raises(ExportError, match="opaque_obj_0"):
        checked_program(buffer.getvalue())


def test_packed_programs_and_other_bytes_are_refused(saved):
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(saved)) as source,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for one in source.infolist():
            new.writestr(one.filename, source.read(one))
    with pytest.raises(ExportError, match="packed"):
        checked_program(buffer.getvalue())
    for content in (b"", b"PK", saved[:1000]):
        with pytest.raises(ExportError, match="no archive"):
            checked_program(content)
