"""Tiny predictions tables for tests."""

import numpy as np
import pandas as pd

from core.evaluation.predictions import Predictions, from_frame
from core.tables.columns import STRUCTURES


def make_table(answers: list[tuple[str, str, float]], classes: tuple[str, ...], **facts) -> Predictions:
    """One row an answer (true class or "", predicted class, its probability); the rest shares what is left."""
    rows = []
    for i, (true, predicted, probability) in enumerate(answers):
        rest = (1 - probability) / (len(classes) - 1)
        row = {"image_id": f"image_{i}", "lesion_id": f"lesion_{i}", "dx": true or None}
        rows.append(row | {f"p_{code}": probability if code == predicted else rest for code in classes})
    return from_frame(pd.DataFrame(rows).assign(**facts))


def random_table(n: int, classes: tuple[str, ...], seed: int) -> Predictions:
    """Plausible predictions, two images a lesion, with masks and facts; some of both undefined."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(len(classes), 0.5), size=n)
    labels = [rng.choice(len(classes), p=0.5 * p + 0.5 / len(classes)) for p in probabilities]
    jaccard = rng.uniform(0.4, 1, n)
    facts = {
        "image_id": [f"image_{i}" for i in range(n)],
        "lesion_id": [f"lesion_{i // 2}" for i in range(n)],
        "dx": [classes[k] for k in labels],
        "age": rng.choice([5.0, 30.0, 44.0, 60.0, 85.0, np.nan], n),
        "sex": rng.choice(["male", "female", "unknown"], n),
        "localization": rng.choice(["back", "face"], n),
        "dx_type": rng.choice(["histo", "follow_up"], n),
        "warnings": rng.choice(["", "glare", "glare;dark_corners"], n),
        "dice": 2 * jaccard / (1 + jaccard),
        "jaccard": jaccard,
        "skin_tone_class": rng.choice(["0", "3", "5", ""], n),
        "dataset": rng.choice(["ham10000", "milk10k"], n),
    }
    # Drawn last, so that what other tests pin by their seed stays as it is.
    for name in STRUCTURES:
        facts[name] = rng.choice([0.0, 1.0, np.nan], n)
        facts[f"structure_{name}"] = rng.choice([0.2, 0.7, np.nan], n)
    frame = pd.DataFrame(facts | {f"p_{code}": probabilities[:, k] for k, code in enumerate(classes)})
    frame.loc[:2, ["dice", "jaccard"]] = np.nan
    return from_frame(frame)
