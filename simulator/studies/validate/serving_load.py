"""Topic `serving_load`: a closed loop of users with fixed lengths on one deployment."""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.performance.replica import Replica
from simulator.performance.serving import MAX_BATCH
from simulator.studies.validate.replicas import chips_of, decode_s, replica, unknown_quantity
from simulator.studies.validate.topic import Cells, Simulated, count, in_unit, number

QUANTITIES = ("ttft_mean", "tpot_mean")


@dataclass(frozen=True)
class Loop:
    """Users of one engine who each send the next request when the last is answered.

    They start together and their requests are alike, so they stay in step: all prompts queue, then
    all sequences decode as one batch. `prompt_servers` is None where prompts and decoding share
    the engine.
    """

    users: float
    steps: float
    """Decode iterations of a request."""
    prompt_s: float
    fixed_s: float
    """What a first token waits for besides prompts: keys and values moved to the decode workers."""
    iteration_s: Callable[[float], float]
    seats: float
    """Sequences that decode at most; users beyond them wait whole rounds of requests."""
    prompt_servers: float | None = None

    @property
    def batch(self) -> float:
        """Sequences that decode together."""
        return min(self.users, self.seats)

    @property
    def ttft_s(self) -> float:
        """Mean time to first token: half of the prompts of a round, one iteration."""
        ahead = max(self.batch / (self.prompt_servers or 1.0), 1.0)
        rounds = self.users / self.batch - 1.0
        iteration_s = self.iteration_s(self.batch)
        round_s = self.batch * self._sharing_s + self.steps * iteration_s
        own_s = 0.5 * (ahead + 1.0) * self.prompt_s + self.fixed_s + iteration_s
        return rounds * round_s + own_s

    @property
    def tpot_s(self) -> float:
        """Mean time per further token: the batch's iteration, and half of the others' prompts."""
        others_s = 0.5 * (self.batch - 1.0) * self._sharing_s
        return self.iteration_s(self.batch) + max(others_s, 0.0) / self.steps

    @property
    def _sharing_s(self) -> float:
        """Time that a prompt takes from decoding."""
        return 0.0 if self.prompt_servers else self.prompt_s


def simulate(row: Cells) -> Simulated:
    """Return mean time to first token or mean time per further token."""
    quantity = row.get("quantity", "")
    if quantity not in QUANTITIES:
        raise unknown_quantity(row, QUANTITIES)
    split = row.get("mode", "").startswith("disagg")
    loop, note = _disaggregated(row) if split else _aggregated(row)
    value_s = loop.ttft_s if quantity == "ttft_mean" else loop.tpot_s
    return Simulated(in_unit(value_s, "s", row), note=note)


def _aggregated(row: Cells) -> tuple[Loop, str]:
    """Return the loop of one of the equal engines that share the users."""
    chips = chips_of(row)
    engines = max(count(row, "n_accelerators", chips) // chips, 1)
    engine = replica(row, chips)
    users = count(row, "concurrency") / engines
    prompt = number(row, "input_tokens")
    loop = _loop(row, engine, max(users, 1.0), engine.prefill_s(prompt), 0.0, None)
    return loop, "" if row.get("weight_precision") else f"{engine.weight_precision} weights"


def _disaggregated(row: Cells) -> tuple[Loop, str]:
    """Return the loop of one decode worker and its share of users and prompt workers."""
    before, after = (replica(row, chips_of(row, part)) for part in ("prefill_", "decode_"))
    prefills, decodes = (count(row, f"{part}_workers", 1) for part in ("prefill", "decode"))
    prompt = number(row, "input_tokens")
    moved_s = after.kv_bytes(prompt) / (before.chips * before.chip.scaleout_bandwidth)
    users = max(count(row, "concurrency") / decodes, 1.0)
    loop = _loop(row, after, users, before.prefill_s(prompt), moved_s, prefills / decodes)
    return loop, "" if row.get("prefill_workers") else "one prefill and one decode worker"


def _loop(
    row: Cells,
    engine: Replica,
    users: float,
    prompt_s: float,
    fixed_s: float,
    servers: float | None,
) -> Loop:
    """Return the loop of users on the engine that decodes for them."""
    prompt, output = number(row, "input_tokens"), count(row, "output_tokens")
    context = prompt + 0.5 * output
    return Loop(
        users=users,
        steps=max(output - 1.0, 1.0),
        prompt_s=prompt_s,
        fixed_s=fixed_s,
        iteration_s=lambda batch: decode_s(engine, batch, context),
        seats=min(engine.sequences(prompt + output), MAX_BATCH),
        prompt_servers=servers,
    )
