"""What runs on the campus: specs as an author writes them, and the processes that carry them out."""

from typing import Annotated

from pydantic import Field

from simulator.workloads.batch import BatchWork
from simulator.workloads.inference import ServedModel
from simulator.workloads.training import TrainingJob

Workload = Annotated[TrainingJob | ServedModel | BatchWork, Field(discriminator="kind")]

__all__ = ["BatchWork", "ServedModel", "TrainingJob", "Workload"]
