"""The page that computes in the reader's browser, in a real one and from a file: it answers as the engine does."""

import re
import shutil

import numpy as np
import pytest
import scipy

from osteolib.report.audits import audit_paper
from osteolib.runs import ROOT
from osteolib.stats.audit import confusion_matrices, printed
from osteolib.stats.audit.audit_file import load_audit, run_audit
from osteolib.stats.audit.checks import NEAREST, auc_of_labels, proportion
from osteolib.stats.audit.implied import predictive_values, scores_of_matrix
from osteolib.stats.audit.quantities import proportion_interval
from osteolib.stats.bootstrap import bootstrap_ci
from osteolib.stats.metrics import THRESHOLD_METRICS

STATIC = ROOT / "book" / "_static"
PAGE = (ROOT / "book" / "try.md").read_text(encoding="utf-8")
SCRIPT = (STATIC / "try.js").read_text(encoding="utf-8")
METRICS = list(THRESHOLD_METRICS)
ASK = """(rows) => rows.map(([tool, fields]) => {
  const form = document.querySelector(`form[data-tool=${tool}]`);
  for (const input of form.querySelectorAll("input")) input.value = fields[input.name] ?? "";
  form.requestSubmit();
  const faults = [...form.querySelectorAll("[aria-invalid=true]")].map((input) =>
    [input.name, document.getElementById(input.getAttribute("aria-describedby")).textContent]);
  const texts = (where) => [...form.querySelectorAll(where)].map((node) => node.textContent);
  return {faults: Object.fromEntries(faults), said: texts("output p"), verdict: texts("output .chip")[0] ?? null,
          table: [...form.querySelectorAll("tbody tr")].map((row) => [...row.cells].map((cell) => cell.textContent)),
          shown: !form.querySelector("table").hidden, focus: document.activeElement.name ?? null};
})"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """What is HTML on the page, with the script and the style sheet of the book, as a reader's own copy."""
    folder = tmp_path_factory.mktemp("copy")
    blocks = re.findall(r"^```\{raw\} html\n(.+?)^```$", PAGE, flags=re.DOTALL | re.MULTILINE)
    (folder / "_static").mkdir()
    for name in ("try.js", "book.css"):
        shutil.copy(STATIC / name, folder / "_static")
    (folder / "book").mkdir()
    head = '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    style = '<title>Try</title><link rel="icon" href="data:,"><link rel="stylesheet" href="../_static/book.css">'
    (folder / "book" / "try.html").write_text("\n".join([head, style, *blocks]), encoding="utf-8")
    return (folder / "book" / "try.html").as_uri()


