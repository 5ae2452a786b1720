import os

import pytest
import torch

from osteolib.runs.side_by_side import side_by_side
from osteolib.segment.bones import film_rows


def here(number: int) -> tuple[int, int, int]:
    return number, os.getpid(), torch.get_num_threads()


@pytest.mark.parametrize(("threads", "accelerator"), [(1, False), (2, False), (2, True)])
def test_every_call_has_its_answer_and_two_threads_become_two_processes_of_one(threads, accelerator, monkeypatch):
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: accelerator)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # as the book's workflow sets it; a process alone takes no more than one
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        answers = side_by_side(here, {name: (number,) for number, name in enumerate("cab")})
    finally:
        torch.set_num_threads(before)
    assert {name: answer[0] for name, answer in answers.items()} == {"c": 0, "a": 1, "b": 2}
    assert list(answers) == ["c", "a", "b"]
    alone = threads == 1 or accelerator
    assert ({answer[1] for answer in answers.values()} == {os.getpid()}) == alone
    assert {answer[2] for answer in answers.values()} == {threads if alone else 1}


def test_an_error_of_a_call_is_raised():
    with pytest.raises(TypeError, match="film_rows"):
        side_by_side(film_rows, {"right": (128,), "wrong": ()})
