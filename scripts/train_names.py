"""Train the reader of lead names: `python scripts/train_names.py [--records DIR]`; about an hour on one core."""

from ecgdig.commands.train_names import main

if __name__ == "__main__":
    main()
