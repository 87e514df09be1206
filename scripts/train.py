"""Train a network: `python scripts/train.py --config unet.yaml`, any setting overridden on the line.

    python scripts/train.py --config unet_cpu.yaml --data.records ../shared/ecg/train --run mine
    python scripts/train.py --config unet_cpu.yaml --run mine --resume last

`--print_config` shows every setting. The run's folder runs/NAME holds config.yaml, log/metrics.csv, best.ckpt and
last.ckpt.
"""

from ecgdig.commands.train import main

if __name__ == "__main__":
    main()
