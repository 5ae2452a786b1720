"""The built book in a real browser: every page, wide and narrow, light and dark.

The book of the profile in OSTEO_PROFILE (default: smoke) is built if it is not there or not up to date.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlparse

import pytest
from playwright.sync_api import sync_playwright

from osteolib.runs import ROOT

PROFILE = os.environ.get("OSTEO_PROFILE", "smoke")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SIZES = {"wide": (1280, 900), "narrow": (375, 812)}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def html() -> Path:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "OSTEO_LOCK"))}
    command = [Path(sys.executable).with_name("snakemake"), "--cores", "2", "--nolock", "--rerun-incomplete", "--rerun-triggers",
               "params", "--quiet", "all", "--config", f"profile={PROFILE}"]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return ROOT / "build" / PROFILE / "site" / "_build" / "html"


@pytest.fixture(scope="module")
def address(html):
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=html))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    assert found, "no Chromium here: install one (Debian: apt-get install chromium) or set CHROMIUM to its path"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


def pages(html: Path) -> list[str]:
    return sorted(p.relative_to(html).as_posix() for p in html.rglob("*.html") if "_static" not in p.parts)


def visit(browser, address: str, page: str, size: tuple[int, int], scheme: str) -> dict:
    """Open a page and report what a reader would notice."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    tab = context.new_page()
    seen = {"console": [], "abroad": [], "failed": []}
    tab.on("console", lambda m: seen["console"].append(m.text) if m.type == "error" else None)
    tab.on("pageerror", lambda e: seen["console"].append(str(e)))
    tab.on("request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else seen["abroad"].append(r.url))
    tab.on("response", lambda r: seen["failed"].append(f"{r.status} {r.url}") if r.status >= 400 else None)
    tab.goto(address + page, wait_until="load")
    tab.wait_for_function("!window.MathJax || !MathJax.startup || !MathJax.startup.promise || "
                          "MathJax.startup.promise.then(() => true)")  # fmt: skip
    seen["images"] = tab.eval_on_selector_all(
        "main img", "all => all.filter(i => i.complete && i.naturalWidth === 0).map(i => i.src.slice(0, 80))"
    )
    seen["no_alt"] = tab.eval_on_selector_all("article img", "all => all.filter(i => !i.alt).map(i => i.src.slice(0, 80))")
    seen["overflow"] = tab.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    seen["math_errors"] = tab.locator("mjx-merror").count()
    seen["links"] = tab.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
    context.close()
    return seen


@pytest.mark.parametrize("size", SIZES)
def test_every_page_is_whole(html, address, browser, size):
    names = pages(html)
    assert len(names) > 10
    troubles = {}
    for page in names:
        seen = visit(browser, address, page, SIZES[size], "dark" if size == "narrow" else "light")
        trouble = {k: v for k, v in seen.items() if v and k not in ("links", "overflow")}
        if seen["overflow"] > 0:
            trouble["overflow"] = seen["overflow"]
        if trouble:
            troubles[page] = trouble
    assert not troubles


def test_no_link_is_broken(html, address, browser):
    names = pages(html)
    anchors = {p: set(re.findall(r'\bid="([^"]+)"', (html / p).read_text(encoding="utf-8"))) for p in names}
    broken = []
    for page in names:
        for link in visit(browser, address, page, SIZES["wide"], "light")["links"]:
            target, anchor = urldefrag(urljoin(address + page, link))
            if not target.startswith(address):
                assert urlparse(target).scheme in ("http", "https", "mailto", "data"), link
                continue
            path = unquote(urlparse(target).path.lstrip("/")) or "index.html"
            if not (html / path).is_file() or (anchor and path in anchors and unquote(anchor) not in anchors[path]):
                broken.append((page, link))
    assert not broken


def test_pages_name_no_place_on_the_machine_that_built_them(html):
    for page in pages(html):
        text = (html / page).read_text(encoding="utf-8")
        assert str(ROOT) not in text, page
        assert str(Path.home()) + "/" not in text, page
        if data := os.environ.get("OSTEO_DATA"):
            assert str(Path(data).resolve()) not in text, page
