"""The folder in which the commands of one page are typed, one after the other."""

import re
import shutil
from pathlib import Path

from tests.conftest import MODELS
from tests.docs.made_up import TIME, MadeUp, do
from tests.docs.shown_commands import Command, kind_of
from tests.docs.small_settings import small

FILLED = {  # placeholders of pages
    "<time>": TIME,
    "<bundle>": "outputs/pixels/export/best.onnx.zip",
    "<folder>": "corpus",
    "<table>": "mine.csv",
    "<csv>": "mine.csv",
    "<answers.csv>": "answers.csv",
    "<raw videos>": "raw_videos",
    "<folder of raw videos>": "raw_videos",
    "<video, folder or manifest>": "mine.csv",
    "experiment=<name>": "experiment=mpdrm_series",
    "<its settings>": "seed=3",
    "<its folder>": "outputs/before",
}
# what has to be done before a command, in the same folder: the same settings, to another end
_BEFORE = {
    r"resume=last$": ["train.py"],
    r"resume=(\S+)$": ["train.py", "hydra.run.dir={0}"],
    r"exported=(\S+)/export/best.onnx.zip": [
        "export.py",
        "ckpt_path={0}/checkpoints/best.ckpt",
        "format=onnx",
    ],
    r"tokens/manifest.csv": [
        *("encode.py", "data=faces", "data.path=faces/manifest.csv", "output=tokens", "model/trunk=timm"),
        *("model.network.depression.trunk.backbone=tf_efficientnet_lite0", "grid.stride=1", "grid.hop=8"),
        *("data.module.normalize.mean=[0.5,0.5,0.5]", "data.module.normalize.std=[0.5,0.5,0.5]"),
    ],
    r"manifest=RUN format=adodas": [
        *(
            "train.py",
            "experiment=feature_sets",
            "data=adodas",
            "data.root=tree_of_adodas",
            "protocol=official",
        ),
        *("model/heads=items", "data/items=dass_21", "hydra.run.dir=RUN"),
    ],
}
_ABSOLUTE = re.compile(r"(?<![\w.])/(data|shared|tmp)/")  # of an example; here below the folder


class PageFolder:
    """Runs the commands of a page in one folder, with what they read laid ready."""

    def __init__(self, folder: Path, made: MadeUp) -> None:
        folder.mkdir(parents=True)
        (folder / "docs" / "results").mkdir(parents=True)
        self.folder = folder
        self.made = made
        self._tables: dict[Path, str] = {}  # of which scale or kind a table was written last

    def words(self, command: Command) -> list[str]:
        """Lay ready what a command reads, and return what is typed behind `python`."""
        checkpoint = f"outputs/{_kind_of_run(command.text)}/checkpoints/best.ckpt"
        filled = FILLED | {"<ckpt>": checkpoint, "<best.ckpt>": checkpoint}
        kind, name, words = kind_of(command.words(filled))
        words = [_ABSOLUTE.sub(rf"{self.folder}/\1/", word) for word in words]
        self._lay(name, words)
        self._before(" ".join(words))
        return self._typed(kind, name, words)

    def _typed(self, kind: str, name: str, words: list[str]) -> list[str]:
        if kind == "module":
            return ["-m", name, *small(kind, name, words)]
        typed = small(kind, name, words)
        shared = [] if "--help" in words else [f"paths.data={self.made.folder / 'data'}"]
        return [f"{name}.py", *typed, *shared]

    def _before(self, text: str) -> None:
        for pattern, (script, *settings) in _BEFORE.items():
            found = re.search(pattern, text)
            if found is None:
                continue
            kept = re.sub(r"\s?resume=\S+", "", text).split() if "resume" in pattern else []
            own = [one.format(*found.groups()) for one in settings]
            if any((self.folder / place).exists() for place in _written(own, found)):
                continue
            self._lay(script.removesuffix(".py"), own)
            self.do(self._typed("hydra", script.removesuffix(".py"), [*kept, *own]))

    def do(self, words: list[str]) -> None:
        """Run a command in this folder; it ends with status 0."""
        do(words, self.folder)

    def _lay(self, name: str, words: list[str]) -> None:
        """Make what the settings of a command name and what is not there."""
        given = dict(word.partition("=")[::2] for word in words)
        text = " ".join(words)
        for key, value in given.items():
            path = self.folder / value
            if value and path.exists() and path not in self._tables:
                continue
            if key in {"root", "data.root"}:
                self.made.tree(given.get("source") or given["data"], path)
            elif key == "face.models":
                shutil.copytree(MODELS, path)
            elif key in {"ckpt_path", "init_from"} or (key == "exported" and "outputs" in value):
                self.made.run(_kind_of_run(text), path.parents[1])
            elif key in {"data.path", "manifest", "input", "history"}:
                self._lay_table(name, key, path, given)
            elif value == "":
                self._lay_bare(self.folder / key)
        for root, source in re.findall(r"datamodules\.sources\.(\w+)\.read,root:([^,}]+)", text):
            if not Path(source).exists():
                self.made.tree(root, Path(source))

    def _lay_bare(self, path: Path) -> None:
        """Make what a bare word names: the answers of a study, or a run of a comparison."""
        if path.name == "answers.csv":
            self.made.answers(path)
        elif path.parents[1].name == "outputs" and not path.exists():
            self.made.run("pixels", path)

    def _lay_table(self, name: str, key: str, path: Path, given: dict[str, str]) -> None:
        if "token" in path.parent.name or path.name == "RUN":
            return
        if "faces" in path.parent.name:
            shutil.copytree(self.made.faces, path.parent, dirs_exist_ok=True)
        elif path.suffix == ".mp4":
            self.made.raw(path.parent)
            shutil.copy(next(path.parent.glob("*/*.mp4")), path)
        elif path.suffix == "":
            self.made.raw(path)
        else:
            self._write_table(name, key, path, given)

    def _write_table(self, name: str, key: str, path: Path, given: dict[str, str]) -> None:
        """Write a table of what a command needs, over one that another command needed."""
        scale = given.get("data/scale", "bdi_ii").upper().replace("_", "-")
        sets = re.findall(r"\w+", given.get("data.sets", ""))
        face = given.get("face", "")
        kind = f"{name if name == 'preprocess' else key} {scale} {sets} {face}"
        if self._tables.get(path) == kind:
            return
        self._tables[path] = kind
        if name == "preprocess":
            write = self.made.tracked if face == "precomputed" else self.made.raw
            write(path)
        elif key == "history":
            self.made.earlier(path)
        elif key == "input" and "history" in given:
            self.made.later(path)
        elif given.get("data") == "feature_sets":
            self.made.sets(path, sets)
        else:
            self.made.table(path, scale=scale)


def _kind_of_run(text: str) -> str:
    """Which run a command needs, by what it does with it."""
    if re.search(r"known=|history=|RUN/checkpoints", text):
        return "known"
    if "vit_video" in text:
        return "vit_video"
    return "faces" if re.search(r"faces|videos|input=(/data/)?new", text) else "pixels"


def _written(words: list[str], found: re.Match[str]) -> list[str]:
    """Where the command before leaves its result."""
    given = dict(word.partition("=")[::2] for word in words)
    places = [given[key] for key in ("hydra.run.dir", "output") if key in given]
    return [*places, *([found[0].partition("=")[2]] if "exported" in found[0] else [])]
