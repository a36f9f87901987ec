"""How many requests a second are served: `make bench` prints the table.

Lengths are drawn like those of a conversation service (Azure, November 2023: 1,155 tokens in, 211
out on average); the replica is llama-2-70b on eight H100. Rates are the requests over the time.
"""

import numpy as np
import pytest

from simulator.kernels import batching_state, dispatch
from simulator.kernels import speculation as steps
from simulator.request_trace import RequestTrace
from simulator.studies import batch, batch_stream, batch_tables
from simulator.studies.batch_deployment import Question, deploy

REPLICAS = 4
MILLION = 1_000_000
RATE_S = 12.0
"""Requests per second and replica: about forty sequences decode at a time."""


def lengths(count, seed=1):
    """Return tokens in and out: lognormal, with the means of the conversation trace."""
    draws = np.random.default_rng(seed)
    prompts = np.clip(draws.lognormal(np.log(1155) - 0.5, 1.0, count), 3, 14_000)
    answers = np.clip(draws.lognormal(np.log(211) - 0.32, 0.8, count), 1, 1_000)
    return prompts.astype(np.int64), answers.astype(np.int64)


@pytest.fixture(scope="session")
def talk(tmp_path_factory):
    """Return a trace of a million requests as a CSV."""
    prompts, answers = lengths(MILLION)
    arrival_s = np.cumsum(np.random.default_rng(2).exponential(1 / (RATE_S * REPLICAS), MILLION))
    path = tmp_path_factory.mktemp("trace") / "million.csv"
    rows = np.stack([arrival_s, prompts, answers], axis=1)
    header = "arrival_s,input_tokens,output_tokens"
    np.savetxt(path, rows, fmt=("%.6f", "%d", "%d"), delimiter=",", header=header, comments="")
    return path


@pytest.fixture(scope="session")
def asked(talk):
    return Question(talk, "llama-2-70b", "H100-SXM-80GB", tp=8, replicas=REPLICAS)


@pytest.fixture(scope="session")
def million(talk):
    """Return the same requests as the kernel has them."""
    table = np.loadtxt(talk, delimiter=",", skiprows=1)
    whole = table[:, 1:].astype(np.int64)
    nothing = np.zeros(MILLION, np.int64)
    return RequestTrace(talk, table[:, 0], whole[:, 0], whole[:, 1], nothing, nothing)


@pytest.mark.parametrize("policy", dispatch.POLICIES)
def test_kernel_on_one_core(benchmark, asked, million, policy):
    deployment = deploy(asked, million)
    work = million.output_tokens - 1
    trace = batching_state.Trace(
        million.arrival_s, million.input_tokens, work, steps.rates(million.output_tokens, work),
        million.priority, million.cached_tokens, False,
    )  # fmt: skip
    order = np.concatenate([np.arange(r, MILLION, REPLICAS) for r in range(REPLICAS)])
    start = np.arange(REPLICAS + 1) * MILLION // REPLICAS
    number = dispatch.POLICIES.index(policy)

    def resting():
        bin_s = million.arrival_s[-1] / 512
        made = batching_state.world(
            trace, REPLICAS, deployment.rules, deployment.cost, None, 1024, bin_s
        )
        ends, loads = (dispatch.tournament(REPLICAS, v) for v in (np.inf, 0.0))
        return (made, ends, loads), {}

    def served(w, ends, loads):
        if number == dispatch.ROUND_ROBIN:
            dispatch.serve_assigned(w, order, start, 0, REPLICAS, np.inf)
        else:
            dispatch.serve_chosen(w, number, 1, 2, np.inf, ends, loads)

    served(*resting()[0])
    benchmark.pedantic(served, setup=resting, rounds=3)
    benchmark.extra_info["requests_s"] = MILLION / benchmark.stats.stats.min


def test_a_million_requests_from_file_to_tables(benchmark, asked, tmp_path):
    def command():
        found = batch.serve(asked)
        batch_tables.write(found, tmp_path, batch_tables.summary(found))

    command()
    benchmark.pedantic(command, rounds=3)


def test_an_hour_of_a_gigawatt(benchmark, asked, million):
    """Time 100 million requests on 10,000 replicas, 80,000 accelerators."""
    question = Question(asked.trace, "llama-2-70b", "H100-SXM-80GB", tp=8, replicas=10_000)
    batch_stream.serve(question, 100.0, 10.0)
    benchmark.pedantic(batch_stream.serve, args=(question, 28_000.0, 3_600.0), rounds=1)
