"""Statistics of screening: intervals that resample people, agreement, comparison, calibration and thresholds.

What is accepted is one rule, :mod:`osteolib.stats.inputs`: a right answer, or a ValueError that names the argument.
"""

from typing import TYPE_CHECKING

from osteolib.runs.lazy import lazy_names

if TYPE_CHECKING:
    from osteolib.stats.agreement import Agreement, Concordance, bland_altman, lin_ccc
    from osteolib.stats.bootstrap import BootstrapDifference, BootstrapResult, bootstrap_ci, bootstrap_difference
    from osteolib.stats.bootstrap_any import BootstrapStatistic, bootstrap_statistic
    from osteolib.stats.calibration import (
        BrierDecomposition,
        Recalibration,
        brier_decomposition,
        calibration_curve,
        calibration_slope_intercept,
    )
    from osteolib.stats.correlation import fisher_z_ci
    from osteolib.stats.exact import exact_interval
    from osteolib.stats.metrics import METRICS
    from osteolib.stats.roc import DeLongInterval, DeLongTest, delong_ci, delong_test
    from osteolib.stats.thresholds import (
        OperatingThreshold,
        decision_curve,
        referral_table,
        sensitivity_constrained_threshold,
    )

__all__ = [
    "METRICS",
    "Agreement",
    "BootstrapDifference",
    "BootstrapResult",
    "BootstrapStatistic",
    "BrierDecomposition",
    "Concordance",
    "DeLongInterval",
    "DeLongTest",
    "OperatingThreshold",
    "Recalibration",
    "bland_altman",
    "bootstrap_ci",
    "bootstrap_difference",
    "bootstrap_statistic",
    "brier_decomposition",
    "calibration_curve",
    "calibration_slope_intercept",
    "decision_curve",
    "delong_ci",
    "delong_test",
    "exact_interval",
    "fisher_z_ci",
    "lin_ccc",
    "referral_table",
    "sensitivity_constrained_threshold",
]
__getattr__ = lazy_names(__name__)
