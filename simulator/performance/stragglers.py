"""How much longer a synchronous step takes because it waits for the slowest of its chips."""

import math

# Spread of speeds among sound chips, one sigma: fleets under a power limit show 0.5-2 %. Assumed.
SPEED_SPREAD = 0.01

# Share of servers that compute slower than others and go unnoticed for a while, and by how much
# (MegaScale, NSDI24, arXiv:2402.15627, section 6.3: 0.5 % of machines, around 10 %). Measured.
SLOW_SERVERS, SLOWNESS = 0.005, 0.10

EULER = 0.5772156649015329  # Euler-Mascheroni


def slowest_of(chips: int, server_chips: int) -> float:
    """Return the expected time of the slowest chip over the mean of sound ones.

    Without a slow server it is the largest of all draws; with some, most often the largest of
    theirs.
    """
    servers = max(chips / server_chips, 1.0)
    struck = 1.0 - (1.0 - SLOW_SERVERS) ** servers
    sound = SPEED_SPREAD * largest_of(chips)
    slow_chips = min(server_chips, chips) * max(servers * SLOW_SERVERS, 1.0)
    slow = SLOWNESS + SPEED_SPREAD * largest_of(slow_chips)
    return 1.0 + (1.0 - struck) * sound + struck * max(sound, slow)


def largest_of(draws: float) -> float:
    """Return the expected largest of independent standard normal draws.

    a - (ln ln n + ln 4 pi)/(2 a) + gamma/a with a = sqrt(2 ln n) (Gumbel limit; Cramer, 1946), good
    to 0.05 from a hundred on; one draw is the mean.
    """
    if draws < 2:
        return 0.0
    a = math.sqrt(2.0 * math.log(draws))
    return max(a - (math.log(math.log(draws)) + math.log(4.0 * math.pi) - 2.0 * EULER) / (2.0 * a), 0.0)
