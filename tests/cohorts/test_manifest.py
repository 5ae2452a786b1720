import pytest
import yaml

from osteolib.cohorts import RULES, list_manifests, load_manifest
from osteolib.cohorts.load import reader_of
from osteolib.cohorts.manifest import DataFile, Manifest, parse_manifest

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


def listed(world, *lines: str, header="path,sha256,bytes", **fields) -> Manifest:
    """A manifest whose files stand in a CSV beside it."""
    (world.manifests / "set.csv").write_text("\n".join([header, *lines]) + "\n")
    return parse_manifest(GOOD | {"files": "set.csv"} | fields, "set.yaml")


def test_a_list_of_files_may_stand_in_a_table_beside_the_manifest(world):
    sha = "0" * 64
    manifest = listed(world, f"a.csv,{sha},1", f'"b, c.png",{sha},20')
    assert manifest.files == (DataFile("a.csv", sha, 1), DataFile("b, c.png", sha, 20))
    assert (
        manifest.content()
        == parse_manifest(GOOD | {"files": [f.__dict__ for f in manifest.files]}, "set.yaml").content()
    )


def test_further_columns_of_the_table_are_no_part_of_a_file_and_a_copy_is(world):
    header = "path,sha256,bytes,copy_path,copy_sha256,copy_bytes,width"
    manifest = listed(world, f"a.png,{'0' * 64},9,a.jpg,{'1' * 64},3,640", f"b.png,{'2' * 64},9,,,,", header=header)
    copied, other = manifest.files
    assert copied.copy == DataFile("a.jpg", "1" * 64, 3) and other.copy is None
    told = manifest.content()["files"]
    assert told[0]["copy"]["path"] == "a.jpg"
    assert "copy" not in told[1]


@pytest.mark.parametrize(
    ("header", "line", "message"),
    [
        ("path,sha256", "a.csv,0", "set.csv: columns path, sha256 and bytes are needed, bytes a number"),
        ("file,sha256,bytes", "a.csv,0,1", "set.csv: columns path, sha256 and bytes are needed"),
        ("path,sha256,bytes", f"a.csv,{'0' * 64},many", "bytes a number"),
        ("path,sha256,bytes,copy_path", f"a.csv,{'0' * 64},1,b.csv", "columns path, sha256 and bytes are needed"),
        ("path,sha256,bytes", "a.csv,abc,1", "sha256 of a.csv must be 64 hexadecimal digits"),
        ("path,sha256,bytes", "a.csv,,1", "sha256 of a.csv must be 64 hexadecimal digits"),  # unseen, but not partial
        ("path,sha256,bytes", f"../a.csv,{'0' * 64},1", "must lie below the cohort's folder"),
        ("path,sha256,bytes,copy_path,copy_sha256,copy_bytes", f"a,{'0' * 64},1,../b,{'0' * 64},1", "must lie below"),
        ("path,sha256,bytes,copy_path,copy_sha256,copy_bytes", f"a,{'0' * 64},1,b,0,1", "sha256 of b must be 64"),
    ],
)
def test_a_table_that_cannot_be_read_is_named(world, header, line, message):
    with pytest.raises(ValueError, match=message.replace("..", r"\.\.")):
        listed(world, line, header=header)


def test_a_table_that_is_not_there_is_named(world):
    with pytest.raises(ValueError, match=r"set\.csv, the manifest's list of files, is not there"):
        parse_manifest(GOOD | {"files": "set.csv"}, "set.yaml")


def test_only_of_a_partial_set_a_file_may_be_unseen_and_no_copy_ever(world):
    manifest = listed(world, "a.csv,,", partial=True)
    assert manifest.files == (DataFile("a.csv", "", 0),)
    copy = {"path": "b.csv", "sha256": "", "bytes": 0}
    entry = {"path": "a.csv", "sha256": "", "bytes": 0, "copy": copy}
    with pytest.raises(ValueError, match=r"sha256 of b\.csv must be 64"):
        parse_manifest(GOOD | {"files": [entry], "partial": True}, "set.yaml")


def test_a_manifest_without_the_newer_fields_has_the_content_it_always_had():
    """Fingerprints of recorded runs are made of it."""
    told = parse_manifest(GOOD, "set.yaml").content()
    assert "partial" not in told and told["files"] == [{"path": "a.csv", "sha256": "0" * 64, "bytes": 1, "phash": None}]
    assert parse_manifest(GOOD | {"partial": False}, "set.yaml").content() == told
    assert parse_manifest(GOOD | {"partial": True}, "set.yaml").content() == told | {"partial": True}
    assert not {"partial", "copy"} & set(load_manifest("knee-wani").content())
    assert not any("copy" in file for file in load_manifest("knee-wani").content()["files"])
