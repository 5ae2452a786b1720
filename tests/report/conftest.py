"""What the tests of pages share: a run to record in, audits computed once, figures closed."""

import functools

import matplotlib.pyplot as plt
import pytest

from osteolib.report.audits import audit_paper
from osteolib.runs import Run


@pytest.fixture(autouse=True)
def closed():
    """Figures that a test leaves open are closed after it."""
    yield
    plt.close("all")


@pytest.fixture
def run(request, tmp_path):
    """A run by hand that writes to ``tmp_path``; the cohort it has loaded is what the test's module calls ``USES``."""
    run = Run("09_test", {"profile": "smoke", "seed": 0}, tmp_path, in_book=False)
    if name := getattr(request.module, "USES", None):
        run.uses(name, "phantom" if name.endswith("-phantom") else "real", "abc")
    return run


@pytest.fixture(scope="session")
def audit():
    """:func:`osteolib.report.audits.audit_paper`, each paper computed once; nobody changes what it returns."""
    return functools.cache(audit_paper)
