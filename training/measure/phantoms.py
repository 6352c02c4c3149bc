"""Score a bundle on drawn phantoms, whose masks are exact: a check that needs no dataset.

    dermalens evaluate phantoms

Writes training/runs/<bundle>/phantom_scores.json: each phantom's Dice, means over all and by skin tone, and
what each drawn artefact changes in the answer to the same lesion. Phantoms have no true diagnosis, so
the classifier's answers are recorded, not scored.
"""

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from core.analyzer import Analyzer
from core.evaluation.mask_metrics import dice
from core.phantoms.artefacts import ARTEFACTS
from core.phantoms.lesions import Phantom, PhantomSpec, draw_phantom, random_spec
from core.systems.evaluations import RUNS_DIR
from core.tables.writing import to_json_types
from training.command import exit_with_message
from training.fit.environment import describe_environment

N_PHANTOMS = 60
N_ARTEFACT_PAIRS = 12
SEED = 20260101


def draw_series(count: int = N_PHANTOMS, seed: int = SEED) -> list[tuple[PhantomSpec, Phantom]]:
    """The first `count` phantoms of the series on which a bundle is scored."""
    rng = np.random.default_rng(seed)
    specs = [random_spec(rng) for _ in range(count)]
    return [(spec, draw_phantom(seed + k, spec=spec)) for k, spec in enumerate(specs)]


def score_series(analyzer: Analyzer, series) -> list[dict]:
    """What the bundle answered for each phantom."""
    rows = []
    for number, (spec, phantom) in enumerate(tqdm(series, unit="phantom")):
        [analysis] = analyzer.analyze_batch([phantom.image])
        answer = analysis.classification
        rows.append(
            {
                "seed": SEED + number,
                "spec": asdict(spec),
                "skin_tone": spec.skin_tone,
                "dice": dice(analysis.lesion.lesion_mask, phantom.lesion_mask),
                "suspicious_probability": answer.suspicious_probability,
                "probabilities": dict(zip(answer.classes, answer.probabilities, strict=True)),
            }
        )
    return rows


def score_artefacts(analyzer: Analyzer, specs: list[PhantomSpec]) -> list[dict]:
    """Probability of malignancy and Dice of each lesion without artefacts and with each one alone."""
    rows = []
    for number, spec in enumerate(tqdm(specs, unit="lesion")):
        for artefact in (None, *ARTEFACTS):
            own = replace(spec, artefacts=(artefact,) if artefact else ())
            phantom = draw_phantom(SEED + number, spec=own)
            [analysis] = analyzer.analyze_batch([phantom.image])
            rows.append(
                {
                    "seed": SEED + number,
                    "spec": asdict(own),
                    "artefact": artefact,
                    "dice": dice(analysis.lesion.lesion_mask, phantom.lesion_mask),
                    "suspicious_probability": analysis.classification.suspicious_probability,
                }
            )
    return rows


@exit_with_message
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bundle", type=Path, help="folder of a bundle; the shipped one by default")
    analyzer = Analyzer.load(parser.parse_args().bundle)
    series = draw_series()
    rows = score_series(analyzer, series)
    tones = sorted({row["skin_tone"] for row in rows})
    record = {
        "fingerprint": analyzer.manifest.fingerprint,
        "n_phantoms": len(rows),
        "mean_dice": np.mean([row["dice"] for row in rows]),
        "mean_dice_by_skin_tone": {
            tone: np.mean([row["dice"] for row in rows if row["skin_tone"] == tone]) for tone in tones
        },
        "environment": describe_environment(),
        "phantoms": rows,
        "artefacts": score_artefacts(analyzer, [spec for spec, _ in series[:N_ARTEFACT_PAIRS]]),
    }
    path = RUNS_DIR / analyzer.manifest.name / "phantom_scores.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(to_json_types(record), indent=1) + "\n")
    print(f"Mean Dice {record['mean_dice']:.3f} over {len(rows)} phantoms; wrote {path.name}")
    print(record["mean_dice_by_skin_tone"])


if __name__ == "__main__":
    main()
