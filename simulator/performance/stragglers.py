"""How much longer a synchronous step takes because it waits for the slowest of its chips."""

import math

# Spread of speeds among sound chips, one sigma: fleets under a power limit show 0.5-2 %. Assumed.
SPEED_SPREAD = 0.01

# Share of servers that compute about a tenth slower and go unnoticed for a while (MegaScale, NSDI24,
# arXiv:2402.15627, section 6.3: "a mere 0.5 % of machines", "around 10 % longer"). Measured.
SLOW_SERVERS, SLOWNESS = 0.005, 0.10


def slowest_of(chips: int, server_chips: int) -> float:
    """Return the expected time of the slowest chip over the mean.

    The largest of n normal draws is about sqrt(2 ln n) sigmas up (Cramer, 1946); on top, the chance
    that one of the servers is a slow one.
    """
    spread = SPEED_SPREAD * math.sqrt(2.0 * math.log(chips))
    servers = max(chips / server_chips, 1.0)
    struck = 1.0 - (1.0 - SLOW_SERVERS) ** servers
    return 1.0 + spread + struck * SLOWNESS
