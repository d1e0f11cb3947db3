"""The built site: every link and anchor, and every page as a browser draws it on telephone and desk."""

import html
import json
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
WIDTHS = (390, 1440)
DRIVER = """<!doctype html><meta charset="utf-8"><body><script>
const pages = %s, widths = %s, found = []
const show = (page, width) => new Promise(done => {
  const frame = document.createElement("iframe")
  frame.style.cssText = `width:${width}px;height:900px;border:0`
  frame.onload = () => {
    const seen = frame.contentDocument, root = seen.documentElement, images = [...seen.images]
    images.forEach(image => { image.loading = "eager" })
    Promise.allSettled(images.map(image => image.decode())).then(() => {
      const broken = images.filter(image => !image.naturalWidth).map(image => image.src)
      const mute = images.filter(image => !image.alt.trim()).map(image => image.src)
      const fits = root.scrollWidth <= root.clientWidth
      const wide = fits ? [] : [...seen.querySelectorAll(".md-content *")]
        .filter(part => part.getBoundingClientRect().right > width)
        .slice(0, 3).map(part => part.outerHTML.slice(0, 120))
      found.push({page, width, fits, wide, broken, mute, text: seen.body.innerText.length})
      frame.remove()
      done()
    })
  }
  frame.src = page
  document.body.append(frame)
})
const walk = async () => { for (const page of pages) for (const width of widths) await show(page, width) }
walk().then(() => {
  document.body.innerHTML = "<pre></pre>"
  document.body.firstChild.textContent = JSON.stringify(found)
})
</script>"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture
def served(site):
    class Silent(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


class _Page(HTMLParser):
    """Anchors of a page, its links, and what a browser fetches to show it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = {key: value or "" for key, value in attrs}
        self.anchors |= {given[key] for key in ("id", "name") if key in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in {"script", "link", "img", "iframe", "source", "video"}:
            self.fetched += [given[key] for key in ("src", "href") if key in given]


def _pages(site: Path) -> dict[str, _Page]:
    return {path.relative_to(site).as_posix(): _Page(path) for path in site.rglob("*.html")}


def test_links_anchors_and_files_of_the_site(site):
    pages = _pages(site)
    assert len(pages) > 150
    faults = []
    for name, page in pages.items():
        for link in page.links + page.fetched:
            parts = urlsplit(urljoin(f"//site/{name}", link))
            if parts.netloc != "site" or parts.scheme not in {"", "http", "https"}:
                outside = link in page.fetched and not link.startswith("data:")
                faults += [f"{name} fetches {link}"] if outside else []
                continue
            target = unquote(parts.path).lstrip("/") or name
            if name == "404.html" or target.startswith("../"):
                continue  # shown at any depth, so its links are those of a server's root
            if not (site / target).is_file():
                faults.append(f"{name} leads to {link}: no such file")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                faults.append(f"{name} leads to {link}: no such anchor")
    assert faults == []


def _dom(address: str, profile: Path, *flags: str, milliseconds: int) -> str:
    command = [str(CHROMIUM), *QUIET, f"--user-data-dir={profile}", *flags]
    command += [f"--virtual-time-budget={milliseconds}", "--dump-dom", address]
    return subprocess.run(command, capture_output=True, text=True, timeout=1500, check=True).stdout


def walked(address: str, folder: Path, names: list[str], profile: Path) -> list[dict]:
    """Return what a browser says of every page at every width."""
    (folder / "walk.html").write_text(DRIVER % (json.dumps(names), json.dumps(WIDTHS)), encoding="utf-8")
    dom = _dom(f"{address}walk.html", profile, milliseconds=4000 * len(names))
    (folder / "walk.html").unlink()
    (answer,) = re.findall(r"<pre>(.*)</pre>", dom, flags=re.DOTALL)
    return json.loads(html.unescape(answer))


@pytest.mark.timeout(1800)
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to look at the pages with")
def test_every_page_fits_a_telephone_and_a_desk(site, served, tmp_path):
    names = sorted(set(_pages(site)) - {"404.html"})
    seen = walked(served, site, names, tmp_path)
    assert {(look["page"], look["width"]) for look in seen} == {(name, w) for name in names for w in WIDTHS}
    assert [look for look in seen if look["text"] < 100] == []
    assert [look for look in seen if not look["fits"] or look["broken"] or look["mute"]] == []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to look at the pages with")
def test_faults_of_a_page_are_seen(site, served, tmp_path):
    planted = '<p style="width:2000px">wide</p><img src="absent.png"><p>' + "text " * 40
    (site / "planted.html").write_text(f"<!doctype html><body>{planted}", encoding="utf-8")
    telephone, desk = walked(served, site, ["planted.html"], tmp_path)
    (site / "planted.html").unlink()
    assert not telephone["fits"]
    assert not desk["fits"]
    assert len(telephone["broken"]) == len(telephone["mute"]) == 1


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to look at the pages with")
def test_the_search_answers_from_disk(site, tmp_path):
    address = f"{(site / 'index.html').as_uri()}?q=orthogonality"
    dom = _dom(address, tmp_path, "--allow-file-access-from-files", milliseconds=20000)
    assert re.search(r'<a[^>]+class="md-search-result__link"', dom), "no answer to a word of the pages"
