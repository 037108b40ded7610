"""Numbers of a model in its PMML, to the last bit; and thresholds for what is not rounded before it is compared.

scikit-learn's trees round what they are given to 32 bits, and compare then: ``float32(x) <= threshold``. An evaluator
of PMML compares x. So what is written is the largest x that rounds to at most the threshold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["put_numbers"]

# nyoka writes most numbers with 16 digits behind the point, thresholds and a few others with less.
_NEAR, _ROUGH = 1e-15, 1e-5


class _Slot(NamedTuple):
    """Where a number stands: in an attribute, or in the text if it has no name; and what it is to be."""

    element: Any
    attribute: str
    number: float
    near: float = _NEAR
    absent: str = ""  # what PMML takes it for if it is not there

    def put(self) -> None:
        text = self.element.get(self.attribute, self.absent) if self.attribute else self.element.text
        if abs(float(text) - self.number) > self.near * max(1.0, abs(self.number)):
            raise ValueError(f"{text} is {self.number!r}")
        if self.attribute:
            self.element.set(self.attribute, repr(self.number))
        else:
            self.element.text = repr(self.number)


def put_numbers(document: Any, steps: Sequence[Any]) -> None:
    """Give the document the numbers of the fitted steps. Raises ValueError and others where it is of another form."""
    root, model = document.getroot(), steps[-1]
    for scaler in steps[:-1]:
        for slot in _of_scaler(root, scaler):
            slot.put()
    for slot in _of_tables(root, model) if hasattr(model, "coef_") else _of_trees(root, model):
        slot.put()
    if _is_softmax(model):
        _be_softmax(root, len(model.classes_))


def _of_scaler(root: Any, scaler: Any) -> Iterator[_Slot]:
    standard = hasattr(scaler, "mean_")
    pairs = zip(scaler.mean_, scaler.scale_, strict=True) if standard else zip(scaler.scale_, scaler.min_, strict=True)
    fields = root.find("TransformationDictionary").findall("DerivedField")
    for field, pair in zip(fields, pairs, strict=True):
        for constant, number in zip(field.iter("Constant"), pair, strict=True):
            yield _Slot(constant, "", float(number))


def _of_tables(root: Any, model: Any) -> Iterator[_Slot]:
    rows, intercepts = np.atleast_2d(model.coef_), np.ravel(model.intercept_)
    tables = list(root.iter("RegressionTable"))[: len(rows)]
    for table, row, intercept in zip(tables, rows, intercepts, strict=True):
        yield _Slot(table, "intercept", float(intercept))
        for predictor, number in zip(table.findall("NumericPredictor"), row, strict=True):
            yield _Slot(predictor, "coefficient", float(number))


def _of_trees(root: Any, model: Any) -> Iterator[_Slot]:
    made = np.ravel(np.asarray(getattr(model, "estimators_", [model]), dtype=object).T)  # boosting: class by class
    for written, tree in zip(root.iter("TreeModel"), made, strict=True):
        yield from _of_tree(written, tree)
    for target in root.findall(".//Targets/Target"):
        yield _Slot(target, "rescaleConstant", float(model.init_.constant_.ravel()[0]), _ROUGH, "0")
        yield _Slot(target, "rescaleFactor", float(model.learning_rate), _ROUGH, "1")


def _of_tree(written: Any, made: Any) -> Iterator[_Slot]:
    tree = made.tree_
    thresholds = _for_unrounded(tree.threshold)
    nodes = list(written.iter("Node"))
    if len(nodes) != tree.node_count:
        raise ValueError("the tree has not that many nodes")
    for node in nodes:
        number = int(node.get("id"))
        inner = node.findall("Node")
        if [int(one.get("id")) for one in inner] != _children(tree, number):
            raise ValueError("nodes stand in others")
        for one in inner:
            yield _Slot(one.find("SimplePredicate"), "value", float(thresholds[number]), _ROUGH)
        if not inner:
            yield from _of_leaf(node, made, tree.value[number][0])


def _of_leaf(node: Any, made: Any, value: Any) -> Iterator[_Slot]:
    if not hasattr(made, "classes_"):
        yield _Slot(node, "score", float(value[0]))
        return
    for share, number in zip(node.findall("ScoreDistribution"), value / value.sum(), strict=True):
        yield _Slot(share, "confidence", float(number))


def _children(tree: Any, number: int) -> list[int]:
    left = int(tree.children_left[number])
    return [left, int(tree.children_right[number])] if left >= 0 else []


def _for_unrounded(thresholds: Any) -> Any:
    """The largest doubles that, rounded to 32 bits and to even where it is a tie, are at most these."""
    below = thresholds.astype("f4")
    below = np.where(below > thresholds, np.nextafter(below, np.float32(-np.inf)), below)
    above = np.nextafter(below, np.float32(np.inf))
    middle = (below.astype("f8") + above.astype("f8")) / 2
    even = below.view("u4") % 2 == 0
    return np.where(even, middle, np.nextafter(middle, -np.inf))


def _is_softmax(model: Any) -> bool:
    """A logistic regression that weighs more than two classes against each other, and not each against the rest."""
    several = type(model).__name__ == "LogisticRegression" and len(model.classes_) > 2
    return several and model.solver != "liblinear" and getattr(model, "multi_class", None) != "ovr"


def _be_softmax(root: Any, classes: int) -> None:
    """What is divided by the sum over all classes is the exponential of each one's sum."""
    models = root.findall(".//Segment/RegressionModel")
    if len(models) != classes + 1:
        raise ValueError("there is not one sum for each class")
    for one in models[:-1]:
        one.set("normalizationMethod", "exp")
