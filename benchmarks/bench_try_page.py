"""How long the page that computes in the reader's browser takes to answer: python benchmarks/bench_try_page.py

Chromium of this machine, no window, the page as a copy on disk. Of each form the made-up example, in a tab that was
just opened, so that nothing is compiled yet: from the click to the answer on the screen, and the processor time of the
page's thread in between, which other work on the machine does not lengthen as much. Then harder questions in a tab that
has answered before. The goal is 0.2 s.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from osteolib.runs import ROOT

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
GOAL, TABS = 0.2, 5  # seconds; fresh tabs a form
HARD = {  # of the form of tables: many people, or their positives not known
    "167 people, 48 positive, six metrics": {"n": "167", "positives": "48", "sensitivity": "83.3 %",
        "specificity": "84.0 %", "ppv": "67.8 %", "npv": "92.6 %", "f1": "0.748", "accuracy": "83.8 %"},
    "600 people, two metrics": {"n": "600", "sensitivity": "0.85", "specificity": "0.80"},
    "4,000 people, three metrics": {"n": "4000", "sensitivity": "0.85", "specificity": "0.80", "accuracy": "0.81"},
    "5,000 people, accuracy and F1": {"n": "5000", "accuracy": "0.812", "f1": "0.640"},
}  # fmt: skip
ANSWER = """async ([tool, fields]) => {
  const form = document.querySelector(`form[data-tool=${tool}]`);
  for (const [name, text] of Object.entries(fields ?? {})) form.querySelector(`input[name=${name}]`).value = text;
  const shown = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  await shown();
  const start = performance.now();
  if (fields) form.requestSubmit(); else form.querySelector("button[type=button]").click();
  await shown();  // the frame after the answer has been drawn
  if (!form.querySelector("output").textContent) throw new Error(`${tool} has not answered`);
  return (performance.now() - start) / 1000;
}"""


def copy_of_the_page(folder: Path) -> str:
    """What is HTML on the page, with its script and the style sheet, as a reader's own copy; its address."""
    blocks = re.findall(r"^```\{raw\} html\n(.+?)^```$", (ROOT / "book" / "try.md").read_text(encoding="utf-8"),
                        flags=re.DOTALL | re.MULTILINE)  # fmt: skip
    (folder / "_static").mkdir()
    (folder / "book").mkdir()
    for name in ("try.js", "book.css"):
        shutil.copy(ROOT / "book" / "_static" / name, folder / "_static")
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><link rel="stylesheet" href="../_static/book.css">'
    page = folder / "book" / "try.html"
    page.write_text("\n".join([head, *blocks]), encoding="utf-8")
    return page.as_uri()


def opened(browser: Browser, address: str) -> Page:
    tab = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    tab.goto(address, wait_until="load")
    return tab


def answered(tab: Page, tool: str, fields: dict[str, str] | None = None) -> tuple[float, float]:
    """Seconds from asking until the answer is on the screen, and processor seconds of the page's thread meanwhile."""
    chrome = tab.context.new_cdp_session(tab)
    chrome.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        return next(m["value"] for m in chrome.send("Performance.getMetrics")["metrics"] if m["name"] == "TaskDuration")

    before = spent()
    return tab.evaluate(ANSWER, [tool, fields]), spent() - before


def line(what: str, measured: list[tuple[float, float]]) -> np.ndarray:
    """One line of milliseconds; whether the longest on the screen, and of the processor, keeps the goal."""
    milliseconds = 1e3 * np.array(measured)
    ends = np.column_stack([np.median(milliseconds, axis=0), milliseconds.max(axis=0)]).ravel()
    print(f"  {what:<40}" + "".join(f"{end:>9.1f}" for end in ends))
    return milliseconds.max(axis=0) < 1e3 * GOAL


def main() -> None:
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not chromium:
        raise SystemExit("no Chromium here: install one (Debian: apt-get install chromium) or set CHROMIUM to its path")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        address = copy_of_the_page(Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        first = opened(browser, address)
        tools = first.eval_on_selector_all("form[data-tool]", "forms => forms.map((form) => form.dataset.tool)")
        print(f"{'Milliseconds, median and longest of ' + str(TABS):<42}{'screen':>18}{'processor':>18}")
        print("First answer of a form, in a fresh tab")
        kept = [line(tool, [answered(opened(browser, address), tool) for _ in range(TABS)]) for tool in tools]
        print("A harder table, in one tab")
        kept += [line(what, [answered(first, "confusion", row) for _ in range(TABS)]) for what, row in HARD.items()]
        screen, processor = np.sum(kept, axis=0)
        kept_by = f"{screen} of {len(kept)} on the screen, {processor} of {len(kept)} in processor time"
        print(f"Each time under {GOAL} s: {kept_by}; where the two are far apart the machine was busy")
        browser.close()


if __name__ == "__main__":
    main()
