"""Numbers of SciPy and statsmodels that `src/golden_tests.rs` compares with.

python crates/stats/testdata/golden.py > crates/stats/testdata/golden.json
Made with the versions that the file names.
"""

import json

import numpy as np
import scipy
import statsmodels
from scipy import optimize, stats
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

# Polynomials of Scheffé over the lattice of three corners in thirds; the base is at 1/3 of each, so
# there the fit is exactly 0: one coefficient follows from the others.
lattice = [[a / 3, b / 3, (3 - a - b) / 3] for a in (3, 2, 1, 0) for b in range(3 - a, -1, -1)]
lattice = [point for point in lattice if max(point) - min(point) > 1e-9]
unchanged = [1 / 3, 1 / 3, 1 / 3]


def terms(point, quadratic):
    pairs = [point[i] * point[j] for i in range(3) for j in range(i + 1, 3)]
    return np.array(list(point) + (pairs if quadratic else []))


def fit(points, means, weights, quadratic):
    """Weighted least squares, 0 at `unchanged`: over the null space of its terms."""
    free = np.linalg.svd(terms(unchanged, quadratic)[None])[2][1:].T
    rows = np.array([terms(point, quadratic) for point in points])
    root = np.sqrt(weights)[:, None]
    found = np.linalg.lstsq(root * rows @ free, root[:, 0] * means, rcond=None)[0]
    return free @ found


def left_out(means, weights, quadratic):
    off = []
    for left in range(len(lattice)):
        rest = [i for i in range(len(lattice)) if i != left]
        found = fit([lattice[i] for i in rest], means[rest], weights[rest], quadratic)
        off.append(means[left] - terms(lattice[left], quadratic) @ found)
    return float(np.sqrt(np.mean(np.square(off))))


def curved(a, b, c):
    return 1.5 - 6 * ((a - 0.1) ** 2 + (b - 0.55) ** 2 + (c - 0.35) ** 2)


gains = np.array([curved(*point) - curved(*unchanged) for point in lattice])
gains = (gains + rng.normal(scale=0.03, size=len(lattice))).round(6)
losses = np.array([0.8 * point[1] - 0.2 * point[2] - 0.2 for point in lattice])
losses = (losses + rng.normal(scale=0.01, size=len(lattice))).round(6)
fit_weights = rng.uniform(0.5, 2.0, size=len(lattice)).round(6)
quadratic = fit(lattice, gains, fit_weights, True)
linear = fit(lattice, losses, fit_weights, False)


def highest(margin):
    """Over the shares of the first two corners."""
    point = lambda x: [x[0], x[1], 1 - x[0] - x[1]]
    limits = [{"type": "ineq", "fun": lambda x: 1 - x[0] - x[1]}]
    limits.append({"type": "ineq", "fun": lambda x: margin - terms(point(x), False) @ linear})
    found = optimize.minimize(
        lambda x: -terms(point(x), True) @ quadratic, [0.2, 0.2], bounds=[(0, 1)] * 2, constraints=limits
    )
    return {"margin": margin, "at": [float(share) for share in point(found.x)], "gain": float(-found.fun)}


surface = {
    "compositions": lattice,
    "gains": gains.tolist(),
    "losses": losses.tolist(),
    "weights": fit_weights.tolist(),
    "quadratic": quadratic.tolist(),
    "linear": linear.tolist(),
    "left_out": {"quadratic": left_out(gains, fit_weights, True), "linear": left_out(losses, fit_weights, False)},
    "highest": [highest(margin) for margin in (10.0, 0.1)],
}

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
    "surface": surface,
    "kendall": {"x": x, "y": y, "tau": stats.kendalltau(x, y).statistic},
}, indent=1))
