"""About: what Dermalens is and is not, what it runs on, and whose work it stands on."""

import streamlit as st

from models.manifest import BundleError, NetworkEntry
from pages.components import engine, notices


def draw_network(title: str, entry: NetworkEntry) -> None:
    """One network of the bundle, with the scores that its manifest records."""
    st.markdown(
        f"**{title}:** `{entry.file}`, {entry.input_size_px} px input  \n:gray[SHA-256] `{entry.sha256}`"
    )
    if scores := entry.record.get("scores"):
        st.table(score_table(scores), border="horizontal", hide_index=True)
    else:
        st.caption("The manifest records no scores for this network.")


def score_table(scores: dict[str, dict]) -> dict[str, list[str]]:
    """Columns of a table: one row a score, one column a split, as text with its interval."""
    names = list(dict.fromkeys(name for split in scores.values() for name in split))
    columns = {split: [_format(values.get(name)) for name in names] for split, values in scores.items()}
    return {"Score": [name.replace("_", " ") for name in names]} | columns


def _format(value: object) -> str:
    if isinstance(value, dict) and {"estimate", "low", "high"} <= value.keys():
        estimate, low, high = (_format(value[key]) for key in ("estimate", "low", "high"))
        return f"{estimate} :gray[({low} to {high})]"
    if value is None:
        return "undefined"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


st.title("About Dermalens", anchor=False)
notices.draw_notice()
left, right = st.columns([1, 1], gap="large")
with left:
    st.subheader("What it is", anchor=False)
    st.markdown(
        "Dermalens inspects dermoscopic images of single skin lesions: it outlines the lesion, ranks the "
        "diagnoses its networks were trained on, shows where the score of each came from and measures the "
        "outline. Everything runs on this machine; images stay in the session's memory and are saved nowhere."
    )
    st.subheader("What it is not", anchor=False)
    st.markdown(
        "- It is no medical device and gives no diagnosis. It knows only the classes of its bundle and will "
        "assign one of them to anything it is shown.\n"
        "- HAM10000 shows mostly light skin and does not record skin tone: how well the networks do on "
        "darker skin is unknown.\n"
        "- Rulers, ink, hair and bubbles can mislead it. Heatmaps are not dermoscopic criteria."
    )
    st.subheader("Licences and references", anchor=False)
    st.markdown(
        "- Code: MIT. Shipped weights: CC BY-NC 4.0, as HAM10000. Their ImageNet start: Apache-2.0 (Google).\n"
        "- Tschandl, Rosendahl, Kittler (2018), The HAM10000 dataset, Sci Data 5:180161, "
        "[doi:10.1038/sdata.2018.161](https://doi.org/10.1038/sdata.2018.161).\n"
        "- Lesion masks: Tschandl et al. (2020), Nat Med 26:1229, "
        "[doi:10.1038/s41591-020-0942-0](https://doi.org/10.1038/s41591-020-0942-0).\n"
        "- The samples are drawn by our own code and show no patient."
    )
with right:
    st.subheader("The loaded bundle", anchor=False)
    try:
        manifest = engine.read_current_manifest()
    except BundleError as error:
        notices.draw_bundle_error(error)
    else:
        st.markdown(
            f"{manifest.name}, version {manifest.version}  \n:gray[Fingerprint] `{manifest.fingerprint}`"
        )
        draw_network("Segmentation", manifest.segmenter)
        draw_network("Classification", manifest.classifier)
        st.markdown(
            f"Suspicious from {manifest.suspicious_threshold:.1%}: {manifest.threshold_origin.rstrip('.')}."
        )
