"""The second classifier taught by version 9's pair for 72 minutes, as the first was: by the clock, 160 px.

python -m training.fit.train_classification --config classification_v2b0_second_long --data DIR
"""

from dataclasses import replace

from training.configs.classification_v2b0_first_long import CONFIG as FIRST
from training.configs.classification_v2b0_first_long import PAIR

CONFIG = replace(FIRST, name="classification_v2b0_second_long", seed=62, start_from=PAIR[1])
