"""Take a trained sheet network into the package: `python scripts/export_sheet.py runs/sheet/best.ckpt`."""

from ecgdig.commands.export_sheet import main

if __name__ == "__main__":
    main()
