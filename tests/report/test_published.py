import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from osteolib.report.published import Value, load_published
from osteolib.runs import ROOT

FILE = """
paper: demo
title: A study
authors: [A. Author]
year: 2026
venue: arXiv
doi: null
arxiv: null
code: null
modality: radiograph
label: T-score
unit_of_evaluation: person
seeds: not stated
n_values: 3
values:
- {id: demo.auroc, source: Table 1, quantity: AUROC, value: 0.9, reported: '0.90', decimals: 2, unit: fraction,
   spread: {kind: 95% CI, low: 0.85, high: 0.94, reported: 0.85 to 0.94}}
- {id: demo.n, source: Table 1, quantity: people, value: 1947, reported: '1,947', decimals: 0}
- {id: demo.optimizer, source: Table 2, quantity: optimizer, value: AdamW, reported: AdamW}
not_recoverable: []
notes: []
"""


@pytest.fixture(scope="module")
def values():
    return load_published().set_index("published_id")


def written(folder, text):
    (folder / "demo.yaml").write_text(text, encoding="utf-8")
    return folder


def test_all_papers_are_there_with_their_numbers_of_values(values):
    counts = values.groupby("paper").size().to_dict()
    assert counts == {
        "chen2024_hip": 71,
        "lee2023_hand": 85,
        "lee2025_hand": 86,
        "strnet2026_knee": 192,
        "tpswav2025_ct": 460,
    }
    assert values.index.is_unique


def test_values_are_those_on_the_printed_page(values):
    """Read again from the papers by eye."""
    auroc = values.loc["strnet2026_knee.ext.auroc"]
    assert (auroc.value, auroc.ci_low, auroc.ci_high, auroc.unit) == (0.878, 0.719, 0.983, "fraction")
    assert values.loc["chen2024_hip.ba.upper", "value"] == 0.194
    assert values.loc["lee2025_hand.T3.SwAV.f1", "spread"] == 0.13
    assert values.loc["tpswav2025_ct.text.f1_patient.D", ["value", "unit"]].tolist() == [83.62, "%"]
    assert values.loc["lee2023_hand.T2.SwAV.acc.delta", "reported"] == "-9.38"


def test_external_performance_is_not_ascribed_to_the_baseline_table(values):
    """Table 6 of the knee paper holds age, sex, BMI and bone loss; performance is in Section 3.7 and Fig. 9."""
    external = values[values.index.str.startswith("strnet2026_knee.ext.")]
    in_table = external[external.source.str.contains("Table 6")].index.str.removeprefix("strnet2026_knee.ext.")
    assert set(in_table) == {"n", "age", "female_n", "female_pct", "bmi", "bl_n", "bl_pct"}
    assert values.loc["strnet2026_knee.ext.npv", "source"] == "Sec. 3.7, Fig. 9"


def test_columns_of_the_composition_tables_add_up(values):
    """A slip of the pen in a count would break a sum."""
    value = values["value"]
    for column in ("train", "val", "test", "total"):
        knees = {k: value[f"strnet2026_knee.T1.{k}.{column}"] for k in ("Normal", "BoneLoss", "Total")}
        assert knees["Normal"] + knees["BoneLoss"] == knees["Total"]
    for column in ("pt_train", "pt_valid", "pt_test", "v_pre", "v_train", "v_valid", "v_test"):
        sites = [value[f"tpswav2025_ct.T1.{site}.{column}"] for site in "ABCD"]
        assert sum(sites) == value[f"tpswav2025_ct.T1.ALL.{column}"]


def test_words_have_no_number_and_a_printed_less_than_is_a_bound(values):
    assert values.loc["strnet2026_knee.T2.optimizer", ["reported", "value"]].isna().tolist() == [False, True]
    p_value = values.loc["strnet2026_knee.T3.p.age"]
    assert (p_value.value, p_value.bound, p_value.reported) == (0.001, "below", "< 0.001")


def test_one_paper_can_be_loaded_alone(tmp_path):
    table = load_published("demo", written(tmp_path, FILE))
    assert table["published_id"].tolist() == ["demo.auroc", "demo.n", "demo.optimizer"]
    assert table["value"].tolist()[:2] == [0.9, 1947]