@pytest.fixture
def tab(browser, address):
    """The opened page; afterwards nothing has been asked of a server and nothing has failed."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    troubles = []
    context.on("request", lambda r: None if r.url.startswith(("file:", "blob:", "data:")) else troubles.append(r.url))
    context.on("weberror", lambda e: troubles.append(str(e.error)))
    tab = context.new_page()
    tab.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
    tab.goto(address, wait_until="load")
    yield tab
    context.close()
    assert not troubles


def number(said: str) -> int:
    return int(re.search(r": ([\d,]+)\.$", said)[1].replace(",", ""))


def shown(value: float, decimals: int, percent: bool, rounding: str) -> str:
    """``value`` as a paper would print it."""
    scaled = value * (100 if percent else 1)
    if rounding == "truncation":
        scaled = np.trunc(round(scaled * 10**decimals, 6)) / 10**decimals
    return f"{scaled:.{decimals}f}{' %' if percent else ''}".replace("-0.000", "0.000")


def made_up_rows(n_rows: int, seed: int) -> list[dict[str, str]]:
    """Rows of a form: tables printed in two ways, a third of them with one number that is a little off."""
    rng = np.random.default_rng(seed)
    rows = []
    while len(rows) < n_rows:
        known, wanted = rng.random() < 0.5, rng.integers(1, 7)
        names = list(rng.choice(METRICS, wanted, replace=False))
        narrow = len({"sensitivity", "specificity", "ppv", "npv"} & {*names}) > 1 and wanted > 2  # few tables to try
        n = int(np.exp(rng.uniform(np.log(4), np.log(2500 if narrow else 1200 if known else 60))))
        positives = int(rng.integers(0, n + 1)) if rng.random() < 0.1 else int(rng.integers(1, n))
        tp, tn = rng.binomial(positives, rng.uniform(0.5, 1)), rng.binomial(n - positives, rng.uniform(0.5, 1))
        decimals, rounding = int(rng.integers(2, 4)), rng.choice(["nearest", "truncation"])
        off = rng.choice(names) if rng.random() < 0.35 else None
        row = {"n": str(n)} | ({"positives": str(positives)} if known else {})
        for name in names:
            value = float(np.nan_to_num(THRESHOLD_METRICS[name](tp, n - positives - tn, positives - tp, tn)))
            percent = bool(rng.random() < 0.4) and name not in ("mcc", "youden_j")
            if name == off:
                value = min(1.0, abs(value + rng.choice([-1, 1]) * rng.integers(1, 6) / 10**decimals))
            row[name] = shown(value, decimals - 2 * percent + (percent and decimals == 2), percent, rounding)
        rows.append(row)
    return rows


def test_600_rows_get_the_engines_answer(tab):
    rows = made_up_rows(600, seed=0)
    answers = tab.evaluate(ASK, [["confusion", row] for row in rows])
    counts = []
    for row, answer in zip(rows, answers, strict=True):
        reported = {name: row[name] for name in METRICS if name in row}
        given = {"positives": int(row["positives"]) if "positives" in row else None} | reported
        matrices = confusion_matrices(int(row["n"]), **given)
        assert answer["faults"] == {}, row
        assert answer["verdict"] == ("consistent" if matrices else "inconsistent"), row
        assert number(answer["said"][0].removeprefix(answer["verdict"])) == len(matrices), row
        if matrices:
            nearest = confusion_matrices(int(row["n"]), roundings=NEAREST, **given)
            assert number(answer["said"][1]) == len(nearest), row
            first = matrices[0]
            cells = [first.tp, first.fp, first.fn, first.tn, first.positives]
            assert len(matrices) > 5_000 or [int(c.replace(",", "")) for c in answer["table"][0]] == cells, row
        counts.append(len(matrices))
    assert 60 < counts.count(0) < 240 and counts.count(1) > 60 and max(counts) > 1000  # rows of every kind


def test_what_all_tables_have_in_common_is_their_range(tab):
    row = {"n": "90", "sensitivity": "0.85", "accuracy": "0.79"}
    (answer,) = tab.evaluate(ASK, [["confusion", row]])
    matrices = confusion_matrices(90, sensitivity="0.85", accuracy="0.79")
    ppv = [m.metric("ppv") for m in matrices]
    ill = [m.positives for m in matrices]
    assert f"In all: positives {min(ill)} to {max(ill)}," in answer["said"][2]
    assert f"PPV {min(ppv):.3f} to {max(ppv):.3f}" in answer["said"][2]


def test_an_impossible_row_says_which_number_the_others_do_without(tab):
    row = {"n": "60", "positives": "24", "sensitivity": "0.90", "specificity": "0.78"}
    (answer,) = tab.evaluate(ASK, [["confusion", row]])
    left = [len(confusion_matrices(60, positives=24, **{m: row[m]})) for m in ("specificity", "sensitivity")]
    assert left[0] and not left[1]
    assert answer["said"][1] == f"Tables if one number is left out: sensitivity {left[0]}, specificity {left[1]}."
    assert not answer["shown"]


def test_shares_get_the_engines_answer(tab):
    rng = np.random.default_rng(1)
    rows = []
    for _ in range(200):
        n, runs, decimals = int(rng.integers(2, 1500)), int(rng.choice([1, 1, 3, 5])), int(rng.integers(1, 5))
        k = int(rng.integers(0, n * runs + 1))
        value = shown(k / n / runs if rng.random() < 0.5 else rng.random(), decimals, rng.random() < 0.5, "nearest")
        rows.append({"value": value, "n": str(n), "runs": str(runs), "count": str(k)})
    rows.append({"value": "0.123456", "n": "1000000000", "runs": "1", "count": "123456789"})
    for row, answer in zip(rows, tab.evaluate(ASK, [["proportion", row] for row in rows]), strict=True):
        share, n, runs, k = printed(row["value"]), *(int(row[name]) for name in ("n", "runs", "count"))
        found = proportion(share, n, runs).computed
        low, high = share.bounds()
        assert answer["verdict"] == ("consistent" if low * n * runs <= k <= high * n * runs else "inconsistent"), row
        assert number(answer["said"][0].removeprefix(answer["verdict"])) == found["n_counts"], row
        assert number(answer["said"][1]) == proportion(share, n, runs, NEAREST).computed["n_counts"], row
        assert abs(float(answer["said"][2].split()[0]) - 100 * found["chance"]) < 0.051 or n * runs > 10**6, row


def test_areas_and_ranges_get_the_engines_answer(tab):
    rng = np.random.default_rng(2)
    areas = [{name: f"{rng.uniform(0.4, 1):.{rng.integers(1, 4)}f}" for name in ("auc", "sensitivity", "specificity")}
             for _ in range(150)] + [{"auc": "0.72", "sensitivity": "0.90", "specificity": "0.80"},
                                     {"auc": "1.00", "sensitivity": "0.00", "specificity": "1.00"}]  # fmt: skip
    verdicts = []
    for row, answer in zip(areas, tab.evaluate(ASK, [["auc", row] for row in areas]), strict=True):
        outcome = auc_of_labels(**{name: printed(text) for name, text in row.items()})
        table = {name: value for name, value in answer["table"]}
        assert answer["verdict"] == outcome.verdict, row
        assert (", as printed" in table["of yes/no calls"]) == outcome.computed["equals_labels"], row
        assert float(table["largest"]) == pytest.approx(outcome.computed["largest"], abs=6e-4)
        assert float(table["as printed by accident"][:-2]) == pytest.approx(100 * outcome.computed["chance"], abs=0.06)
        verdicts.append(answer["verdict"])
    assert {*verdicts} == {"derived", "inconsistent"}
    texts = ["0.90", ".5", "-0.20", "−1.25", "97.2 %", "1,301", "0.00", "12", "+3.0", "100 %"]
    for text, answer in zip(texts, tab.evaluate(ASK, [["interval", {"value": t}] for t in texts]), strict=True):
        for roundings, row in zip((NEAREST, (*NEAREST, "truncation")), answer["table"], strict=True):
            assert [float(end) for end in row[1:]] == pytest.approx(printed(text).interval(roundings), abs=1e-12), text


def test_predictive_values_are_those_of_the_engine(tab):
    row = {"sensitivity": "83.3 %", "specificity": "0.840", "prevalence": "5 %"}
    (answer,) = tab.evaluate(ASK, [["predictive", row]])
    spans = [[0.8325, 0.833, 0.834], [0.8395, 0.840, 0.841]]  # rounding: from, as printed, to
    low, middle, high = (predictive_values(s, c, 0.05) for s, c in zip(*spans, strict=True))
    shown = [[float(cell[:-2]) / 100 for cell in line[1:]] for line in answer["table"]]
    assert np.array(shown) == pytest.approx(np.array([middle, low, high]).T, abs=6e-4)
    assert answer["said"] == ["derivedOf 1,000 people 50 are ill; 42 of them are called, and 152 others."]


@pytest.mark.parametrize("cells", [(40, 19, 8, 100), (12, 3, 0, 9), (400, 150, 30, 3000)])
def test_intervals_of_a_table(tab, cells):
    """Wilson's are the engine's; those of resampling are what its 2,000 draws come near to, and exact binomials."""
    tp, fp, fn, tn = cells
    row = dict(zip(("tp", "fp", "fn", "tn"), map(str, cells), strict=True))
    (answer,) = tab.evaluate(ASK, [["matrix", row]])
    ends = {line[0]: [[float(x) for x in (text.split(" to ") * 2)[:2]] if text != "–" else None for text in line[2:]]
            for line in answer["table"]}  # fmt: skip
    drawn = bootstrap_ci(*scores_of_matrix(*cells), METRICS, threshold=0.5, method="percentile").ci
    for name, (wilson, resampled) in ends.items():
        metric = {"PPV": "ppv", "NPV": "npv", "F1": "f1", "MCC": "mcc"}.get(name, name.replace(" ", "_"))
        metric = "youden_j" if name.startswith("Youden") else metric
        assert resampled == pytest.approx(drawn[metric], abs=0.4 / np.sqrt(min(tp + fn, fp + tn)))
        counts = {"sensitivity": (tp, tp + fn), "specificity": (tn, tn + fp), "ppv": (tp, tp + fp),
                  "npv": (tn, tn + fn), "accuracy": (tp + tn, sum(cells))}.get(metric)  # fmt: skip
        assert (wilson is None) == (counts is None)
        assert counts is None or wilson == pytest.approx(proportion_interval(*counts), abs=6e-4)
    exact = scipy.stats.binom.ppf([0.025, 0.975], tp + fn, tp / (tp + fn)) / (tp + fn)
    assert ends["sensitivity"][1] == pytest.approx(exact, abs=6e-4)


FAULTS = [
    ("proportion", {"value": "97,2 %", "n": "167"}, "value", "decimal comma"),
    ("proportion", {"value": "0,972", "n": "167"}, "value", "decimal comma"),
    ("proportion", {"value": "97.2", "n": "167"}, "value", "write 97.2 % for a percentage"),
    ("proportion", {"value": "127.2 %", "n": "167"}, "value", "At most 1."),
    ("proportion", {"value": "-0.5", "n": "167"}, "value", "At least 0"),
    ("proportion", {"value": "<0.5", "n": "167"}, "value", "Write one number"),
    ("proportion", {"value": "0.5", "n": ""}, "n", "Give a number"),
    ("proportion", {"value": "0.5", "n": "0"}, "n", "At least 1"),
    ("proportion", {"value": "0.5", "n": "16.5"}, "n", "whole number"),
    ("proportion", {"value": "0.5", "n": "20 %"}, "n", "whole number"),
    ("proportion", {"value": "0.5", "n": "10", "count": "11"}, "count", "More successes than trials"),
    ("interval", {"value": "123456789012345.5"}, "value", "At most 14 digits"),
    ("confusion", {"n": "40", "positives": "41", "accuracy": "0.9"}, "positives", "More positives than people"),
    ("confusion", {"n": "40"}, "sensitivity", "at least one metric"),
    ("confusion", {"n": "3000000", "accuracy": "0.9"}, "n", "At most 1,000,000"),
    ("confusion", {"n": "5000", "accuracy": "0.9"}, "n", "Too many tables"),
    ("confusion", {"n": "900000", "accuracy": "0.123456789"}, "n", "so many decimals"),
    ("confusion", {"n": "40", "mcc": "-1.5"}, "mcc", "At least -1"),
    ("predictive", {"sensitivity": "0.9", "specificity": "0.8", "prevalence": "5"}, "prevalence", "write 5 % for"),
    ("auc", {"auc": "0.8 ± 0.1", "sensitivity": "0.9", "specificity": "0.8"}, "auc", "Write one number"),
    ("matrix", {"tp": "0", "fp": "3", "fn": "0", "tn": "9"}, "tp", "Both classes"),
    ("matrix", {"tp": "5", "fp": "-3", "fn": "0", "tn": "9"}, "fp", "At least 0"),
]


def test_faults_stand_beside_their_fields(tab):
    answers = tab.evaluate(ASK, [[tool, fields] for tool, fields, *_ in FAULTS])
    for (tool, fields, name, message), answer in zip(FAULTS, answers, strict=True):
        assert [*answer["faults"]] == [name], (tool, fields, answer)
        assert message in answer["faults"][name], (tool, fields, answer)
        assert (answer["verdict"], answer["shown"], answer["focus"]) == (None, False, name)
    fields = {"value": "97,2", "n": "0"}
    assert {*tab.evaluate(ASK, [["proportion", fields]])[0]["faults"]} == {"value", "n"}  # all at once
    script = "(fields) => fields.map(([form, name]) => document.querySelector(`form[data-tool=${form}] [name=${name}]`)"
    script += ".parentElement.querySelector('.try-fault') !== null)"
    assert all(tab.evaluate(script, [[tool, name] for tool, _, name, _ in FAULTS]))  # within the label of the field


def test_the_keyboard_is_enough(tab):
    unnamed = "[...document.querySelectorAll('input')].filter((i) => !i.labels[0]?.innerText.trim()).map((i) => i.name)"
    assert tab.evaluate(unnamed) == []
    form = tab.locator("#try-confusion")
    form.locator("[name=n]").focus()
    for text in ("60", "24", "0.92", "0.78"):
        tab.keyboard.type(text)
        tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert form.locator("output .chip").inner_text() == "consistent"
    tab.keyboard.type("7")  # an answer never stands beside other numbers than its own
    assert form.locator("output").inner_text() == "" and form.locator("table").is_hidden()
    tab.keyboard.press("Tab")
    while tab.evaluate("document.activeElement.textContent") != "Made-up example":
        assert tab.evaluate("document.activeElement.form?.id") == "try-confusion"
        tab.keyboard.press("Tab")
    tab.keyboard.press("Space")
    assert form.locator("tbody td").all_inner_texts() == ["40", "19", "8", "100", "48"]
    assert form.locator("output").evaluate("node => node.ariaLive ?? 'polite'") == "polite"  # announced when it changes


def test_what_is_saved_gets_the_same_answers_from_the_audit(tab, tmp_path):
    rows = [["proportion", {"value": "26.3 %", "n": "167", "count": "44"}], ["interval", {"value": "97.2 %"}],
            ["confusion", {"n": "90", "sensitivity": "0.85", "accuracy": "0.79", "mcc": "0.58"}],
            ["auc", {"auc": "0.71", "sensitivity": "0.90", "specificity": "0.80"}],
            ["predictive", {"sensitivity": "83.3 %", "specificity": "84.0 %", "prevalence": "5 %"}],
            ["matrix", {"tp": "40", "fp": "19", "fn": "8", "tn": "100"}]]  # fmt: skip
    save = tab.locator("#try-save")
    save.locator("button").click()
    assert "Compute an answer first" in save.locator("output").inner_text()
    answers = dict(zip([tool for tool, _ in rows], tab.evaluate(ASK, rows), strict=True))
    save.locator("[name=study]").fill('"Quoted": a {{ study }} #1 \x7f\u2028 – ü\U0001f9b4')
    with tab.expect_download() as download:
        save.locator("button").click()
    assert download.value.suggested_filename == "my_numbers.yaml"
    file = tmp_path / "my_numbers.yaml"
    download.value.save_as(file)
    assert file.read_text(encoding="utf-8") == save.locator("pre").text_content()
    found = audit_paper(file).set_index("id")  # it expects the verdicts of the page
    assert load_audit(file).document.study.startswith('"Quoted": a {{ study }} #1')
    assert {tool: found.loc[f"{tool}-1", "verdict"] for tool in answers if tool != "proportion"} == {
        tool: answer["verdict"] for tool, answer in answers.items() if tool != "proportion"
    }
    assert found.loc[["proportion-1", "proportion-2"], "verdict"].tolist() == ["consistent"] * 2  # 44 of 167
    details = found["details"]
    assert details["confusion-1"]["n_solutions"] == number(answers["confusion"]["said"][0])
    assert details["interval-1"]["value_between"] == tuple(map(float, answers["interval"]["table"][1][1:]))
    assert f"{100 * details['predictive-1']['ppv']:.1f} %" == answers["predictive"]["table"][0][1]
    assert set(details["matrix-2"]["rows"]) == set(METRICS)
    low, high = details["matrix-1"]["rows"]["ppv"].values()
    assert f"{low:.3f} to {high:.3f}" == dict((line[0], line[2]) for line in answers["matrix"]["table"])["PPV"]


def test_a_row_that_cannot_be_is_saved_as_one(tab, tmp_path):
    tab.evaluate(ASK, [["confusion", {"n": "60", "positives": "24", "sensitivity": "0.90", "specificity": "0.78"}],
                       ["proportion", {"value": "87.1 %", "n": "167", "runs": "1", "count": "145"}]])  # fmt: skip
    with tab.expect_download() as download:
        tab.locator("#try-save button").click()
    download.value.save_as(tmp_path / "row.yaml")
    assert run_audit(load_audit(tmp_path / "row.yaml"))["verdict"].tolist() == ["inconsistent"] * 3


def test_some_thousand_people_are_answered_without_their_positives(tab):
    rows = [{"n": "4000", "sensitivity": "0.85", "specificity": "0.80", "accuracy": "0.81"},
            {"n": "5000", "accuracy": "0.812", "f1": "0.640"},
            {"n": "3000", "positives": "900", "npv": "0.95", "mcc": "0.512"},
            {"n": "3000", "ppv": "0.71", "npv": "93.4 %", "accuracy": "0.88", "f1": "0.70"}]  # fmt: skip
    for answer in tab.evaluate(ASK, [["confusion", row] for row in rows]):
        assert answer["faults"] == {} and answer["verdict"] in ("consistent", "inconsistent")


@pytest.mark.parametrize("width", [375, 1280])
def test_nothing_is_wider_than_the_page(tab, width):
    tab.set_viewport_size({"width": width, "height": 800})
    for button in tab.get_by_text("Made-up example").all():
        button.click()
    tab.locator("#try-save button").click()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_the_script_is_small_and_harmless():
    assert len(SCRIPT.encode()) < 20_000
    used = re.findall(r"://|\beval\b|Function\(|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\bfetch\b"
                      r"|XMLHttpRequest|WebSocket|sendBeacon|\bimport\b|localStorage|\.style\b", SCRIPT)  # fmt: skip
    assert not used
    assert "style=" not in PAGE and PAGE.count("<script") == 1
    css = (STATIC / "book.css").read_text(encoding="utf-8").partition("(try.js)")[2]
    assert "--pst-color" in css and not re.search(r"#[0-9a-f]{3}|rgb|\b(white|black|red)\b", css)
