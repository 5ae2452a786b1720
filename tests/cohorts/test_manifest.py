import pytest
import yaml

from osteolib.cohorts import RULES, list_manifests, load_manifest
from osteolib.cohorts.load import reader_of
from osteolib.cohorts.manifest import parse_manifest

GOOD = {
    "name": "set", "title": "A set", "kind": "real", "source": "https://doi.org/10.0/0", "licence": "CC0",
    "citation": "none",
    "folder": "set", "files": [{"path": "a.csv", "sha256": "0" * 64, "bytes": 1}],
}  # fmt: skip


def test_every_manifest_of_the_project_says_what_is_needed():
    manifests = {m.name: m for m in list_manifests()}
    assert {"knee-wani", "nhanes-dxa", "strnet-stage1", "hand-public", "hand-rsna", "ct-totalsegmentator"} <= set(
        manifests
    )
    for manifest in manifests.values():
        assert "https://" in manifest.source or manifest.reader == "own"
        assert manifest.reader is None or (reader_of(manifest) and manifest.label_rule in (None, *RULES))
        assert manifest.reader or manifest.what_would_run
        paths = [file.path for file in manifest.files]
        assert len(set(paths)) == len(paths)


def test_the_knee_manifest_has_the_duplicates_that_were_counted_by_hand():
    """217 distinct files of 239; 21 groups of identical ones; classes are folders."""
    films = [f for f in load_manifest("knee-wani").files if f.path.startswith("images/")]
    by_content = {}
    for film in films:
        by_content.setdefault(film.sha256, []).append(film.path.split("/")[1])
    groups = [classes for classes in by_content.values() if len(classes) > 1]
    assert (len(films), len(by_content), len(groups)) == (239, 217, 21)
    assert sum(len(set(classes)) > 1 for classes in groups) == 7
    assert all(len({f.phash for f in films if f.sha256 == sha}) == 1 for sha in by_content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"licence": None}, "field 'licence' is missing"),
        ({"url": "https://"}, "unknown field 'url'"),
        ({"kind": "synthetic"}, "kind must be one of real, phantom, got 'synthetic'"),
        ({"name": "other"}, "name 'other' must be that of the file"),
        ({"files": [{"path": "a.csv"}]}, "needs path, sha256 and bytes"),
        ({"files": [{"path": "a.csv", "sha256": "abc", "bytes": 1}]}, "64 hexadecimal digits"),
        ({"files": [{"path": "../a.csv", "sha256": "0" * 64, "bytes": 1}]}, "must lie below the cohort's folder"),
        ({"reader": "nhanes", "files": []}, "needs its folder and files"),
    ],
)
def test_a_malformed_manifest_is_named_with_its_field(change, message):
    assert parse_manifest(GOOD, "set.yaml").files[0].path == "a.csv"
    with pytest.raises(ValueError, match=r"^set\.yaml: .*" + message):
        parse_manifest(GOOD | change, "set.yaml")


LINK = {"url": "https://example.org/set.zip", "sha256": "1" * 64, "bytes": 10, "unpack": "zip"}


@pytest.mark.parametrize(
    ("link", "change", "message"),
    [
        ({"url": "http://example.org/set.zip"}, {}, "url must be https"),
        ({"url": "http://127.0.0.1.example.org/set.zip"}, {}, "url must be https"),
        ({"url": "file:///set.zip"}, {}, "url must be https"),
        ({"url": "https:///set.zip"}, {}, "url must be https"),
        ({"sha256": "1"}, {}, "sha256 of download must be 64"),
        ({"bytes": 0}, {}, "positive number, got 0"),
        ({"bytes": "10"}, {}, "positive number, got '10'"),
        ({"unpack": "rar"}, {}, "zip, tar or null, got 'rar'"),
        ({"md5": "0"}, {}, "download needs url, sha256 and bytes"),
        ({"unpack": None}, {}, "must be the one file of the cohort"),
        ({}, {"folder": "../set"}, "a folder below OSTEO_DATA"),
        ({}, {"folder": "."}, "a folder below OSTEO_DATA"),
        ({}, {"folder": "/set"}, "a folder below OSTEO_DATA"),
        ({}, {"files": []}, "needs its files"),
    ],
)
def test_a_link_is_complete_and_secure(link, change, message):
    with pytest.raises(ValueError, match=r"^set\.yaml: .*" + message):
        parse_manifest(GOOD | change | {"download": LINK | link}, "set.yaml")


def test_a_link_is_no_part_of_what_the_cohort_is():
    linked = parse_manifest(GOOD | {"download": LINK}, "set.yaml")
    assert linked.download.bytes == 10
    assert linked.content() == parse_manifest(GOOD, "set.yaml").content()
    single = LINK | {"sha256": "0" * 64, "unpack": None}
    assert parse_manifest(GOOD | {"download": single}, "set.yaml").download.unpack is None
    here = LINK | {"url": "http://127.0.0.1:8000/set.zip"}  # a server of one's own
    assert parse_manifest(GOOD | {"download": here}, "set.yaml").download.url == here["url"]


def test_an_unknown_name_lists_the_known_ones(world):
    (world.manifests / "set.yaml").write_text(yaml.safe_dump(GOOD))
    with pytest.raises(ValueError, match=r"no cohort '\.\./set': there are set"):
        load_manifest("../set")


def test_where_the_files_lie_is_no_part_of_what_the_cohort_is():
    here, there = parse_manifest(GOOD, "set.yaml"), parse_manifest(GOOD | {"folder": "/elsewhere"}, "set.local.yaml")
    assert here.content() == there.content()
    assert here.content() != parse_manifest(GOOD | {"label_rule": "hip"}, "set.yaml").content()
