"""Independent trainings at the same time, a processor core each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any


def side_by_side(function: Callable[..., Any], calls: Mapping[Hashable, tuple]) -> dict[Hashable, Any]:
    """What ``function(*given)`` returns, for each name and tuple of ``calls`` and in their order.

    Small batches cannot keep several cores busy: two such trainings in two processes are done well before two in a row.
    There are as many processes as torch may use threads, of one thread each, so that the number of cores does not
    change what comes out. Where there is an accelerator to share, the calls run here, one after the other. The first
    error of a call is raised.
    """
    import torch
    from joblib import Parallel, delayed, parallel_config

    threads = torch.get_num_threads()
    if threads == 1 or torch.accelerator.is_available():
        return {name: function(*given) for name, given in calls.items()}
    with parallel_config("loky", n_jobs=threads, inner_max_num_threads=1):
        done = Parallel(max_nbytes=None)(delayed(function)(*given) for given in calls.values())
    return dict(zip(calls, done, strict=True))
