"""Values as scores and back: the order is kept, the unit comes back, and what is not known is averaged over."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from drylab.train.scores import scale_of

VALUES = st.lists(st.floats(-5, 20).map(lambda x: round(x, 2)), min_size=3, max_size=40).filter(
    lambda x: len(set(x)) > 1
)


@settings(max_examples=60, deadline=None)
@given(VALUES, st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_scores_rise_with_values_and_lead_back_to_them(values: list[float], share: float) -> None:
    known = np.array(values)
    scale = scale_of(known, share)
    ordered = np.unique(known)
    scores = scale.to(ordered)
    assert (np.diff(scores) > 0).all()
    back = scale.back(np.linspace(scores[0], scores[-1], 30), 0.4)
    assert (np.diff(back) >= -1e-9).all()
    if share > 0:
        assert back.min() >= ordered[0] - 1e-9
        assert back.max() <= ordered[-1] + 1e-9


def test_without_a_share_of_scores_values_are_standardised_and_no_more() -> None:
    known = np.array([1.0, 2.0, 2.0, 7.0])
    scale = scale_of(known, 0.0)
    assert scale.to(known).mean() == pytest.approx(0.0)
    assert scale.to(known).std() == pytest.approx(1.0)
    assert scale.back(scale.to(np.array([-3.0, 30.0])), 5.0) == pytest.approx([-3.0, 30.0])


def test_normal_scores_are_the_quantiles_of_middle_ranks() -> None:
    assert scale_of(np.array([3.0, 1.0, 1.0, 9.0]), 1.0).scores == pytest.approx(norm.ppf([0.25, 0.625, 0.875]))


def test_the_way_back_is_what_is_expected_of_an_uncertain_score() -> None:
    rng = np.random.default_rng(0)
    known = np.exp(rng.normal(size=4000))  # skewed: the mean of what may be lies above the middle
    scale = scale_of(known, 1.0)
    at = np.array([-0.5, 0.0, 0.8])
    assert scale.back(np.append(at, [-2, 2]), 0.01)[:3] == pytest.approx(np.exp(at), rel=0.1)
    assert scale.back(np.append(at, [-2, 2]), 0.6)[:3] == pytest.approx(np.exp(at + 0.18), rel=0.1)
