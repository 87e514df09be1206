"""Train the reader of lead names: `python scripts/train_names.py --records ../shared/ecg/train`.

Half an hour on one core; writes `ecgdig/locate/names.safetensors` (100 kB), at a loss of about 0.55.
"""

from ecgdig.commands.train_names import main

if __name__ == "__main__":
    main()
