"""From features to a score for each subject."""

from osteolib.screen.baselines import class_mean_yardstick, out_of_fold, shuffled_targets

__all__ = ["class_mean_yardstick", "out_of_fold", "shuffled_targets"]
