"""Statistics of screening: intervals that resample people, agreement, and comparison of correlated scores."""

from osteolib.stats.agreement import Agreement, Concordance, bland_altman, lin_ccc
from osteolib.stats.bootstrap import BootstrapDifference, BootstrapResult, bootstrap_ci, bootstrap_difference
from osteolib.stats.bootstrap_statistic import BootstrapStatistic, bootstrap_statistic
from osteolib.stats.correlation import fisher_z_ci
from osteolib.stats.metrics import METRICS
from osteolib.stats.roc import DeLongInterval, DeLongTest, delong_ci, delong_test

__all__ = [
    "METRICS",
    "Agreement",
    "BootstrapDifference",
    "BootstrapResult",
    "BootstrapStatistic",
    "Concordance",
    "DeLongInterval",
    "DeLongTest",
    "bland_altman",
    "bootstrap_ci",
    "bootstrap_difference",
    "bootstrap_statistic",
    "delong_ci",
    "delong_test",
    "fisher_z_ci",
    "lin_ccc",
]
