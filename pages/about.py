"""About: what Dermalens is and is not, what it runs on, and whose work it stands on."""

import streamlit as st

from models.manifest import BundleError
from pages.components.about import model_card, reliability
from pages.components.shared import engine, notices, router

router.require()
st.title("About Dermalens", anchor=False)
notices.draw_notice()
left, right = st.columns([1, 1], gap="large")
with left:
    st.subheader("What it is", anchor=False)
    st.markdown(
        "Dermalens inspects dermoscopic images of single skin lesions: it outlines the lesion, ranks the "
        "diagnoses its networks were trained on, shows where the score of each came from and measures the "
        "outline. Everything runs on this machine. Images added to Diagnose stay in the session's memory; those of "
        "a batch on Evaluate are kept on the server until the batch is deleted."
    )
    st.subheader("Intended use", anchor=False)
    st.markdown(
        "Teaching, research and demonstration: how such a system answers, where it fails and how far to trust "
        "it. Not for triage, screening or any decision about a patient, and not for ordinary photographs."
    )
    st.subheader("What it is not", anchor=False)
    st.markdown(
        "- It is not a medical device and gives no diagnosis. It knows only the classes of its bundle and "
        "assigns one of them to any image.\n"
        "- Its training data show mostly light skin; MILK10k alone records skin tone, and has few pictures of dark "
        "skin. How well the networks do there is hardly known.\n"
        "- Rulers, ink, hair and bubbles can mislead it. Heatmaps are not dermoscopic criteria."
    )
with right:
    st.subheader("Licences and references", anchor=False)
    st.markdown(
        "- Code: MIT. Shipped weights: CC BY-NC 4.0, as their training data. Their ImageNet initial weights: Apache-2.0 (Google).\n"
        "- Tschandl, Rosendahl, Kittler (2018), The HAM10000 dataset, Sci Data 5:180161, "
        "[doi:10.1038/sdata.2018.161](https://doi.org/10.1038/sdata.2018.161).\n"
        "- MILK study team (2025), MILK10k, ISIC Archive; ISIC 2018 and 2020 challenge data: Codella et al. (2019), "
        "[arXiv:1902.03368](https://arxiv.org/abs/1902.03368); Rotemberg et al. (2021), Sci Data 8:34, "
        "[doi:10.1038/s41597-021-00815-z](https://doi.org/10.1038/s41597-021-00815-z).\n"
        "- Lesion masks: Tschandl et al. (2020), Nat Med 26:1229, "
        "[doi:10.1038/s41591-020-0942-0](https://doi.org/10.1038/s41591-020-0942-0).\n"
        "- Networks: Tan, Le (2021), EfficientNetV2, [arXiv:2104.00298](https://arxiv.org/abs/2104.00298); "
        "Ronneberger et al. (2015), U-Net, [doi:10.1007/978-3-319-24574-4_28]"
        "(https://doi.org/10.1007/978-3-319-24574-4_28); Woo et al. (2018), CBAM, "
        "[doi:10.1007/978-3-030-01234-2_1](https://doi.org/10.1007/978-3-030-01234-2_1).\n"
        "- Explanation and calibration: Selvaraju et al. (2017), Grad-CAM, "
        "[doi:10.1109/ICCV.2017.74](https://doi.org/10.1109/ICCV.2017.74); Guo et al. (2017), calibration, "
        "[arXiv:1706.04599](https://arxiv.org/abs/1706.04599); Winkler et al. (2019), ink and false positives, "
        "[doi:10.1001/jamadermatol.2019.1735](https://doi.org/10.1001/jamadermatol.2019.1735).\n"
        "- The samples are drawn by our own code and show no patient."
    )
try:
    manifest = engine.read_current_manifest()
except BundleError as error:
    notices.draw_bundle_error(error)
else:
    st.header("Model card", anchor="model-card", divider="gray")
    model_card.draw_card(manifest)
reliability.draw_reliability()
