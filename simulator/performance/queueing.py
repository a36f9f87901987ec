"""A replica as a queue: batch, latency and power in the steady state, in closed form."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from simulator.performance.replica import Replica


@dataclass(frozen=True)
class Demand:
    """The requests that one replica is asked to serve."""

    input_tokens: float
    output_tokens: float
    length_cv: float
    """Coefficient of variation of both lengths."""
    cached_tokens: float = 0.0
    """Leading tokens of a prompt whose keys and values are held already."""
    image_tokens: float = 0.0
    """Of the input, tokens that stand for images, which are encoded first."""

    @property
    def context(self) -> float:
        """Mean context over the decode steps, long answers counted as often as they step."""
        return self.input_tokens + 0.5 * self.output_tokens * (1.0 + self.length_cv**2)

    @property
    def steps(self) -> float:
        """Decode iterations of a request: the first token comes from the prompt."""
        return max(self.output_tokens - 1.0, 1e-9)


@dataclass(frozen=True)
class State:
    """Stationary state of a replica at several arrival rates (first axis)."""

    batch: NDArray[np.float64]
    tpot_s: NDArray[np.float64]
    busy_frac: NDArray[np.float64]
    power_frac: NDArray[np.float64]
    prefill_s: float
    prefill_cv: float
    prefill_load: NDArray[np.float64]
    iteration_s: NDArray[np.float64]
    seat_wait_chance: NDArray[np.float64]
    seat_wait_s: NDArray[np.float64]
    """Mean wait for room in memory of those who wait."""

    @property
    def prefill_wait_s(self) -> NDArray[np.float64]:
        """Mean wait for the prompts ahead of those who wait (Pollaczek-Khinchine)."""
        spread = 0.5 * (1.0 + self.prefill_cv**2)
        return spread * self.prefill_s / (1.0 - self.prefill_load)

    @property
    def ttft_mean_s(self) -> NDArray[np.float64]:
        """Mean time to first token: rest of an iteration, waits, prompt, one iteration."""
        waits = self.prefill_load * self.prefill_wait_s + self.seat_wait_chance * self.seat_wait_s
        return self._fixed_s + waits + self.prefill_s

    def ttft_quantiles_s(self, quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return TTFT quantiles in s: one row per rate, one column per quantile.

        The prompt's own time is lognormal as its length; each wait is exponential for those who
        wait (exact means, exponential tails), and independent of the others.
        """
        low = np.broadcast_to(self._fixed_s[:, None], (len(self._fixed_s), len(quantiles))).copy()
        high = low + self._far_s(float(quantiles.max()))[:, None]
        for _ in range(40):
            middle = 0.5 * (low + high)
            below = self.ttft_share_below(middle) < quantiles
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return 0.5 * (low + high)

    @property
    def _fixed_s(self) -> NDArray[np.float64]:
        return (0.5 * self.busy_frac + 1.0) * self.iteration_s

    def _far_s(self, quantile: float) -> NDArray[np.float64]:
        tail = -np.log(1.0 - quantile) + 3.0
        prompt = self.prefill_s * np.exp(4.0 * np.sqrt(np.log1p(self.prefill_cv**2)))
        return np.asarray(prompt + tail * (self.prefill_wait_s + self.seat_wait_s))

    def ttft_share_below(self, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return P(TTFT < time): no wait, one wait, both waits, weighted by their chances."""
        rest = time_s - self._fixed_s[:, None]
        queued, seated = self.prefill_load[:, None], self.seat_wait_chance[:, None]
        ahead, room = self.prefill_wait_s[:, None], self.seat_wait_s[:, None]
        room = np.where(np.abs(ahead - room) < 1e-3 * ahead, 1.001 * ahead, room)  # no 0/0 below
        none, first, second = self._prompt(rest), self._after(rest, ahead), self._after(rest, room)
        both = (ahead * first - room * second) / (ahead - room)
        return (
            (1 - queued) * (1 - seated) * none
            + queued * (1 - seated) * first
            + (1 - queued) * seated * second
            + queued * seated * np.clip(both, 0.0, 1.0)
        )

    def _prompt(self, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of prompts that take less than this."""
        if self.prefill_cv == 0.0:
            return (time_s >= self.prefill_s).astype(float)
        sigma = np.sqrt(np.log1p(self.prefill_cv**2))
        centre = np.log(self.prefill_s) - 0.5 * sigma**2
        return np.asarray(ndtr((np.log(np.maximum(time_s, 1e-12)) - centre) / sigma))

    def _after(
        self, time_s: NDArray[np.float64], wait_s: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the share below this of the prompt's time plus an exponential wait.

        The prompt's distribution enters by equal-probability nodes.
        """
        nodes = self._prompt_nodes()
        left = np.maximum(time_s[..., None] - nodes, 0.0) / wait_s[..., None]
        return np.asarray(-np.expm1(-left).mean(axis=-1))

    def _prompt_nodes(self, count: int = 24) -> NDArray[np.float64]:
        """Return mid-quantiles of the prompt's time with the exact mean."""
        if self.prefill_cv == 0.0:
            return np.array([self.prefill_s])
        sigma = np.sqrt(np.log1p(self.prefill_cv**2))
        edges = ndtri(np.linspace(0.0, 1.0, count + 1))
        mass = np.diff(ndtr(edges - sigma)) * count
        return np.asarray(self.prefill_s * mass)


@dataclass(frozen=True)
class Queue:
    """A replica with `seats` sequences at most, under Poisson arrivals.

    Decoding is processor sharing whose speed depends on the number of sequences n: each gets a
    token per iteration of t(n). Such a queue is insensitive to the lengths' distribution, and
    p(n) is proportional to prod_k (rate steps t(k) / k) (Kelly, Reversibility and Stochastic
    Networks, 1979, ch. 3). Prompts take the chip for a share rate x prefill of the time and
    stretch every iteration by 1 / (1 - share). Above the last seat sequences wait in line.
    """

    replica: Replica
    demand: Demand
    seats: int

    @cached_property
    def prefill_s(self) -> float:
        """Mean time that a prompt adds."""
        text_s = self.replica.prefill_s(self.demand.input_tokens, self.demand.cached_tokens)
        return text_s + self.demand.image_tokens * self.replica.image_token_s

    @cached_property
    def _batches(self) -> NDArray[np.float64]:
        return np.arange(1.0, self.seats + 1.0)

    @cached_property
    def _decode_s(self) -> NDArray[np.float64]:
        return self.replica.decode_s(self._batches, self.demand.context)

    @cached_property
    def _decode_power(self) -> NDArray[np.float64]:
        """Dynamic power share of decoding, by batch; an empty replica draws none."""
        power = self.replica.decode_power(self._batches, self.demand.context)
        return np.concatenate(([0.0], power))

    @cached_property
    def _prefill_power(self) -> float:
        return self.replica.prefill_power(self.demand.input_tokens, self.demand.cached_tokens)

    @cached_property
    def limit_requests_s(self) -> float:
        """Rate at which prompts and a full batch leave no time."""
        last = self.demand.steps * float(self._decode_s[-1]) / self.seats
        return 1.0 / (self.prefill_s + last)

    def at(self, rates: NDArray[np.float64]) -> State:
        """Return the steady state at each arrival rate in requests/s, all below the limit."""
        least = 1e-9 / (self.demand.steps * float(self._decode_s[0]))
        rates = np.maximum(rates, least)
        prefill_load = rates * self.prefill_s
        stretch = 1.0 / (1.0 - prefill_load)
        chance, waiting = self._occupancy(rates * self.demand.steps * stretch)
        batch = chance @ np.arange(self.seats + 1.0) + waiting * self.seats
        decode_power = chance @ self._decode_power + waiting * self._decode_power[-1]
        iteration = np.concatenate(([self._decode_s[0]], self._decode_s))
        full_s = self.demand.steps * self._decode_s[-1] * stretch / self.seats
        return State(
            batch=batch,
            tpot_s=batch / (rates * self.demand.steps),
            busy_frac=1.0 - chance[:, 0] * (1.0 - prefill_load),
            power_frac=prefill_load * self._prefill_power + (1.0 - prefill_load) * decode_power,
            prefill_s=self.prefill_s,
            prefill_cv=self.demand.length_cv,
            prefill_load=prefill_load,
            iteration_s=chance @ iteration + waiting * iteration[-1],
            seat_wait_chance=chance[:, -1] + waiting,
            seat_wait_s=full_s / (1.0 - rates * full_s),
        )

    def _occupancy(
        self, work: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return P(n sequences decode, none waits) by rate and n, and P(some wait)."""
        steps = np.concatenate(([0.0], np.cumsum(np.log(self._decode_s / self._batches))))
        log_weight = np.log(work)[:, None] * np.arange(self.seats + 1.0) + steps
        weight = np.exp(log_weight - log_weight.max(axis=1, keepdims=True))
        ratio = work * self._decode_s[-1] / self.seats
        line = weight[:, -1] * ratio / (1.0 - ratio)
        total = weight.sum(axis=1) + line
        return weight / total[:, None], line / total
