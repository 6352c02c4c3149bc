"""Age, sex, body site and confirmation of every image of HAM10000, which ship without its pictures.

    python -m core.datasets.ham10000_facts --data DIR     writes the file from HAM10000_metadata.csv

Reference:
    Tschandl, Rosendahl, Kittler (2018), Sci Data 5:180161, doi:10.1038/sdata.2018.161; CC BY-NC 4.0.
"""

import argparse
import gzip
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from core.datasets.files import DatasetError
from core.datasets.ham10000 import METADATA_COLUMNS

FACTS_FILE = Path(__file__).with_name("ham10000_facts.csv.gz")
FACT_COLUMNS = ("image_id", "dx_type", "age", "sex", "localization")
CREDIT = "# From the metadata of HAM10000 (Tschandl, Rosendahl, Kittler 2018, doi:10.1038/sdata.2018.161), CC BY-NC 4.0.\n"


def read_facts(path: Path = FACTS_FILE) -> pd.DataFrame:
    """One row an image: `FACT_COLUMNS`; `age` in years, NaN where it is not recorded."""
    return pd.read_csv(path, comment="#")


def write_facts(metadata: Path, path: Path = FACTS_FILE) -> int:
    """Write the facts of a HAM10000_metadata.csv, the same bytes each time; returns how many images.

    Raises:
        DatasetError: no such table, or a column is missing.
    """
    try:
        frame = pd.read_csv(metadata)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{metadata} is no readable CSV table: {error}.") from error
    if missing := [column for column in METADATA_COLUMNS if column not in frame]:
        raise DatasetError(f"{metadata.name} lacks the column(s) {', '.join(missing)}.")
    facts = frame[list(FACT_COLUMNS)].sort_values("image_id")
    text = CREDIT + facts.to_csv(index=False, lineterminator="\n")
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))
    return len(facts)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with HAM10000_metadata.csv")
    count = write_facts(parser.parse_args(arguments).data / "HAM10000_metadata.csv")
    print(f"{count:,} images in {FACTS_FILE}")


if __name__ == "__main__":
    main()
