"""The pipeline: how long stages stand idle, and what passing activations along costs."""

from dataclasses import dataclass

from simulator.performance import collectives
from simulator.performance.layer import StageTime
from simulator.performance.setting import Setting

# Share of the bubble that is left when the weights' gradients are put off to fill it, as much
# memory as 1F1B allowed (ZB-H1, Qi et al., arXiv:2401.10241, section 4: a third). Measured.
ZERO_BUBBLE_LEFT = 1.0 / 3.0


@dataclass(frozen=True)
class PipelineTime:
    """Seconds a step loses to its pipeline."""

    bubble_s: float
    """A stage has nothing to do."""
    sends_s: float
    """Sends and receives that nothing hides."""


def pipeline_time(setting: Setting, stage: StageTime) -> PipelineTime:
    """Return the time lost to filling and draining, and to sends.

    Filling and draining take (p - 1)/v micro-batches of the other stages (Narayanan et al., SC21,
    arXiv:2104.04473, section 2.2). In the steady state every chunk of every micro-batch is received
    and sent on once forward and once backward.
    """
    plan = setting.plan
    if plan.pp == 1:
        return PipelineTime(0.0, 0.0)
    left = ZERO_BUBBLE_LEFT if plan.schedule == "zero_bubble" else 1.0
    bubble_s = left * (plan.pp - 1) / plan.virtual_stages * (stage.total_s - stage.top.total_s)
    once_s = _send_s(setting)
    steady_s = 2.0 * plan.virtual_stages * setting.micro_batches * once_s
    exposed_s = setting.stack.exposed.pipeline * steady_s + 2.0 * (plan.pp - 1) * once_s
    return PipelineTime(bubble_s, exposed_s)


def _send_s(setting: Setting) -> float:
    """Return the time of one micro-batch's activations over the slowest boundary between stages.

    Stages are the outermost split, but for data parallelism across sites: neighbours are a stage's
    chips apart, and a pipeline keeps the pace of its slowest boundary, over the slowest tier that
    the job spans in a site. Ranks of a tensor-parallel group send a share each and gather it on
    arrival.
    """
    plan = setting.plan
    message = 2.0 * setting.tokens / plan.tp * setting.model.hidden
    sites = plan.sites.sites if plan.sites else 1
    stage_chips = plan.tp * plan.cp * setting.data_parallel // sites
    extent = stage_chips * plan.pp
    return collectives.slowest_send_s(setting.fabric, message, stage_chips, extent)
