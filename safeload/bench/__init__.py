"""What a signed file costs beside plain ones, and whether the model is the same: measured, not promised."""

from safeload.bench.evaluating import evaluate
from safeload.bench.evaluation import Evaluation, Row, Seconds

__all__ = ["Evaluation", "Row", "Seconds", "evaluate"]
