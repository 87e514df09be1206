"""Score a checkpoint: `python scripts/eval_snr.py`.

python scripts/eval_snr.py                                             built-in held-out pages
python scripts/eval_snr.py --records DIR --preset clean|scan|photo     renders, reads, scores
python scripts/eval_snr.py --pages DIR                                 pictures and truths listed in DIR/index.csv
python scripts/eval_snr.py --predictions DIR --truth DIR               what any program read
python scripts/eval_snr.py --compare A.json B.json                     two results, page by page
"""

from ecgdig.commands.evaluate import exit_code, main

if __name__ == "__main__":
    raise SystemExit(exit_code(main()))
