"""Numbers of SciPy and statsmodels that `src/golden_tests.rs` compares with.

python crates/stats/testdata/golden.py > crates/stats/testdata/golden.json
Made with the versions that the file names.
"""

import json

import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(17)

# One-sample BCa: 40 skewed values, many resamples so that chance hardly shows.
values = rng.exponential(size=40).round(6)
bca = stats.bootstrap((values,), np.mean, n_resamples=200_000, method="BCa", rng=rng)
percentile = stats.bootstrap((values,), np.mean, n_resamples=200_000, method="percentile", rng=rng)

# Replicates alone: a one-sample t-test.
replicates = [[0.012, 0.019, 0.011], [-0.3, 0.1], [1.0, 1.1, 0.8, 0.95, 1.02]]
tests = []
for sample in replicates:
    test = stats.ttest_1samp(sample, 0.0)
    interval = test.confidence_interval(0.95)
    tests.append({"values": sample, "p": test.pvalue, "low": interval.low, "high": interval.high})

p = [0.0004, 0.21, 0.013, 0.013, 0.049, 0.6, 0.008]
holm = multipletests(p, method="holm")[1]


def power(size, freedom, alpha):
    critical = stats.t.ppf(1 - alpha / 2, freedom)
    return stats.nct.sf(critical, freedom, size) + stats.nct.cdf(-critical, freedom, size)


powers = [
    {"size": size, "freedom": freedom, "alpha": alpha, "found": power(size, freedom, alpha)}
    for size, freedom, alpha in [
        (3.0, 1, 0.05), (5.0, 2, 0.05), (10.0, 2, 0.005), (2.0, 4, 0.05), (2.9, 30, 0.05), (3.6, 10.5, 0.01)
    ]
]

x, y = [1, 2, 3, 4, 5, 5, 7], [2, 1, 3, 3, 6, 5, 9]
print(json.dumps({
    "versions": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
    "bootstrap": {
        "values": values.tolist(),
        "percentile": list(percentile.confidence_interval),
        "bca": list(bca.confidence_interval),
    },
    "t": tests,
    "holm": {"p": p, "adjusted": holm.tolist()},
    "power": powers,
    "kendall": {"x": x, "y": y, "tau": stats.kendalltau(x, y).statistic},
}, indent=1))
