"""The serving replica that a row of a serving table describes."""

from dataclasses import dataclass
from functools import cache, cached_property

from simulator.components import from_catalog
from simulator.performance import serving_memory
from simulator.performance.collectives import fabric_of
from simulator.performance.iteration import IterationCost, ReplicaCost, replica_cost_of
from simulator.performance.serving_setting import ReplicaPlan, ServingSetting
from simulator.studies.validate.topic import Cells, given

PRECISIONS = {
    "bf16": "bf16", "bfloat16": "bf16", "fp16": "bf16", "float16": "bf16", "fp8": "fp8",
    "int8": "int8", "fp4": "fp4", "mxfp4": "fp4", "nvfp4": "fp4", "int4": "fp4",
}  # fmt: skip
"""Words of the tables: 16-bit formats cost the same, and so do 4-bit ones with shared scales."""
WIDE_KV, NARROW_KV = 2.0, 1.0
"""Bytes of a value of keys and values."""


@dataclass(frozen=True)
class Deployment:
    """One replica and what its iterations cost."""

    setting: ServingSetting

    @cached_property
    def cost(self) -> ReplicaCost:
        """Time and work of an iteration."""
        return replica_cost_of(self.setting)

    def decode_s(self, batch: float, context: float) -> float:
        """Return the time of one decode iteration; no batch is smaller than one."""
        return float(self.cost.time.decode_s(max(batch, 1.0), context))

    def prompts_s(self, tokens: float, prompts: float = 1.0) -> float:
        """Return the time of prompts alike, cut into the engine's chunks, with nothing beside."""
        return self._chunked(self.cost.time, tokens, prompts)

    def added_s(self, tokens: float, batch: float) -> float:
        """Return the time that a prompt adds to iterations in which `batch` sequences decode."""
        return self.cost.time.added_s(tokens, batch)

    def seats(self, context: float) -> int:
        """Return the sequences that fit memory and engine; ValueError if none does."""
        most = self.setting.engine.max_sequences * self.setting.plan.dp
        return min(serving_memory.seats(self.setting, context), most)

    def decode_power(self, batch: float, context: float) -> float:
        """Return a chip's dynamic power share while a batch decodes."""
        time, drawn = self.cost.time, self.cost.drawn
        n = max(batch, 1.0)
        return float(drawn.decode_s(n, context) / time.decode_s(n, context))

    def beside_s(
        self, form: IterationCost, batch: float, context: float, prompt: float, prompts: float
    ) -> float:
        """Return a form over an iteration in which `batch` sequences decode and `prompts` come."""
        shared_s = form.prompt_s * (1.0 - 1.0 / max(prompts, 1.0))
        added_s = form.added_s(prompt, batch) - shared_s
        return float(form.decode_s(max(batch, 1.0), context)) + prompts * added_s

    def mean_power(self, batch: float, context: float, prompt: float, prompts: float) -> float:
        """Return a chip's dynamic power share over that iteration."""
        drawn_s, time_s = (
            self.beside_s(form, batch, context, prompt, prompts)
            for form in (self.cost.drawn, self.cost.time)
        )
        return drawn_s / time_s

    def prompt_power(self, tokens: float, prompts: float = 1.0) -> float:
        """Return it while prompts are processed."""
        drawn_s = self._chunked(self.cost.drawn, tokens, prompts)
        return drawn_s / self._chunked(self.cost.time, tokens, prompts)

    def power_w(self, frac: float) -> float:
        """Return one chip's power at a share of idle to TDP."""
        chip = self.setting.chip
        return chip.idle + frac * (chip.tdp - chip.idle)

    def _chunked(self, form: IterationCost, tokens: float, prompts: float) -> float:
        """Return a form over prompts, as many at a time as a chunk holds, long ones in parts."""
        chunk = float(self.setting.engine.chunk_tokens)
        total = 0.0
        if tokens > chunk:
            done = 0.0
            while done < tokens:
                part = min(chunk, tokens - done)
                total += form.prompts_s(part, done)
                done += part
            return prompts * total
        while prompts > 0:
            many = min(prompts, max(chunk // tokens, 1.0))
            total += form.prompts_s(tokens, 0.0, many)
            prompts -= many
        return total


def precision_of(row: Cells, default: str | None = None) -> str:
    """Return the precision of a row's weights: as told, else `default`, else as released."""
    word = row.get("weight_precision", "").lower()
    if word and word not in PRECISIONS:
        raise ValueError(f"weight_precision is '{word}', none of {', '.join(PRECISIONS)}")
    if word:
        return PRECISIONS[word]
    return default or from_catalog.language_model(given(row, "model")).weight_precision


def deployment(
    row: Cells,
    plan: ReplicaPlan,
    engine: str,
    default: str | None = None,
    kv_bytes: float = WIDE_KV,
    planned: bool = False,
) -> Deployment:
    """Return the replica of a row on an engine of the catalog."""
    precision, model, chip = precision_of(row, default), given(row, "model"), given(row, "accelerator")
    return _deployment(model, chip, plan, precision, engine, kv_bytes, planned)


@cache
def _deployment(
    model: str,
    chip: str,
    plan: ReplicaPlan,
    precision: str,
    engine: str,
    kv_bytes: float,
    planned: bool,
) -> Deployment:
    accelerator = from_catalog.accelerator(chip)
    setting = ServingSetting(
        from_catalog.language_model(model), accelerator, plan, precision,
        from_catalog.engine(engine), fabric_of(accelerator), kv_bytes,
        planned=planned,
    )  # fmt: skip
    return Deployment(setting)


def unknown_quantity(row: Cells, known: tuple[str, ...]) -> ValueError:
    """Return the error for a quantity that a topic does not have."""
    told = ", ".join(known)
    return ValueError(f"quantity is '{row.get('quantity', '')}', none of {told}")
