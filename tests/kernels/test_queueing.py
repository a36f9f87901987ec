"""Erlang C and Poisson stock against sums, tables and limits."""

import math

import pytest
from scipy import stats

from simulator.kernels import queueing


@pytest.mark.parametrize(
    ("servers", "offered", "waits"),
    [(1, 0.5, 0.5), (1, 0.9, 0.9), (2, 1.0, 1 / 3), (3, 2.0, 4 / 9), (10, 8.0, 0.409180)],
)
def test_erlang_c_against_known_values(servers, offered, waits):
    assert queueing.erlang_c(servers, offered) == pytest.approx(waits, abs=1e-6)


def test_erlang_c_against_the_sum_of_states():
    servers, offered = 5, 3.7
    states = [offered**n / math.factorial(n) for n in range(servers)]
    waiting = offered**servers / math.factorial(servers) / (1 - offered / servers)
    expected = waiting / (sum(states) + waiting)
    assert queueing.erlang_c(servers, offered) == pytest.approx(expected, rel=1e-12)


def test_one_server_waits_as_m_m_1():
    rate, service = 0.7, 1.0
    assert queueing.mean_wait_s(1, rate, service) == pytest.approx(0.7 / 0.3)
    assert queueing.mean_wait_s(1, 1.0, 1.0) == math.inf
    assert queueing.erlang_c(2, 3.0) == 1.0


@pytest.mark.parametrize("wait_s", [10.0, 600.0, 86_400.0])
def test_servers_for_a_wait_are_the_fewest(wait_s):
    rate, service = 110 / 86_400.0, 4 * 3600.0
    servers = queueing.servers_for_wait(rate, service, wait_s)
    assert queueing.mean_wait_s(servers, rate, service) <= wait_s
    assert queueing.mean_wait_s(servers - 1, rate, service) > wait_s


def test_no_work_needs_one_server():
    assert queueing.servers_for_wait(0.0, 3600.0, 60.0) == 1


@pytest.mark.parametrize("demand", [0.0, 0.1, 3.0, 88.0, 1300.0])
def test_fill_rate_and_backorders_against_scipy(demand):
    poisson = stats.poisson(demand)
    for stock in (0, 1, int(demand), int(demand + 3 * demand**0.5) + 1):
        assert queueing.fill_rate(stock, demand) == pytest.approx(poisson.cdf(stock - 1), abs=1e-10)
        least = range(stock, int(demand + 12 * demand**0.5) + 20)
        short = sum((n - stock) * poisson.pmf(n) for n in least)
        assert queueing.backorders(stock, demand) == pytest.approx(short, abs=1e-8)


@pytest.mark.parametrize("demand", [0.0, 0.02, 1.0, 88.0, 1300.0])
@pytest.mark.parametrize("wanted", [0.5, 0.95, 0.999])
def test_stock_for_a_fill_rate_is_the_smallest(demand, wanted):
    stock = queueing.stock_for_fill_rate(demand, wanted)
    assert queueing.fill_rate(stock, demand) >= wanted
    assert queueing.fill_rate(stock - 1, demand) < wanted


def test_racks_down_of_a_large_fleet():
    """1,500 racks of 72 in servers of 8, 6.5 failures per 1,000 server-days, out for 24 h: 88 down in
    the mean, and no more than 110 with 99 %."""
    down = 1500 * 9 * 6.5e-3
    assert down == pytest.approx(87.75)
    assert queueing.stock_for_fill_rate(down, 0.99) == 111  # one more than are out


def test_a_fill_rate_that_rounding_hides_still_ends():
    assert queueing.stock_for_fill_rate(5.0, 1.0 - 1e-16) < 100
