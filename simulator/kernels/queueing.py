"""Closed forms of operations: queues for crews (Erlang C) and spares on the shelf (Poisson).

References
----------
L. Kleinrock, Queueing Systems, vol. 1, 1975, section 3.5 (M/M/c).
C. C. Sherbrooke, Optimal Inventory Modeling of Systems, 2004, chapter 2: outstanding orders of a base
stock are Poisson with the demand of one lead time, whatever the distribution of lead times (Palm).
"""

import math


def erlang_c(servers: int, offered: float) -> float:
    """Return the probability that a customer of M/M/c waits.

    Parameters
    ----------
    servers : c
    offered : arrival rate x mean service time (erlang); at c or more everybody waits
    """
    if offered >= servers:
        return 1.0
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = offered * blocked / (n + offered * blocked)
    return blocked / (1.0 - offered / servers * (1.0 - blocked))


def mean_wait_s(servers: int, rate_s: float, service_s: float) -> float:
    """Return the mean wait of M/M/c, infinite where it cannot keep up."""
    offered = rate_s * service_s
    if offered >= servers:
        return math.inf
    return erlang_c(servers, offered) * service_s / (servers - offered)


def servers_for_wait(rate_s: float, service_s: float, wait_s: float) -> int:
    """Return the fewest servers whose mean wait is no more than `wait_s`, at least 1."""
    servers = max(math.floor(rate_s * service_s) + 1, 1)
    while mean_wait_s(servers, rate_s, service_s) > wait_s:
        servers += 1
    return servers


def fill_rate(stock: int, demand: float) -> float:
    """Return the share of demands that find a part on the shelf: P(outstanding orders < stock).

    `demand` is the mean number of demands in a lead time.
    """
    return poisson_below(stock, demand)


def backorders(stock: int, demand: float) -> float:
    """Return the mean number of demands that wait for a part, E[(outstanding orders - stock)+]."""
    short, shorter = 1.0 - poisson_below(stock, demand), 1.0 - poisson_below(stock + 1, demand)
    return max(demand * short - stock * shorter, 0.0)


def stock_for_fill_rate(demand: float, wanted: float) -> int:
    """Return the smallest base stock whose fill rate is at least `wanted` (below 1)."""
    stock, below = 0, 0.0
    while below < wanted:
        term = _poisson(stock, demand)
        if below + term == below and stock > demand:
            break  # what is left is beyond the precision of the sum
        below += term
        stock += 1
    return stock


def poisson_below(n: int, mean: float) -> float:
    """Return P(Poisson(mean) < n)."""
    return min(math.fsum(_poisson(k, mean) for k in range(n)), 1.0)


def _poisson(k: int, mean: float) -> float:
    if mean == 0.0:
        return 1.0 if k == 0 else 0.0
    return math.exp(k * math.log(mean) - mean - math.lgamma(k + 1.0))
