"""Safety test: attacks and dangerous questions put to a model in training, read by a judge."""

from typing import Literal

from simulator.workloads.model_test import ModelTest


class SafetyTest(ModelTest):
    """Red-teaming every so many steps or hours of a job."""

    kind: Literal["safety_test"]
    judge: str
    """Model that reads the answers and scores their harm, from the catalog."""
