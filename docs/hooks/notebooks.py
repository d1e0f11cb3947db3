"""Notebooks become pages: their Markdown, their code, and the outputs that are stored in them."""

from pathlib import Path

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


def page_of(notebook: Path) -> tuple[str, dict[str, bytes]]:
    """Return the Markdown of a notebook, and its pictures by the names that the Markdown uses."""
    text, resources = MarkdownExporter().from_filename(str(notebook), {"unique_key": notebook.stem})
    return text, resources["outputs"]
