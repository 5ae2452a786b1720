from xml.etree import ElementTree

import pandas as pd

from osteolib.report.html import html_table, with_download

FINDINGS = pd.DataFrame(
    {
        "Finding": ["A-1", "A-2"],
        "Claim": ["5 & 6 are 11", "so it is"],
        "Computed": ["5 + 6 = 11", "<b>"],
        "Why": ["", "a slip"],
    }
)


def test_columns_that_open_under_another_keep_every_word_and_stand_in_no_column():
    root = ElementTree.fromstring(html_table(FINDINGS, "Findings", folds={"Claim": ["Computed", "Why"]}))
    assert [th.text for th in root.iter("th") if th.get("scope") == "col"] == ["Finding", "Claim"]
    assert [summary.text for summary in root.iter("summary")] == FINDINGS["Claim"].tolist()
    first, second = root.iter("dl")
    assert ["".join(part.itertext()) for part in first] == ["Computed", "5 + 6 = 11"]  # nothing to say: no heading
    assert ["".join(part.itertext()) for part in second] == ["Computed", "<b>", "Why", "a slip"]


def test_a_folded_table_opens_behind_its_line_and_keeps_its_download():
    text = with_download(FINDINGS, "findings", "Findings", folded="What was <dropped>")
    root = ElementTree.fromstring(text)
    assert root.tag == "details" and root.findtext("summary") == "What was <dropped>"
    assert root.find("div/table") is not None and root.find("p/a").get("download") == "findings.csv"
    assert "\n\n" not in text
