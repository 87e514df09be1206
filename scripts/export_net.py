"""Take a small network into the package: `python scripts/export_net.py page|sheet runs/NAME/best.ckpt`."""

from ecgdig.commands.export_net import main

if __name__ == "__main__":
    main()
