"""What a replica can hold of the requests that come: no longer than its memory and its context."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.components import from_catalog
from simulator.performance import serving_memory
from simulator.performance.admission import held, most_tokens
from simulator.performance.queueing import Demand
from simulator.performance.replica import Replica

LENGTHS = st.lists(st.tuples(st.integers(1, 500), st.integers(1, 500)), min_size=1, max_size=50)


@given(LENGTHS, st.integers(1, 1200))
def test_what_is_held_is_what_fits(requests, most):
    asked, answered = np.array(requests).T
    found = held(asked, answered, (float(asked.mean()), float(answered.mean())), most)
    fits = [(i, o) for i, o in requests if i + o <= most]
    assert found.share == pytest.approx(len(fits) / len(requests))
    if fits:
        np.testing.assert_allclose(found[1:], np.mean(fits, axis=0))


def replica(model, chip, chips):
    return Replica(from_catalog.language_model(model), from_catalog.accelerator(chip), chips, "fp8")


def test_the_context_of_the_model_is_the_limit_where_memory_has_room():
    made = replica("llama-2-70b", "GB300", 4)
    assert most_tokens(made, Demand(1000, 200, 1.0)) == made.model.context == 4096


def test_memory_is_the_limit_where_the_context_is_longer():
    made, demand = replica("llama-3.1-70b", "H100-SXM-80GB", 1), Demand(1000, 200, 1.0)
    room = serving_memory.kv_tokens(made.setting, demand.context)
    assert most_tokens(made, demand) == int(room) < made.model.context
