"""What the page on the films of ``strnet-stage1`` counts: sets that went in, classes, what a check would leave."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from osteolib.cohorts import LABELS, load_manifest
from osteolib.cohorts.duplicates import join_groups, look_alike_pairs, perceptual_hash
from osteolib.cohorts.groupings import left_by, pairs_joined
from osteolib.cohorts.strnet_stage1 import LINKED

SMALL = (128, 256)
GRADES = {"byte strings": "bytes_group", "pictures": "picture_group", "source films": "source_group"}


def with_listed(films: pd.DataFrame, listed: pd.DataFrame) -> pd.DataFrame:
    """The films with what the list of all files knows of the originals and of another count.

    Returns
    -------
    ``films`` with ``content`` (sha256 of the original), ``in_372, split_42``, ``near, earlier`` (groups of the other
    count), and ``small``: whether the original has 128 x 256 pixels.
    """
    names = {"sha256": "content", "near_group": "near", "source_group": "earlier"}
    known = listed.set_index("path")[["sha256", "in_372", "split_42", "near_group", "source_group"]]
    small = (films["original_width"] == SMALL[0]) & (films["original_height"] == SMALL[1])
    return films.join(known.rename(columns=names), on="file").assign(small=small)


def linked_files() -> pd.DataFrame:
    """Every film of ``knee-wani`` by its manifest: ``sha256, label`` (class of the T-score)."""
    films = [(file.sha256, file.path.split("/")[-2]) for file in load_manifest(LINKED).files if file.phash]
    return pd.DataFrame(films, columns=["sha256", "label"])


def made_of(files: pd.DataFrame, listed: pd.DataFrame, linked: pd.DataFrame) -> pd.DataFrame:
    """Each class as a sum: the films of ``knee-wani`` in it once, small files, the rest at full size.

    Parameters
    ----------
    files
        From :func:`with_listed`.
    linked
        From :func:`linked_files`.

    Returns
    -------
    Index: class; ``listed, here, knee-wani, full size, small`` (files; the last three make ``here``), and ``odd``: how
    many contents of the last two do not stand there an even number of times. None, if sets were put in twice.
    """
    rows = {}
    for label in LABELS:
        here, own = files[files["label"] == label], linked.loc[linked["label"] == label, "sha256"].value_counts()
        times = here.groupby(["small", "content"]).size()
        large, small = (times[times.index.get_level_values("small") == s].droplevel("small") for s in (False, True))
        rest = large - own.reindex(large.index).fillna(0)
        rows[label] = {
            "listed": int(listed["path"].str.startswith(f"{label}/").sum()), "here": len(here), LINKED: int(own.sum()),
            "full size": int(rest.sum()), "small": int(small.sum()), "odd": int((pd.concat([rest, small]) % 2).sum()),
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("class")


def composition(files: pd.DataFrame, listed: pd.DataFrame) -> pd.DataFrame:
    """Files, byte strings, pictures and source films by class and in all; ``of knee-wani``: of the source films."""
    total = listed["path"].str.split("/").str[0]

    def row(part: pd.DataFrame, n: int) -> dict[str, int]:
        found = {name: part[column].nunique() for name, column in GRADES.items()}
        of_wani = part.loc[part["wani_id"].notna(), "source_group"].nunique()
        return {"listed": n, "here": len(part), **found, "of knee-wani": of_wani, "missing": n - len(part)}

    rows = {label: row(files[files["label"] == label], int((total == label).sum())) for label in LABELS}
    rows["all, each once"] = row(files, len(listed))
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("class")


def classes_of_films(files: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Files by folder and by the class of the T-score of the film that they show; source films by number of classes."""
    t_class = files["wani_label"].where(files["wani_id"].notna(), "not a film of it").fillna("rows of two classes")
    columns = [*LABELS, "rows of two classes", "not a film of it"]
    cross = pd.crosstab(files["label"], t_class).reindex(index=LABELS, columns=columns, fill_value=0)
    many = files.groupby("source_group")["label"].nunique().value_counts().reindex([1, 2, 3], fill_value=0)
    return cross.rename_axis(index="folder", columns=None), many


def other_films(files: pd.DataFrame, crops: pd.DataFrame) -> pd.DataFrame:
    """Crops for which the other count names a film that ours does not: ``crop, ours, theirs`` (image ids), ``fits``."""
    first = files.drop_duplicates("bytes_group").set_index("image_id")
    wide = first[first["n_legs"] == 2]
    rows = []
    for row in crops.itertuples():
        theirs = wide[wide["earlier"] == first["earlier"][row.crop]]
        theirs = theirs[theirs["source_group"] != first["source_group"][row.crop]]
        rows += [(row.crop, row.film, name, row.fits) for name in theirs.index[:1]]
    return pd.DataFrame(rows, columns=["crop", "ours", "theirs", "fits"])


def hash_groups(files: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
    """Groups under the check that STR-Net names (64 bits, distance up to 4), and how it agrees with ours by content.

    Returns
    -------
    The group of each file, and a table of pairs of contents: index ``same picture, same film``, columns of
    :func:`pairs_joined` with the check as ``theirs``.
    """
    first = files.drop_duplicates("sha256").reset_index(drop=True)
    bits = first["path"].map(lambda path: perceptual_hash(Path(path)))
    group = pd.Series(join_groups(first["sha256"], pairs=look_alike_pairs(bits)), index=first["sha256"])
    found = {name: pairs_joined(first[column], pd.Series(group.to_numpy()))
             for name, column in (("same picture", "picture_group"), ("same film", "source_group"))}  # fmt: skip
    return files["sha256"].map(group), pd.DataFrame.from_dict(found, orient="index")


def flow_table(files: pd.DataFrame, hashed: pd.Series, n_listed: int) -> pd.DataFrame:
    """Files and knees that each check of copies would leave, here and at most with the missing files."""
    rules = {
        "paths, upper and lower case alike": files["file"].str.lower(), "bytes": files["bytes_group"],
        "look-alikes, 64 bits, up to 4 differ": hashed, "pictures": files["picture_group"],
        "source films": files["source_group"],
    }  # fmt: skip
    return left_by(files, rules, n_listed - len(files))


def layouts(files: pd.DataFrame, printed: Mapping[str, int], n_listed: int) -> pd.DataFrame:
    """Films of one knee and of both: counted, at most with the missing files, printed, and whether that is possible."""
    missing = n_listed - len(files)
    both = int((files["n_legs"] == 2).sum())
    rows = {"one knee": (len(files) - both, printed["single"]), "both knees": (both, printed["both"])}
    table = pd.DataFrame([(name, n, n + missing, p) for name, (n, p) in rows.items()],
                         columns=["films of", "here", "at most", "printed"])  # fmt: skip
    possible = (table["here"] <= table["printed"]) & (table["printed"] <= table["at most"])
    return table.assign(possible=possible.map({True: "yes", False: "no"}))
