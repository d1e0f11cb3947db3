"""Notebooks become pages: their Markdown, their code, and the outputs that are stored in them."""

import re
from pathlib import Path

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from nbconvert import MarkdownExporter


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page, and the pictures in it, for every notebook."""
    for file in list(files):
        if file.src_uri.endswith(".ipynb"):
            text, pictures = page_of(Path(file.abs_src_path or ""))
            files.append(File.generated(config, file.src_uri.replace(".ipynb", ".md"), content=text))
            for name, data in pictures.items():
                uri = Path(file.src_uri).with_name(name).as_posix()
                files.append(File.generated(config, uri, content=data))
    return files


def page_of(path: Path) -> tuple[str, dict[str, bytes]]:
    """Return the Markdown of a notebook, and its pictures by the names that the Markdown uses."""
    notebook = nbformat.read(path, as_version=4)
    text, resources = MarkdownExporter().from_notebook_node(notebook, {"unique_key": path.stem})

    def described(match: re.Match[str]) -> str:
        return f"![{picture_of(notebook, int(match.group(2)))}]({match.group(1)})"

    return re.sub(r"!\[\w+\]\((\S+_(\d+)_\d+\.\w+)\)", described, text), resources["outputs"]


def picture_of(notebook: nbformat.NotebookNode, number: int) -> str:
    """Return what the picture of a cell shows: `alt` of the cell's metadata, else the heading above."""
    above = "\n".join(cell.source for cell in notebook.cells[:number] if cell.cell_type == "markdown")
    headings = re.findall(r"^#+ (.*)", above, flags=re.MULTILINE)
    return str(notebook.cells[number].metadata.get("alt", headings[-1] if headings else "figure"))
