"""`python -m simulator`: the same commands as `gigawatt`."""

from simulator.cli import main

if __name__ == "__main__":
    main()
