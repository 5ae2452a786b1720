"""The table of faults counts what the campaign printed, failures as failures."""

from osteolib.report.faults import fault_table, made_on, read_counts

MADE = {"date": "2026-01-02", "commit": "abc1234", "machine": "CPU, 2 cores", "exit": 0}
COUNTS = {
    "spoiled": MADE | {"lines": [{"kind": "PNG", "outcome": outcome, "n": n}
                                 for outcome, n in (("answered", 3), ("refused", 5), ("crashed", 2))]},
    "killed add": MADE | {"lines": [{"job": "add", "kills": 20, "exit": 0, "results": 1, "different": [], "half": []}]},
    "killed book": MADE | {"lines": [{"job": "book", "kills": 19, "exit": 0, "results": 900, "different": ["a.csv"],
                                      "half": []}]},
    "disks": MADE | {"lines": [{"job": "add", "disk": "full", "exit": 1, "said": "no space", "again": 0, "half": []},
                               {"job": "add", "disk": "read-only", "exit": 1, "said": "", "again": 0, "half": []}]},
    "twice page": MADE | {"lines": [{"job": "page", "fine": 2, "same": True, "half": []}]},
}  # fmt: skip


def test_counts_are_told_line_by_line():
    counts = fault_table(COUNTS).set_index("what was done").values.tolist()
    assert counts == [[10, 3, 5, 2], [20, 20, 0, 0], [19, 0, 0, 1], [1, 0, 1, 0], [1, 0, 0, 1], [1, 1, 0, 0]]
    assert made_on(COUNTS) == "Counted on 2026-01-02 at commit abc1234 (CPU, 2 cores)."


def test_what_was_never_run_is_said_and_what_stands_in_the_project_has_no_failure():
    assert fault_table({}).empty and made_on({}) == "It has not been run."
    table = fault_table(read_counts())
    assert len(table) >= 9 and not table["failed"].any()
