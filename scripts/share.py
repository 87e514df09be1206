"""Make a checkpoint that others can load: `python scripts/share.py runs/NAME/best.ckpt --out checkpoints/NAME`."""

from ecgdig.commands.share import main

if __name__ == "__main__":
    main()
