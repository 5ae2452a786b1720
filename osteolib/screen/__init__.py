"""From features to a score for each subject."""

from typing import TYPE_CHECKING

from osteolib.runs.lazy import lazy_names

if TYPE_CHECKING:
    from osteolib.screen.baselines import out_of_fold, shuffled_targets

__all__ = ["out_of_fold", "shuffled_targets"]
__getattr__ = lazy_names(__name__)
