"""Evaluation: benchmark questions put to a model in training."""

from typing import Literal

from simulator.workloads.model_test import ModelTest


class Evaluation(ModelTest):
    """Benchmarks every so many steps or hours of a job."""

    kind: Literal["evaluation"]
