import os
import shutil

import pytest

from osteolib import train


@pytest.fixture
def cut_in_epoch(monkeypatch):
    """``cut_in_epoch(n)``: the n-th epoch that begins from then on is cut off; the list grows with every one begun."""

    def cut_in(n: int) -> list:
        begun = []

        def cut(*arguments, epoch=train._epoch):
            begun.append(arguments)
            if len(begun) == n:
                raise KeyboardInterrupt
            return epoch(*arguments)

        monkeypatch.setattr(train, "_epoch", cut)
        return begun

    return cut_in


BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


@pytest.fixture(scope="module")
def browser():
    """A Chromium of this machine."""
    from playwright.sync_api import sync_playwright  # heavy, and for two files only

    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    assert found, "no Chromium here: install one (Debian: apt-get install chromium) or set CHROMIUM to its path"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()
