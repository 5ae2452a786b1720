"""``osteolib`` on the command line: the notebooks, the data, and the files made from sources."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
data = typer.Typer(
    no_args_is_help=True, help="The cohorts and weights that manifests describe, and whether they are here."
)
app.add_typer(data, name="data")


@app.callback()
def main() -> None:
    """Helpers of the executable replication: `make book` and papermill do the rest."""


@app.command("list")
def list_command() -> None:
    """Notebooks with their parameters, types, defaults and minutes per profile; recorded runs and their state."""
    from osteolib.runs import list_notebooks
    from osteolib.runs.recorded import list_cells, state_of

    for notebook in list_notebooks():
        minutes = ", ".join(f"{profile} {value:g}" for profile, value in notebook.minutes.items())
        typer.echo(
            f"{notebook.name}  {notebook.title}\n    minutes: {minutes}; data: {', '.join(notebook.needs) or 'none'}"
        )
        for p in notebook.parameters.values():
            default = "profile" if p.default is None else repr(p.default)
            typer.echo(f"    -p {p.name:<24} {p.annotation:<40} {default:<12} {p.meaning}")
        typer.echo("")
    typer.echo("Recorded runs (`make record` runs what is not there)")
    for name, cell in list_cells().items():
        typer.echo(f"    {name:<24} {state_of(name)}; {cell.what}, profile {cell.profile}, about {cell.hours:g} hours")


@app.command()
def notebooks() -> None:
    """Generate notebooks/*.ipynb from notebooks/src/*.py."""
    from osteolib.runs.authoring import write_notebooks

    for path in write_notebooks():
        typer.echo(f"written: notebooks/{path.name}")


@app.command()
def exercises() -> None:
    """Write copies of the notebooks without solutions to exercises/; existing copies are kept."""
    from osteolib.runs.authoring import write_exercises

    for path in write_exercises():
        typer.echo(f"written: exercises/{path.name}")


@app.command()
def audit(
    file: Annotated[Path | None, typer.Argument(help="data_manifests/audits/example.yaml explains one")] = None,
    csv: Annotated[Path | None, typer.Option(help="write the findings to this table as well")] = None,
    help_checks: Annotated[bool, typer.Option("--help-checks", help="list the checks that a file can name")] = False,
) -> None:
    """Recompute what the printed numbers of a paper say about each other, from a small YAML file."""
    from osteolib.report.audits import audit_paper
    from osteolib.runs.csv_text import csv_text
    from osteolib.runs.paths import write_atomic
    from osteolib.stats.audit.audit_file import report, vocabulary

    if help_checks or file is None:
        for check in vocabulary().itertuples():
            typer.echo(f"{check.check}: {check.arguments}\n{indent(check.meaning, '    ')}\n    {check.example}\n")
        return
    findings = audit_paper(file)
    typer.echo(report(findings))
    if csv:
        try:
            write_atomic(csv, csv_text(findings.drop(columns="details")))
        except PermissionError:
            raise PermissionError(f"nothing can be written to {csv.absolute().parent}: name another place after --csv, "
                                  "in a folder of your own") from None  # fmt: skip


@data.command("list")
def data_list() -> None:
    """Every cohort and every pretrained encoder that has a manifest: what it is, whether it is here, its source."""
    from osteolib.cohorts import list_manifests, state
    from osteolib.screen.weights import list_encoders, weights_file

    for manifest in list_manifests():
        typer.echo(f"{manifest.name:<20} {state(manifest.name):<9} {manifest.title}\n{'':<20} {manifest.source}")
    typer.echo("\nPretrained encoders, whose weights install as packages:\n")
    for encoder in list_encoders():
        try:
            weights_file(encoder)
            here = "installed"
        except ValueError:
            here = "absent"
        typer.echo(f"{encoder.name:<20} {here:<9} {encoder.title}\n{'':<20} {encoder.package}=={encoder.version}, "
                   f"{encoder.licence}; {encoder.source}")  # fmt: skip


@data.command()
def verify(
    name: str,
    deep: Annotated[bool, typer.Option(help="also recompute the perceptual hash of every image")] = False,
) -> None:
    """Compare the files of a cohort with the sha256 in its manifest; say what to do where they differ."""
    from osteolib.cohorts import load_manifest
    from osteolib.cohorts import verify as check
    from osteolib.cohorts.files import how_to_mend

    report = check(name, deep)
    typer.echo(str(report) if report.ok else how_to_mend(load_manifest(name), report))
    if not report.ok:
        raise typer.Exit(1)


@data.command("fetch")
def data_fetch(name: str) -> None:
    """Download a cohort to OSTEO_DATA where its manifest has a link, else say where to get it."""
    from osteolib.cohorts.fetch import fetch

    report = fetch(name)
    typer.echo(str(report))
    if not report.ok:
        raise typer.Exit(1)


@data.command()
def add(
    folder: Path,
    name: Annotated[str, typer.Option(help="short name of the cohort")],
    bone: Annotated[str, typer.Option(help="what the films show: knee, hand, hip ...")] = "knee",
    label_rule: Annotated[str, typer.Option(help="who, hip or hand: how a T-score becomes a class")] = "who",
) -> None:
    """Check a folder of radiographs and its table (CSV or XLSX), write its manifest, tell what is strange in it."""
    from osteolib.cohorts import add_folder, find_data, load_manifest
    from osteolib.cohorts.own import describe

    path = add_folder(folder, name, bone=bone, label_rule=label_rule)
    typer.echo(f"manifest written: {path.name}; `-p cohort {name}` takes it to a notebook")
    manifest = load_manifest(name)
    typer.echo(describe(manifest, find_data(manifest)))


def run() -> None:
    """Entry point: an error that names its remedy is printed in one line, without a traceback."""
    try:
        app()
    except (ValueError, OSError) as error:
        typer.echo(f"osteolib: {error}", err=True)
        raise SystemExit(1) from None
