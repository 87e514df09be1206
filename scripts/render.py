"""Pages on disk: `python scripts/render.py RECORDS... --out DIR --preset clean|print|scan|photo|damaged`.

Pictures, their exact truth, a manifest with everything drawn; `--export` and `--shards` write other tools' formats.
`--help` has examples.
"""

from ecgdig.commands.render import main

if __name__ == "__main__":
    main()
