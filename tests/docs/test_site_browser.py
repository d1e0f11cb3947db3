"""The built site: every link and anchor, and every page as a browser draws it on telephone and desk."""

import json
import shutil
import subprocess
import sys
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
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
const drawn = () => new Promise(done => setTimeout(() => requestAnimationFrame(done), 50))
const look = async (page, frame, width) => {
  frame.style.width = `${width}px`
  await drawn()
  const seen = frame.contentDocument, root = seen.documentElement, images = [...seen.images]
  await Promise.allSettled(images.map(image => image.decode()))
  const broken = images.filter(image => !image.naturalWidth).map(image => image.src)
  const mute = images.filter(image => !image.alt.trim()).map(image => image.src)
  const fits = root.scrollWidth <= root.clientWidth
  const wide = fits ? [] : [...seen.querySelectorAll("body *")]
    .filter(part => part.getBoundingClientRect().right > width)
    .slice(0, 3).map(part => part.outerHTML.slice(0, 120))
  found.push({page, width, fits, wide, broken, mute, text: seen.body.innerText.length})
}
const walk = async () => {
  for (const page of pages) {
    const frame = document.createElement("iframe")
    frame.style.cssText = "height:900px;border:0"
    await new Promise(done => { frame.onload = done; frame.src = page; document.body.append(frame) })
    for (const width of widths) await look(page, frame, width)
    frame.remove()
  }
}
walk().then(() => fetch("found", {method: "POST", body: JSON.stringify(found)}))
</script>"""

SEARCH = """<!doctype html><meta charset="utf-8"><body><script>
const frame = document.createElement("iframe")
frame.src = "index.html?q=orthogonality"
document.body.append(frame)
const ask = () => {
  const links = [...frame.contentDocument.querySelectorAll(".md-search-result__link")].map(link => link.href)
  if (!links.length) return setTimeout(ask, 200)
  fetch("SERVEDfound", {method: "POST", mode: "no-cors", body: JSON.stringify(links)})
}
frame.onload = ask
</script>"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


class _Server(SimpleHTTPRequestHandler):
    """Serves the site, and puts what the driver has found into a queue."""

    def __init__(self, *args, found, **kwargs) -> None:
        self.found = found
        super().__init__(*args, **kwargs)

    def do_POST(self):
        self.found.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def answer(site, tmp_path):
    """What a script finds out in a browser, from the site as it is served or as it lies on the disk."""
    found: Queue = Queue()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Server, found=found, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    served = f"http://127.0.0.1:{server.server_port}/"

    def ask(script, *, from_disk=False, seconds):
        driver = site / "driver.html"
        driver.write_text(script.replace("SERVED", served), encoding="utf-8")
        address = driver.as_uri() if from_disk else f"{served}driver.html"
        flags = (f"--user-data-dir={tmp_path}", "--remote-debugging-port=0", "--allow-file-access-from-files")
        command = [CHROMIUM, *QUIET, *flags, address]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return found.get(timeout=seconds)
        finally:
            browser.terminate()
            browser.wait(30)
            driver.unlink()

    yield ask
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
    assert len(pages) > 100
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


def _walk(names: list[str]) -> str:
    return DRIVER % (json.dumps(names), json.dumps(WIDTHS))


@pytest.mark.timeout(1800)
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to look at the pages with")
def test_every_page_fits_a_telephone_and_a_desk(site, answer):
    names = sorted(set(_pages(site)) - {"404.html"})
    seen = answer(_walk(names), seconds=1500)
    assert {(look["page"], look["width"]) for look in seen} == {(name, w) for name in names for w in WIDTHS}
    assert [look for look in seen if look["text"] < 100] == []
    assert [look for look in seen if not look["fits"] or look["broken"] or look["mute"]] == []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to look at the pages with")
def test_faults_of_a_page_are_seen(site, answer):
    planted = '<p style="width:2000px">wide</p><img src="absent.png"><p>' + "text " * 40
    (site / "planted.html").write_text(f"<!doctype html><body>{planted}", encoding="utf-8")
    telephone, desk = answer(_walk(["planted.html"]), seconds=120)
    (site / "planted.html").unlink()
    assert not telephone["fits"]
    assert not desk["fits"]
    assert len(telephone["broken"]) == len(telephone["mute"]) == 1


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to look at the pages with")
def test_the_search_answers_from_disk(site, answer):
    links = answer(SEARCH, from_disk=True, seconds=120)
    found = {Path(unquote(urlsplit(link).path)).relative_to(site).as_posix() for link in links}
    assert "reference/models/losses/index.html" in found
