"""Published measurements against this simulator: tables in, one simulated value per row out.

A topic is a module of this package named after the tables' `topic` and holding `simulate(row)`;
adding one is adding a file.
"""
