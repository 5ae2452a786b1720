"""The built book in a real browser: every page, wide and narrow, light and dark.

The book of the profile in OSTEO_PROFILE (default: smoke) is built if it is not there or not up to date.
"""

import functools
import os
import re
import subprocess
import sys
import threading
from contextlib import suppress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlparse

import pandas as pd
import pytest
from playwright.sync_api import TimeoutError

from osteolib.runs import ROOT

PROFILE = os.environ.get("OSTEO_PROFILE", "smoke")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def html() -> Path:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "OSTEO_LOCK"))}
    options = "--cores 2 --nolock --rerun-incomplete --rerun-triggers params --quiet all --config"
    command = [Path(sys.executable).with_name("snakemake"), *options.split(), f"profile={PROFILE}"]
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


def pages(html: Path) -> list[str]:
    return sorted(p.relative_to(html).as_posix() for p in html.rglob("*.html") if "_static" not in p.parts)


MEASURES = {
    "images": "[...document.querySelectorAll('main img')].filter(i => i.complete && !i.naturalWidth).length",
    "no_alt": "[...document.querySelectorAll('article img')].filter(i => !i.alt).length",
    "math_errors": "document.querySelectorAll('mjx-merror').length",
    "wide": "Math.max(0, document.documentElement.scrollWidth - window.innerWidth)",
}
PASSES_ON = 'http-equiv="Refresh"'
MATH_IS_SET = "!window.MathJax?.startup?.promise || MathJax.startup.promise.then(() => true)"


@pytest.fixture(scope="module")
def visits(html, address, browser) -> dict[str, dict]:
    """What a reader notices on each page: wide and light first, then narrow and dark."""
    found = {}
    for page in sorted(p.relative_to(html).as_posix() for p in html.rglob("*.html") if "_static" not in p.parts):
        context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
        tab = context.new_page()
        seen = {"console": [], "abroad": [], "failed": []}
        tab.on("console", lambda m, seen=seen: seen["console"].append(m.text) if m.type == "error" else None)
        tab.on("pageerror", lambda e, seen=seen: seen["console"].append(str(e)))
        tab.on("request", lambda r, seen=seen: None if r.url.startswith((address, "data:", "blob:"))
               else seen["abroad"].append(r.url))  # fmt: skip
        tab.on("response", lambda r, seen=seen: seen["failed"].append(r.url) if r.status >= 400 else None)
        tab.goto(address + page, wait_until="load")
        if PASSES_ON in (html / page).read_text(encoding="utf-8"):
            tab.wait_for_url(lambda url, first=address + page: url != first, wait_until="load")
        tab.wait_for_function(MATH_IS_SET)
        seen["height"] = tab.evaluate("document.querySelector('article')?.scrollHeight ?? null")
        seen |= {f"{name}, wide": tab.evaluate(script) for name, script in MEASURES.items()}
        tab.set_viewport_size({"width": 375, "height": 812})
        tab.emulate_media(color_scheme="dark")
        with suppress(TimeoutError):  # the theme listens to the system's scheme; one that does not is a test's to name
            tab.wait_for_function("document.documentElement.dataset.theme === 'dark'", timeout=10_000)
        seen |= {f"{name}, narrow": tab.evaluate(script) for name, script in MEASURES.items()}
        seen["dark"] = tab.evaluate("document.documentElement.dataset.theme")
        seen["address"] = tab.url  # the first page passes readers on
        seen["links"] = tab.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
        context.close()
        found[page] = seen
    return found


def test_every_page_is_whole_wide_and_narrow(visits):
    assert len(visits) > 10
    kinds = ("console", "abroad", "failed", *(f"{name}, {size}" for name in MEASURES for size in ("wide", "narrow")))
    troubles = {page: {k: seen[k] for k in kinds if seen[k]} for page, seen in visits.items()}
    assert not {page: trouble for page, trouble in troubles.items() if trouble}


def test_pages_are_no_longer_than_a_reader_bears(visits):
    """At 1,280 px wide; the tables of all values and of all data are for looking up, not for reading."""
    height = {page: seen["height"] for page, seen in visits.items()}
    assert {page for page, pixels in height.items() if not pixels} <= {"index.html", "search.html"}  # no article there
    looked_up = ("book/scorecard", "book/bibliography", "book/glossary", "book/data", "book/timings", "genindex")
    tall = {page: pixels for page, pixels in height.items() if pixels and pixels > 9250}  # 9,000, and other fonts
    assert not {page: pixels for page, pixels in tall.items() if not page.startswith(looked_up)}


def test_the_page_that_leads_to_the_first_one_has_an_icon_that_exists(html):
    icon = re.search(r'rel="icon" href="([^"]+)"', (html / "index.html").read_text(encoding="utf-8"))
    assert (html / icon[1]).is_file()


def test_a_reader_whose_system_is_dark_gets_dark_pages(visits):
    assert {seen["dark"] for seen in visits.values()} == {"dark"}


def test_no_link_is_broken(html, address, visits):
    anchors = {p: set(re.findall(r'\bid="([^"]+)"', (html / p).read_text(encoding="utf-8"))) for p in visits}
    broken = []
    for page, seen in visits.items():
        for link in seen["links"]:
            target, anchor = urldefrag(urljoin(seen["address"], link))
            if not target.startswith(address):
                assert urlparse(target).scheme in ("http", "https", "mailto", "data"), link
                continue
            path = unquote(urlparse(target).path.lstrip("/")) or "index.html"
            if not (html / path).is_file() or (anchor and path in anchors and unquote(anchor) not in anchors[path]):
                broken.append((page, link))
    assert not broken


def test_no_page_shows_what_a_plotting_call_returns(html, visits):
    bare = re.compile(r"&lt;matplotlib\.|\[Text\(")
    shown = [p for p in visits if bare.search((html / p).read_text(encoding="utf-8"))]
    assert not shown


def test_pages_name_no_place_on_the_machine_that_built_them(html, visits):
    for page in visits:
        text = (html / page).read_text(encoding="utf-8")
        assert str(ROOT) not in text, page
        assert str(Path.home()) + "/" not in text, page
        if data := os.environ.get("OSTEO_DATA"):
            assert str(Path(data).resolve()) not in text, page


def test_the_scorecard_sorts_and_filters(html, address, browser):
    """Each verdict that a reader chooses leaves as many rows as the downloadable table holds."""
    card = pd.read_csv(next((html / "_downloads").rglob("scorecard.csv")))
    tab = browser.new_page()
    tab.goto(address + "book/scorecard.html", wait_until="load")
    table = tab.locator("table.interactive").last
    bar = tab.locator(".table-filters").last
    rows = table.locator("tbody tr:not(.group)")
    assert rows.count() == len(card)
    for verdict, n in card["verdict"].value_counts().items():
        bar.get_by_label("Verdict").select_option(verdict)
        assert bar.locator("output").text_content() == f"{n} of {len(card)}"
        assert rows.filter(visible=True).count() == n
    bar.get_by_label("Verdict").select_option("")
    bar.get_by_label("Search in the table").fill("auroc")
    everywhere = card[["quantity", "of", "source", "reason"]].fillna("").agg(" ".join, axis=1).str.lower()
    assert rows.filter(visible=True).count() == everywhere.str.contains("auroc").sum()
    bar.get_by_label("Search in the table").fill("")
    table.locator("thead button").first.click()
    first = table.locator("tbody").first.locator("tr:not(.group) th").all_text_contents()
    assert first == tab.evaluate("x => x.sort(new Intl.Collator('en', {numeric: true}).compare)", first)
    tab.close()
