"""Names that scikit-learn looks up on an estimator are those of methods that predict."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import StackingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.naive_bayes import GaussianNB

import safeload
from safeload.errors import CodecError

X, Y = load_iris(return_X_y=True)


def load(value: Any) -> Any:
    return safeload.load_untrusted(io.BytesIO(pickle.dumps(value)))


@pytest.mark.parametrize("name", ["accuracy", "roc_auc", "neg_log_loss", "average_precision", "r2"])
def test_scorers_load(name: str) -> None:
    model = LogisticRegression(max_iter=200).fit(X, Y > 0)
    assert load(get_scorer(name))(model, X, Y > 0) == get_scorer(name)(model, X, Y > 0)


@pytest.mark.parametrize("name", ["tofile", "__reduce__", ["predict", "dump"], None, 1])
def test_a_scorer_asks_for_no_other_method(name: Any) -> None:
    scorer = get_scorer("roc_auc")
    vars(scorer)["_response_method"] = name
    with pytest.raises(CodecError, match="_BaseScorer"):
        load(scorer)


@pytest.mark.parametrize("names", [["tofile", "predict"], "tofile", [None]])
def test_a_stack_asks_for_no_other_method(names: Any) -> None:
    stack = StackingClassifier([("a", GaussianNB()), ("b", GaussianNB())]).fit(X, Y)
    assert np.array_equal(load(stack).predict(X), stack.predict(X))
    stack.stack_method_ = names
    with pytest.raises(CodecError, match="_BaseStacking"):
        load(stack)


def test_a_frozen_estimator_holds_an_estimator() -> None:
    frozen = FrozenEstimator(GaussianNB().fit(X, Y))
    assert np.array_equal(load(frozen).predict(X), frozen.predict(X))
    frozen.estimator = np.arange(3.0)
    with pytest.raises(CodecError, match="FrozenEstimator"):
        load(frozen)
