"""Read scans: `python scripts/digitize.py IMAGE... --out DIR`.

For each image: a WFDB record (12 leads, 500 Hz, mV; NaN where nothing is printed), NAME.json (layout, scale, coverage
and mean sigma per lead, warnings) and NAME_overlay.png (the reading drawn over the image).
"""

from ecgdig.commands.digitize import main

if __name__ == "__main__":
    main()
