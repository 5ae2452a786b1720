"""What a notebook's page depends on."""

import re
import shutil

import pytest

from osteolib.runs import ROOT, list_notebooks
from osteolib.runs import notebooks as module
from osteolib.runs.notebooks import READS


@pytest.mark.parametrize(
    ("pattern", "reader", "stranger"),
    [
        ("published/strnet2026_knee.yaml", "13_audit_knee", "19_hand_views"),
        ("audits/lee2025_hand.yaml", "14_audit_hand", "03_two_measurements"),
        ("weights/efficientnet_lite0.yaml", "04_knee_training", "15_audit_all"),
    ],
)
def test_a_page_runs_again_when_a_manifest_that_its_code_reads_is_edited(
    tmp_path, monkeypatch, pattern, reader, stranger
):
    pages = {page.name: page for page in list_notebooks() if page.name in (reader, stranger)}
    before = {name: page.fingerprint("smoke") for name, page in pages.items()}
    shutil.copytree(ROOT / "data_manifests", tmp_path / "data_manifests")
    shutil.copy(ROOT / "requirements.txt", tmp_path)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    assert {name: page.fingerprint("smoke") for name, page in pages.items()} == before
    edited = tmp_path / "data_manifests" / pattern
    edited.write_text(edited.read_text(encoding="utf-8") + "# an edit\n", encoding="utf-8")
    after = {name: page.fingerprint("smoke") for name, page in pages.items()}
    assert after[reader] != before[reader] and after[stranger] == before[stranger]


def test_every_module_that_opens_a_folder_of_manifests_is_known_to_the_pages():
    opens = re.compile(r'ROOT / "data_manifests" / "(published|audits|weights)"')
    files = (path for path in (ROOT / "osteolib").rglob("*.py") if opens.search(path.read_text(encoding="utf-8")))
    found = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files}
    assert found <= set(READS)
