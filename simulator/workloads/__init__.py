"""What runs on the campus: specs as an author writes them, and the processes that carry them out."""

from typing import Annotated

from pydantic import Field

from simulator.workloads.batch import BatchWork
from simulator.workloads.data_preparation import DataPreparation
from simulator.workloads.diffusion import ServedDiffusion
from simulator.workloads.distillation import Distillation
from simulator.workloads.evaluation import Evaluation
from simulator.workloads.fine_tuning import FineTuning
from simulator.workloads.inference import ServedModel
from simulator.workloads.model_test import ModelTest
from simulator.workloads.pool_rules import ServedPool
from simulator.workloads.rl_post_training import RlPostTraining
from simulator.workloads.safety_test import SafetyTest
from simulator.workloads.synchronous import SynchronousJob
from simulator.workloads.traffic import Traffic
from simulator.workloads.training import TrainingJob

Workload = Annotated[
    TrainingJob | FineTuning | RlPostTraining | Distillation | Evaluation | SafetyTest | DataPreparation
    | ServedModel | ServedDiffusion | Traffic | BatchWork,
    Field(discriminator="kind"),
]

MODELS = ("model", "teacher", "reward_model", "judge")
"""Keys of workloads that name a model of the catalog."""


def models_of(work: Workload) -> list[str]:
    """Return the models of the catalog that a workload names."""
    return [name for key in MODELS if (name := getattr(work, key, None))]


__all__ = [
    "BatchWork",
    "DataPreparation",
    "Distillation",
    "Evaluation",
    "FineTuning",
    "ModelTest",
    "RlPostTraining",
    "SafetyTest",
    "ServedDiffusion",
    "ServedModel",
    "ServedPool",
    "SynchronousJob",
    "Traffic",
    "TrainingJob",
    "Workload",
    "models_of",
]