def test_an_unknown_paper_is_named():
    with pytest.raises(ValueError, match=r"no published values for 'lee2024'.*lee2023_hand"):
        load_published("lee2024")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title: A study", "title: !!python/object/apply:os.getcwd []", r"demo\.yaml is not plain YAML.*python/object"),
        ("id: demo.n,", "id: demo.auroc,", r"demo\.yaml, demo\.auroc: stands twice"),
        ("value: 0.9,", "value: 0.91,", r"demo\.yaml, demo\.auroc: value 0\.91 is not what is reported, '0\.90'"),
        ("decimals: 2", "decimals: 1", r"demo\.yaml, demo\.auroc: '0\.90' is not printed with 1 decimals"),
        ("reported: '0.90'", "reported: 0.90", r"demo\.auroc: reported .*string"),
        ("value: 0.9, reported: '0.90'", "value: 1.9, reported: '1.90'", "demo.auroc: .*fraction|demo.auroc: .*inter"),
        ("low: 0.85", "low: 0.58", r"demo\.auroc: spread the spread \[0\.58, 0\.94\] is not what is reported"),
        (
            "low: 0.85, high: 0.94, reported: 0.85 to",
            "low: 0.92, high: 0.94, reported: 0.92 to",
            "outside its own inter",
        ),
        ("id: demo.n,", "id: other.n,", r"demo\.yaml, other\.n: must begin with 'demo\.'"),
        ("id: demo.n,", "", r"demo\.yaml, value 2: id Field required"),
        ("quantity: people", "quantitty: people", r"demo\.n: quantity Field required"),
        (", decimals: 0", "", r"demo\.n: a number needs 'decimals'"),
        ("value: AdamW,", "value: Adam,", r"demo\.optimizer: .*words need 'value' equal to 'reported'"),
        ("reported: '1,947'", "reported: '< 1,947'", r"demo\.n: 'bound: below' and a printed '<' go together"),
        ("n_values: 3", "n_values: 4", r"demo\.yaml: n_values is 4, but 3 values stand there"),
        ("paper: demo", "paper: sample", r"demo\.yaml: 'paper' is 'sample'"),
        ("seeds: not stated\n", "", r"demo\.yaml: seeds Field required"),
    ],
)
def test_a_file_that_breaks_the_schema_is_named_with_the_value(tmp_path, old, new, message):
    assert FILE.count(old) == 1
    with pytest.raises(ValueError, match=message):
        load_published(folder=written(tmp_path, FILE.replace(old, new)))


def test_a_folder_without_files_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no YAML files"):
        load_published(folder=tmp_path)


@settings(deadline=None, max_examples=50)
@given(units=st.integers(-99_999, 99_999), decimals=st.integers(0, 4))
def test_a_number_is_accepted_as_printed_and_refused_one_last_digit_away(units, decimals):
    reported = f"{units / 10**decimals:.{decimals}f}"
    fields = {"id": "x", "source": "s", "quantity": "q", "reported": reported, "decimals": decimals}
    assert Value(value=float(reported), **fields).row()["value"] == float(reported)
    with pytest.raises(ValidationError, match="not what is reported"):
        Value(value=(units + 1) / 10**decimals, **fields)


def test_identifiers_of_the_papers_are_those_of_the_bibliography():
    bibliography = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    entries = {m[1]: m[0] for m in re.finditer(r"@\w+\{(\w+),.*?\n\}", bibliography, flags=re.DOTALL)}
    for path in (ROOT / "data_manifests" / "published").glob("*.yaml"):
        paper = yaml.safe_load(path.read_text(encoding="utf-8"))
        entry = " ".join(re.sub(r"[{}]", "", entries[paper["paper"]]).split())
        for identifier in ("title", "year", "doi", "arxiv"):
            assert paper.get(identifier) is None or str(paper[identifier]) in entry, (path.name, identifier)
        assert all(author.split()[-1] in entry for author in paper["authors"])


def test_no_manifest_needs_more_than_safe_yaml():
    for path in (ROOT / "data_manifests" / "published").glob("*.yaml"):
        assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)
