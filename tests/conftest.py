import pytest

from osteolib import train


@pytest.fixture
def cut_in_epoch(monkeypatch):
    """``cut_in_epoch(n)``: the n-th epoch that begins from then on is cut off; the list grows with every one begun."""

    def cut_in(n: int) -> list:
        begun = []

        def cut(*arguments, epoch=train._epoch):
            begun.append(arguments)
            if len(begun) == n:
                raise KeyboardInterrupt
            return epoch(*arguments)

        monkeypatch.setattr(train, "_epoch", cut)
        return begun

    return cut_in
