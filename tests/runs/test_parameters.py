import pytest

from osteolib.runs import ParameterError, load_profile
from osteolib.runs.parameters import injected_names, read_parameters, resolve

CELL = """\
cohort: str = "knee-wani"  # which people
profile: str = "quick"  # sizes
seed: int = 0
n_boot: int | None = None  # replicates
alpha: float = 0.05
"""
DECLARED = read_parameters(CELL)


def test_the_cell_is_the_declaration():
    assert list(DECLARED) == ["cohort", "profile", "seed", "n_boot", "alpha"]
    assert DECLARED["n_boot"].annotation == "int | None"
    assert DECLARED["cohort"].meaning == "which people"


def test_none_takes_the_profile_s_value_and_a_given_one_stays():
    assert resolve(DECLARED, {})["n_boot"] == load_profile("quick")["n_boot"]
    assert resolve(DECLARED, {"profile": "paper"})["n_boot"] == load_profile("paper")["n_boot"]
    assert resolve(DECLARED, {"n_boot": 500, "alpha": 1})["n_boot"] == 500


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sede": 4}, "unknown parameter 'sede': did you mean 'seed'"),
        ({"epocs": 4}, "unknown parameter 'epocs'.*takes cohort, profile"),
        ({"seed": "1"}, "parameter seed = '1'.*integer"),
        ({"seed": -1}, "parameter seed = -1.*greater than or equal to 0"),
        ({"seed": True}, "parameter seed = True.*integer"),
        ({"n_boot": 10}, "parameter n_boot = 10.*greater than or equal to 100"),
        ({"n_boot": 2.5}, "parameter n_boot = 2.5.*integer"),
        ({"cohort": 7}, "parameter cohort = 7.*papermill's -r"),
        ({"profile": "fast"}, "unknown profile 'fast': choose one of smoke, quick, long, paper"),
    ],
)
def test_what_is_not_declared_is_refused(given, message):
    with pytest.raises(ParameterError, match=message):
        resolve(DECLARED, given)


def test_an_error_takes_one_line_in_a_notebook():
    with pytest.raises(ParameterError) as caught:
        resolve(DECLARED, {"epocs": 4})
    (line,) = caught.value._render_traceback_()
    assert "\n" not in line
    assert "epocs" in line


def test_names_that_papermill_injects_are_found():
    history = ["", "cohort: str = 'x'\nseed: int = 0", "# Parameters\nseed = 1\nepocs = 4\n", "other = 3"]
    assert injected_names(history) == {"seed", "epocs"}


def test_every_profile_has_every_key():
    first, *others = [set(load_profile(name)) for name in ("smoke", "quick", "long", "paper")]
    assert [first] * 3 == others


def test_an_untyped_line_in_the_cell_is_named():
    with pytest.raises(ValueError, match=r"line 2 of the parameters cell: .*'b = 2'"):
        read_parameters("a: int = 1\nb = 2")
