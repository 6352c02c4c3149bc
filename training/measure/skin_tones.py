"""Ask a bundle about the same drawn lesions on six skin tones: a check that needs no dataset.

    python -m training.measure.skin_tones [--bundle DIR]

Writes training/runs/<bundle>/skin_tones.csv, which the Evaluate page shows under Slices. The lesions are drawn and have no
diagnosis: what is checked is whether outline and answer stay the same when the skin alone changes.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from core.analyzer import Analyzer
from core.evaluation.mask_metrics import dice
from core.systems.evaluations import RUNS_DIR
from core.systems.skin_tones import COLUMNS, FILE_NAME, N_LESIONS, TONES, draw_lesion_on
from training.command import exit_with_message


def ask(analyzer: Analyzer, n_lesions: int = N_LESIONS) -> pd.DataFrame:
    """`COLUMNS`, one row a lesion and tone, from one view of each picture."""
    # Every view of a lesion meets the same skin; one is enough, and takes minutes instead of an hour on a laptop.
    settings = replace(analyzer.default_settings, test_time_augmentation=False)
    rows = []
    for lesion in tqdm(range(n_lesions), unit="lesion"):
        for tone in TONES:
            phantom = draw_lesion_on(lesion, tone)
            [analysis] = analyzer.analyze_batch([phantom.image], settings)
            answer = analysis.classification
            overlap = dice(analysis.lesion.lesion_mask, phantom.lesion_mask)
            rows.append((lesion, tone, overlap, answer.suspicious_probability, answer.prediction))
    return pd.DataFrame(rows, columns=list(COLUMNS)).round({"dice": 4, "malignancy": 5})


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, help="folder of a bundle; the shipped one by default")
    analyzer = Analyzer.load(parser.parse_args().bundle)
    path = RUNS_DIR / analyzer.manifest.name / FILE_NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    table = ask(analyzer).to_csv(index=False, lineterminator="\n")
    path.write_text(f"# weights {analyzer.manifest.fingerprint}\n{table}")
    print(f"Wrote {path}")


if __name__ == "__main__":
    main()
