"""Render, read and score a few pages: `make demo`, or `python scripts/demo.py --out DIR`."""

from ecgdig.commands.demo import main

if __name__ == "__main__":
    main()
