"""What the page on the films of ``strnet-stage1`` shows: tables, figures and the sentences bound to them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from osteolib.cohorts import LABELS
from osteolib.cohorts.groupings import also_in_train
from osteolib.report import stage1_counts as counts
from osteolib.report import stage1_figures as figures
from osteolib.report.knees import beside_published, common_sizes
from osteolib.report.plots import composition
from osteolib.report.show import figure, say, table
from osteolib.runs import Run

COHORT = "strnet-stage1"


def show_sets(run: Run, files: pd.DataFrame, listed: pd.DataFrame) -> None:
    """The chain of sets as a chart, and each class as a sum of them."""
    linked = counts.linked_files()
    made = counts.made_of(files, listed, linked)
    crops = files[(files["in_372"] == 1) & ~files["small"]].drop_duplicates("bytes_group")
    small = files[files["small"]]
    run.fact(n_linked=len(linked), n_linked_files=linked["sha256"].nunique(), n_crops=len(crops),
             cut=float(crops["wani_id"].notna().mean()), n_small=small["bytes_group"].nunique(), n_here=len(files),
             n_listed=len(listed), n_missing=len(listed) - len(files), odd=int(made["odd"].sum()),
             linked_here=int(linked["sha256"].isin(files["content"]).sum()),
             small_known=float(small["picture_group"].isin(crops["picture_group"]).mean()))  # fmt: skip
    facts = run.facts
    fig = figures.chain_figure(facts["n_linked"], facts["n_linked_files"], facts["n_crops"], facts["cut"],
                               facts["n_small"], facts["n_listed"], facts["n_missing"])  # fmt: skip
    figure(run, "chain", fig, alt="A chart: films of knee-wani; pictures of one knee, cut out of them for the "
                                  "most part; the same pictures made small; all three flow into the listed "
                                  "files.")  # fmt: skip
    table(run, "made_of", made.drop(columns="odd"), "Each class as a sum, files: those of knee-wani once, and "
                                                    "the rest at full size and at 128 × 256 pixels",
          folded="The sums, class by class")  # fmt: skip
    say(run, "Take one copy of each film of `knee-wani` out of its class, as often as that set holds it. "
        + ("**Of all that remains, every content stands there an even number of times**: "
           if facts["odd"] == 0 else "Of all that remains, {odd} contents stand there an odd number of times: ")
        + "a set of single knees at full size, put in twice, and small copies, put in twice. {small_known:.0%} "
          "of the small files are a picture that also stands there at full size. Of the {n_linked} films of "
          "`knee-wani`, which is Stage 2, {linked_here} are here.")  # fmt: skip


def show_composition(run: Run, files: pd.DataFrame, listed: pd.DataFrame) -> None:
    """Files, byte strings, pictures and source films by class."""
    rows = counts.composition(files, listed)
    table(run, "composition", rows, "How many there are; a content under two classes counts in both",
          folded="How many there are, by class")  # fmt: skip
    whole = rows.loc["all, each once"]
    run.fact(n_bytes=int(whole["byte strings"]), n_pictures=int(whole["pictures"]), n_films=int(whole["source "
          "films"]),
             n_of_linked=int(whole["of knee-wani"]))  # fmt: skip
    say(run, "**{n_here:,} files, {n_bytes} byte strings, {n_pictures} pictures, {n_films} source films**, and "
             "{n_of_linked} of these are films of `knee-wani`.")  # fmt: skip


def show_classes(run: Run, files: pd.DataFrame) -> None:
    """Folder against the class of the T-score, and how many classes one film stands under."""
    cross, many = counts.classes_of_films(files)
    table(run, "classes", cross, "Files: the folder they stand in, and the class of the T-score that "
                                 "knee-wani gives to the film they show")  # fmt: skip
    agree = sum(int(cross.at[label, label]) for label in LABELS)
    with_class = int(cross[list(LABELS)].to_numpy().sum())
    both = files[(files["n_legs"] == 1) & files["source_group"].isin(files.loc[files["n_legs"] == 2, "source_group"])]
    knees = both.drop_duplicates(["picture_group", "label"]).groupby("source_group")
    two = knees.filter(lambda part: part["picture_group"].nunique() == 2 and len(part) == 2).groupby("source_group")
    apart = int((two["label"].nunique() == 2).sum())
    ends = cross.loc[["normal", "osteoporosis"], ["normal", "osteoporosis"]]
    crossing = files.groupby("source_group")["label"].transform("nunique") > 1
    run.fact(agree=agree, with_class=with_class, one=int(many[1]), two_labels=int(many[2]), three=int(many[3]),
             n_crossing=int(crossing.sum()), two_knees=two.ngroups, apart=apart,
             middle=int(cross.loc[["normal", "osteoporosis"], "osteopenia"].sum()), ends=int(ends.to_numpy().sum()),
             ends_agree=int(ends.to_numpy().trace()))  # fmt: skip
    say(run,
        "{agree} of {with_class:,} files stand in the folder that the T-score gives. Of the others {middle} "
        "show films of osteopenia in the two outer folders; of those whose T-score is outside that band and "
        "that stand in an outer folder, {ends_agree} of {ends} agree. {one} source films stand under one class, "
        "**{two_labels} under two and {three} under all three**; {n_crossing:,} files show a film that also "
        "stands under another class. In {two_knees} films each knee was cut out and has one class: in {apart} "
        "of them the two knees differ.")  # fmt: skip


def show_sheet(run: Run, files: pd.DataFrame, n: int = 4) -> None:
    """Some source films under all three classes, each with all its pictures."""
    shown = files[figures.may_be_shown(files)]
    by_film = shown.groupby("source_group").agg(classes=("label", "nunique"), legs=("n_legs", "max"))
    chosen = list(by_film[(by_film["legs"] == 2)].sort_values("classes", ascending=False, kind="stable").index[:n])
    text = "; ".join(f"{part['wani_id'].iloc[0]}: {', '.join(sorted(set(part['label'])))}"
                     for _, part in shown[shown["source_group"].isin(chosen)].groupby("source_group"))  # fmt: skip
    figure(run, "films", figures.film_sheet(shown, chosen), alt=f"Films with all their pictures and folders. {text}.")


def show_facts(run: Run, files: pd.DataFrame) -> None:
    """Layout, size and format by class: what can be read without looking at bone."""
    films = files.assign(width=files["original_width"].fillna(0).astype(int),
                         height=files["original_height"].fillna(0).astype(int),
                         format=files["original_format"].str.lower().str.lstrip("."))  # fmt: skip
    films["size"] = common_sizes(films, n=4)
    columns = {"film_layout": "Layout", "size": "Size (pixels)", "format": "Format"}
    figure(run, "file_facts", composition(films, columns),
           alt="Stacked bars: share of files of one and both knees, of sizes, of formats in each class.")  # fmt: skip
    small, wide = films.groupby("label")["small"].mean(), films["film_layout"].eq("bilateral").groupby(films["label"])
    run.fact(
        **{f"small_{c}": float(small[c]) for c in LABELS}, **{f"both_{c}": float(v) for c, v in wide.mean().items()}
    )
    say(run, "128 × 256 pixels have {small_normal:.0%} of the normal files, {small_osteopenia:.0%} of "
             "osteopenia and {small_osteoporosis:.0%} of osteoporosis; both knees show {both_normal:.0%}, "
             "{both_osteopenia:.0%} and {both_osteoporosis:.0%}.")  # fmt: skip


def show_flow(run: Run, files: pd.DataFrame, listed: pd.DataFrame, paper: Mapping[str, float]) -> None:
    """Films of one and of both knees beside the printed ones, and what each check of copies would leave."""
    single, both = (int(paper[f"flow.s1_{kind}"]) for kind in ("single", "bi"))
    lay = counts.layouts(files, {"single": single, "both": both}, len(listed))
    table(run, "layouts", lay, "Films of one knee and of both", index=False, folded="One knee or both, in numbers")
    hashed, agreement = counts.hash_groups(files)
    rows = counts.flow_table(files, hashed, len(listed))
    used, whole = int(paper["stage1.n"]), int(paper["n_dev"])
    shown = rows.assign(**{f"room for {used:,}": (rows["most_knees"] >= used).map({True: "yes", False: "no"})})
    names = {"files": "files here", "knees": "knees here", "most_files": "files at most", "most_knees": "knees at most"}
    table(run, "flow", shown.rename(columns=names), "If one file of each group were kept; at most: were all "
                                                    "missing files other films of both knees",
          folded="What each rule would leave")  # fmt: skip
    run.result("strnet2026_knee.flow.s1", "count", len(listed), n=len(listed), cohort=COHORT)
    pictures, films = (int(rows.at[name, "most_knees"]) for name in ("pictures", "source films"))
    films += int(run.facts.get("n_open", 0))  # joins left open: each may be a film of its own
    run.fact(same_paths=len(listed) - listed["path"].str.lower().nunique(), used=used, whole=whole,
             most_pictures=pictures, most_films=films, repeats=used - pictures,
             hash_files=int(rows.loc["look-alikes, 64 bits, up to 4 differ", "files"]),
             possible=int((lay["possible"] == "yes").sum()),
             hash_found=int(agreement.at["same picture", "both"]), film_repeats=used - films,
             whole_repeats=whole - films,
             hash_all=int(agreement.loc["same picture", ["both", "ours only"]].sum()),
             hash_film=int(agreement.at["same film", "both"]),
             film_all=int(agreement.loc["same film", ["both", "ours only"]].sum()))  # fmt: skip
    say(run,
        "**The paper uses {used:,} knees of Stage 1.** Distinct pictures of this set hold at most "
        "{most_pictures:,} knees, source films {most_films:,}, whatever the missing files show. "
        + ("So, if Stage 1 is this set, at least {repeats} of its knees repeat a picture that is in it already, "
           "and at least {film_repeats} show a knee that is. " if run.facts["repeats"] > 0 else
           "So all its knees may be different pictures. ")
        + ("And since every film of Stage 2 is here, the {whole:,} knees of both stages show no more than those "
           "{most_films:,}. " if run.facts["linked_here"] == run.facts["n_linked"] else "")
        + "A merge by path would remove {same_paths} of the {n_listed:,} names. The paper's own check, by "
          "64-bit hash, would have found {hash_found} of our {hash_all} pairs of one picture, and {hash_film} "
          "of {film_all} of one film.")  # fmt: skip
    beside_published(run)


def show_split(run: Run, files: pd.DataFrame) -> None:
    """Of the test and validation files of a public random split, how many have a copy in its training part."""
    names = {"same bytes": "bytes_group", "same picture": "picture_group", "same film": "source_group"}
    rows = also_in_train(files, files["split_42"], names)
    table(run, "split", rows.rename(columns={n: f"{n} in train" for n in names}), "A public random split of the "
          "listed files; those here", folded="Test and validation files, in numbers")  # fmt: skip
    test = rows.loc["test"]
    run.fact(n_test=int(test["files"]), test_bytes=int(test["same bytes"]), test_picture=int(test["same picture"]),
             test_film=int(test["same film"]), test_share=float(test["same film"] / test["files"]))  # fmt: skip
    say(run, "Of {n_test} test files {test_bytes} have the same bytes in training, {test_picture} the same "
             "picture and **{test_film} the same film ({test_share:.0%})**. A file that is missing here can "
             "only add to that.")  # fmt: skip
