r"""How far the predicted score of a person moves who does not change, learned on validation persons.

With p the prediction of a visit, y the score, t the true score behind it, and a bar for the mean of the n
visits before it (the baseline, in which the constant error of a person cancels):

    p - \bar p = b (t - \bar t) + b_2 (t^2 - \bar{t^2}) + e                          predictions
    p - m \bar y = a + a_1 \bar t + b (t - \bar t) + b_2 (t^2 - \bar t^2) + e        known scores

where m is how far a prediction moves when the known scores behind it do by a point, which is measured, not
fitted. The left side of the first line, or p - a - (a_1 + m) \bar y, is the statistic x. Among persons who do
not change its variance is

    v_n = A + B / n,    with known scores  v_n = (1 + 2 / S) (A + B / n + a_1^2 \sigma^2 / n)

A + B / n being that of e, fitted to the variances at every n, because \bar y is off by the noise \sigma^2 of
the questionnaire and a and a_1 are estimated on S persons. A change is reliable where |x| > c \sqrt v_n, with
Student's c of the degrees of freedom of v_n; in points, c \sqrt v_n / b is the smallest change that is not
noise.

This is the reliable change index of Jacobson and Truax (1991) with five differences, all our choice: v is
measured on the changes of validation persons instead of following from a reliability; they change, so what
their scores say of it is taken out, less the noise of the scores (`errors_in_variables`); the shrinkage b of
predictions is taken back; the baseline is n visits; v has an uncertainty of its own, from the jackknife over
persons (Satterthwaite 1946). The curve b_2 takes the bend between score and face, such as a floor of the
scale, out of e, and what is left of e where the change is 0 is read off its growth with the change; points
come from the b of a straight line. Where residuals grow with the level of the prediction beyond doubt, v_n is
taken in the share that this level has. Letters: `R` rows, `S` persons, `C` changes, `N` different n.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from evaluation.change.errors_in_variables import Moments, regress
from evaluation.change.visit_pairs import Pairs

Array = NDArray[np.float64]

LEVEL = 0.95
FEWEST = 10  # our choice: persons below whom no rule is learned
_LEAST = 0.25  # our choice: v is not taken to be less than this share of the residual variance
_STILL = 0.7  # our choice: nor less than this share of it where changes are as large as in validation
_SURE = 2.0  # our choice: standard errors beyond which the growth of the variance with the level is followed
_BETWEEN = (0.25, 4.0)  # our choice: how far
_MIN_DF = 5.0  # as in `evaluation.uncertainty.jackknife`


class NoRule(ValueError):
    """No rule can be learned; the message says why."""


@dataclass(frozen=True)
class ChangeRule:
    """What validation taught about changes.

    Attributes:
        visits: numbers n of earlier visits (N,) that it was learned on, in order.
        noise: v_n (N,), in squared points of x.
        df: degrees of freedom of each v_n (N,).
        slope: b of the straight line: points of x for a point of change.
        slope_variance: of its estimate.
        known: whether the baseline is one of known scores, not of predictions.
        intercept: a; 0 with predictions.
        level: a_1 + m; 1 with predictions.
        persons: S.
        middle: mean level of predictions and baselines that v_n was learned on.
        steepness: growth of the variance with a point of that level, in shares of v_n; 0 unless it is sure.
    """

    visits: tuple[int, ...]
    noise: tuple[float, ...]
    df: tuple[float, ...]
    slope: float
    slope_variance: float
    known: bool
    intercept: float
    level: float
    persons: int
    middle: float
    steepness: float

    def statistic(self, pairs: Pairs) -> Array:
        """The statistic x (C,)."""
        return pairs.prediction - self.intercept - self.level * pairs.baseline

    def reach(self, visits: int) -> int | None:
        """The largest n it was learned on that is not above a number of visits; None if all are."""
        return max((n for n in self.visits if n <= visits), default=None)

    def bound(self, visits: int) -> float:
        """How far x must be from 0, after a baseline of so many visits.

        More visits than the rule was learned on are taken to have no less noise.

        Raises:
            ValueError: It was learned on more visits only.
        """
        if (n := self.reach(visits)) is None:
            raise ValueError(f"{visits} earlier visits: this rule was learned on {self.visits[0]} and more")
        place = self.visits.index(n)
        return float(stats.t.ppf((1 + LEVEL) / 2, self.df[place]) * np.sqrt(self.noise[place]))

    def at_level(self, pairs: Pairs) -> Array:
        """The variance of x at the level of each person (C,), in shares of v_n."""
        level = (pairs.prediction + pairs.baseline) / 2
        share: Array = np.clip(1 + self.steepness * (level - self.middle), *_BETWEEN)
        return share

    def changes(self, pairs: Pairs) -> tuple[Array, Array, Array, Array]:
        """Change in points and both ends of its interval (C,), and the smallest change that is not noise.

        The interval is Fieller's (1954) of x / b, all d with (x - d b)^2 <= c^2 (v + d^2 var(b)): it excludes
        0 where, and only where, |x| > c sqrt(v).
        """
        x, bound = self.statistic(pairs), self.bound(pairs.visits) * np.sqrt(self.at_level(pairs))
        spread = _slope_bound(self.slope_variance, self.persons)
        left = self.slope**2 - spread**2
        half = np.sqrt(x**2 * spread**2 + bound**2 * left)
        low, high = (x * self.slope - half) / left, (x * self.slope + half) / left
        return x / self.slope, low, high, bound / self.slope


def learn_rule(pairs: Sequence[Pairs], *, noise: float) -> ChangeRule:
    """Learn the rule from the later visits of validation persons; rows without all scores do not count.

    Args:
        pairs: later visits and their baselines, one object a number of earlier visits.
        noise: error variance of one total of the questionnaire, in squared points; 0 where it is not known,
            which makes v too large and false alarms rarer than they should be.

    Raises:
        NoRule: persons are few, their scores hardly change, or predictions do not follow the changes.
    """
    complete = [own.rows(np.asarray(np.isfinite(own.scores).all(axis=1))) for own in pairs]
    used = [own for own in complete if len(np.unique(own.subject)) >= FEWEST]
    if not used:
        most = max((len(np.unique(own.subject)) for own in complete), default=0)
        raise NoRule(
            f"{most} validation persons have a labeled visit after an earlier one with what it is compared "
            f"with, and {FEWEST} are needed"
        )
    visits, known = [own.visits for own in used], used[0].known
    center = float(np.concatenate([own.scores[:, 0] for own in used]).mean())
    moves = float(np.average([own.moves for own in used], weights=[len(own) for own in used]))
    parts = [_regression(own, center, noise, moves) for own in used]
    response, design, errors = (np.concatenate(own) for own in zip(*parts, strict=True))
    persons, person = np.unique(np.concatenate([own.subject for own in used]), return_inverse=True)
    group = np.repeat(np.arange(len(used)), [len(own) for own in used])
    moments = Moments.of(design, errors, response, person, group)
    found = _learned(moments.total(), visits, noise)
    without = [_learned(own, visits, noise) for own in moments.without_each()]
    if found is None or None in without:
        raise NoRule(
            "the scores of validation persons change hardly more between visits than by the questionnaire's "
            "own noise"
        )
    spread = _jackknife(np.array([own.values for own in without if own is not None]))
    df = np.clip(2 * found.values[:-1] ** 2 / spread[:-1], _MIN_DF, max(len(response) - 1.0, _MIN_DF))
    v, b = _still(found.curve, response, design, errors) * found.values[:-1], float(found.values[-1])
    slope_variance = float(spread[-1])
    if b <= _slope_bound(slope_variance, len(persons)):
        raise NoRule(
            f"predictions do not follow the changes of validation persons: {b:.2f} points for a point of "
            f"change, with a standard error of {slope_variance**0.5:.2f}"
        )
    level = found.curve[1] + moves if known else 1.0
    heights = np.concatenate([(own.prediction + own.baseline) / 2 for own in used])
    squares = (response - design @ found.curve) ** 2
    middle, steepness = _steepness(heights, squares, person)
    return ChangeRule(
        visits=tuple(visits), noise=tuple(v.tolist()), df=tuple(df.tolist()), slope=b,
        slope_variance=slope_variance, known=known, level=float(level), persons=len(persons), middle=middle,
        steepness=steepness,
        intercept=float(found.curve[0] - found.curve[1] * center) if known else 0.0,
    )  # fmt: skip


@dataclass(frozen=True)
class _Learned:
    """v of each number of visits and the slope b (N + 1,), and the coefficients of the curve."""

    values: Array
    curve: Array


def _learned(moments: Moments, visits: Sequence[int], noise: float) -> _Learned | None:
    curve, line = regress(moments), regress(moments.part(moments.square.shape[-1] - 1))
    if curve is None or line is None or not (moments.rows > 0).all():
        return None
    change, rows, n = moments.square.shape[-1] - 2, moments.rows, np.array(visits, dtype=np.float64)
    v = _over_visits(np.maximum(curve.variance, _LEAST * curve.residual), n, rows)
    if change:  # of known scores
        v = (1 + 2 / float(moments.persons[0])) * (v + curve.coefficients[1] ** 2 * noise / n)
    return _Learned(np.append(v, line.coefficients[change]), curve.coefficients)


def _still(curve: Array, response: Array, design: Array, errors: Array) -> float:
    """The share of the variance of e that is there without a change, where it grows with the change squared.

    Corrected fourth moments, with normal errors: with g the measured change and u its error of variance s,
    cov(e^2, g^2) holds 2 cov(u'b, u)^2 of the errors, and var(g^2) is var(d^2) + 4 s mean d^2 + 2 s^2.
    """
    change = len(curve) - 2
    squares = (response - design @ curve) ** 2 - errors @ curve @ curve
    measured, s = design[:, change] ** 2, errors[:, change, change]
    moved = float((measured - s).mean())
    common = float(np.cov(squares, measured)[0, 1] - 2 * ((errors @ curve)[:, change] ** 2).mean())
    spread = float(measured.var() - (4 * s * moved + 2 * s**2).mean())
    mean = float(squares.mean())
    if min(common, spread, mean) <= 0:
        return 1.0
    return max(1 - common / spread * moved / mean, _STILL)


def _steepness(level: Array, squares: Array, person: NDArray[np.int_]) -> tuple[float, float]:
    """Mean level, and the slope of squared residuals (R,) over it, in shares of their mean; 0 unless sure."""
    middle, z = float(level.mean()), level - level.mean()
    mean, spread = float(squares.mean()), float(z @ z)
    if mean <= 0 or spread <= 0:
        return middle, 0.0
    slope = float(z @ squares) / spread
    influence = np.bincount(person, weights=z * (squares - mean - slope * z))  # persons are independent
    error = float(np.sqrt((influence**2).sum())) / spread
    return middle, slope / mean if abs(slope) > _SURE * error else 0.0


def _over_visits(variance: Array, visits: Array, rows: Array) -> Array:
    """A + B / n, neither of them negative, fitted to the variances (N,) by least squares over rows."""
    mean = np.full(len(variance), float(rows @ variance / rows.sum()))
    if len(variance) < 2:
        return mean
    slope, start = np.polyfit(1 / visits, variance, 1, w=np.sqrt(rows))
    if slope < 0:
        return mean
    if start < 0:
        slope, start = float(rows @ (variance / visits) / (rows @ (1 / visits**2))), 0.0
    fitted: Array = start + slope / visits
    return fitted


def _jackknife(values: Array) -> Array:
    """Delete-one-person variances of statistics (S, k) (Efron and Tibshirani 1993, chapter 11)."""
    u = values - values.mean(axis=0)
    variances: Array = (len(u) - 1) / len(u) * (u**2).sum(axis=0)
    return variances


def _slope_bound(variance: float, persons: int) -> float:
    return float(stats.t.ppf((1 + LEVEL) / 2, persons - 1) * np.sqrt(variance))


def _regression(pairs: Pairs, center: float, noise: float, moves: float) -> tuple[Array, Array, Array]:
    """Response (R,), regressors (R, p) and covariances of their errors; change and bend come last."""
    y, n = pairs.scores - center, pairs.scores.shape[1] - 1
    weight = np.array([1.0] + [-1.0 / n] * n)
    change = np.stack([y @ weight, y**2 @ weight], axis=1)
    # a mean of known scores is one number here, and less noisy than a single score
    source = noise * (np.array([1.0, 1.0 / pairs.visits]) if pairs.known else np.ones(n + 1))
    # the error of a squared score: var((t + u)^2) = 4 t^2 s + 2 s^2, and y^2 is t^2 + s on average
    terms = ((np.ones_like(y), 2 * y), (2 * y, 4 * y**2 - 2 * source))
    block = np.array([[own @ (weight**2 * source) for own in row] for row in terms]).transpose(2, 0, 1)
    if not pairs.known:
        return pairs.prediction - pairs.baseline, change, block
    base, errors = y[:, 1], np.zeros((len(y), 4, 4))
    errors[:, 2:, 2:] = block
    errors[:, 1, 1] = source[1]
    errors[:, 1, 2] = errors[:, 2, 1] = -source[1]
    errors[:, 1, 3] = errors[:, 3, 1] = -2 * base * source[1]
    design = np.column_stack([np.ones(len(y)), base, change])
    return pairs.prediction - moves * pairs.baseline, design, errors
