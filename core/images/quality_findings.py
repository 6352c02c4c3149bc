"""Thresholds that turn the measures of core/images/quality.py into findings, and the text of each finding."""

from dataclasses import dataclass, replace
from typing import Literal

Severity = Literal["note", "warning"]


@dataclass(frozen=True)
class QualityThresholds:
    """Thresholds on the measures.

    "P1" and so on are percentiles of 1,500 random HAM10000 images, from
    training/runs/quality/thresholds.json (`dermalens evaluate quality`). HAM10000 shows
    almost only light skin, so dark skin must not count as underexposed: the exposure limits lie
    outside the whole range of HAM10000 rather than at a percentile.
    """

    # P1 is 0.52, and was 0.48 of the same images at 200 px: how an image was scaled down shifts it.
    min_sharpness: float = 0.45
    min_mean_luminance: float = 0.25  # the lowest is 0.26
    max_black_share: float = 0.10  # luminance clipped black; P99.5 is 0.001, one image exceeds this
    max_mean_luminance: float = 0.86  # the highest is 0.857
    max_white_share: float = 0.01  # luminance clipped white; P99.5 is 0.001, one image exceeds this
    max_glare_share: float = 0.005  # P99 is 0.003
    max_dark_corner_share: float = 0.02  # about P95; a note, since the training images include such images
    max_border_contact_share: float = 0.10  # of the outline; 8 % of the lesions exceed it
    # P1 is 0.69, the highest of the tests' non-skin images 0.34 (colour noise): halfway.
    min_dermoscopy_likeness: float = 0.50
    min_contrast: float = 1.5  # L* units; the lowest is 2.2
    # Shorter side of 200 x 150 px images, from which a network learns as much (control_ham10000_200).
    min_side_px: int = 150


QUALITY_THRESHOLDS = QualityThresholds()


@dataclass(frozen=True)
class QualityFinding:
    """One thing to know about an image: a stable code, a plain sentence and how much it matters."""

    code: str
    message: str
    severity: Severity


@dataclass(frozen=True)
class QualityReport:
    """Measures of an image, and the findings from them.

    Attributes:
        sharpness: finest against coarser detail, >= 0, about 0.68 for a typical image; NaN if flat.
        mean_luminance: in [0, 1], outside dark corners.
        black_share, white_share: of the pixels outside dark corners, clipped to black or white.
        glare_share: of all pixels, in white reflexes.
        dark_corner_share: of all pixels, in dark areas that fill two or more corners.
        border_contact_share: of the lesion's outline, on the image's edge; None without a lesion mask.
        dermoscopy_likeness: of the pixels that are not black, with the colour and the smoothness of
            skin or lesion under a dermatoscope.
        contrast: standard deviation of lightness, in L* units (0 to 100).
        redness, yellowness: mean a* and b* (CIE L*a*b*) of the pixels that are not black; NaN if all are.
        shorter_side_px: of the image as it came.
        findings: most important first; empty when nothing was found.
    """

    sharpness: float
    mean_luminance: float
    black_share: float
    white_share: float
    glare_share: float
    dark_corner_share: float
    border_contact_share: float | None
    dermoscopy_likeness: float
    contrast: float
    redness: float
    yellowness: float
    shorter_side_px: int
    findings: tuple[QualityFinding, ...] = ()

    @property
    def warned(self) -> bool:
        return any(finding.severity == "warning" for finding in self.findings)

    def with_findings(self, more: tuple[QualityFinding, ...]) -> "QualityReport":
        """The report with what reading the file or outlining the lesion found too; warnings still first."""
        findings = sorted((*more, *self.findings), key=lambda finding: finding.severity != "warning")
        return replace(self, findings=tuple(findings)) if more else self


# (seen, code, severity, message)
_Candidate = tuple[bool, str, Severity, str]


def find_faults(report: QualityReport, limits: QualityThresholds) -> tuple[QualityFinding, ...]:
    """Turn measures into findings, most important first. Comparisons with NaN are False: no finding."""
    candidates = (
        *_judge_content(report, limits),
        *_judge_light(report, limits),
        *_judge_frame(report, limits),
    )
    return tuple(QualityFinding(code, text, severity) for seen, code, severity, text in candidates if seen)


def _judge_content(report: QualityReport, limits: QualityThresholds) -> tuple[_Candidate, ...]:
    return (
        (
            report.dermoscopy_likeness < limits.min_dermoscopy_likeness
            or report.contrast < limits.min_contrast,
            "not_dermoscopy",
            "warning",
            "This does not look like a dermoscopic image: its colours or texture differ from skin seen through "
            "a dermatoscope. Results would mean nothing; use a close-up taken with a dermatoscope.",
        ),
        (
            report.sharpness < limits.min_sharpness,
            "blurred",
            "warning",
            "The image looks blurred. Focus again, hold the dermatoscope still, and retake it.",
        ),
    )


def _judge_light(report: QualityReport, limits: QualityThresholds) -> tuple[_Candidate, ...]:
    return (
        (
            report.mean_luminance < limits.min_mean_luminance or report.black_share > limits.max_black_share,
            "underexposed",
            "warning",
            f"The image is very dark (mean brightness {report.mean_luminance:.0%}). Switch the dermatoscope's "
            "light on or raise the exposure, and retake it.",
        ),
        (
            report.mean_luminance > limits.max_mean_luminance or report.white_share > limits.max_white_share,
            "overexposed",
            "warning",
            f"The image is too bright: {report.white_share:.1%} of it is pure white, mean brightness "
            f"{report.mean_luminance:.0%}. Lower the exposure and retake it.",
        ),
        (
            report.glare_share > limits.max_glare_share,
            "glare",
            "warning",
            f"White reflections cover {report.glare_share:.1%} of the image. Use polarised light or contact "
            "fluid, and press out the bubbles.",
        ),
    )


def _judge_frame(report: QualityReport, limits: QualityThresholds) -> tuple[_Candidate, ...]:
    contact = report.border_contact_share or 0.0
    return (
        (
            report.shorter_side_px < limits.min_side_px,
            "low_resolution",
            "warning",
            f"The shorter side has only {report.shorter_side_px} px, fewer than the {limits.min_side_px} px of "
            "the training images. Use the original image, not a thumbnail.",
        ),
        (
            contact > limits.max_border_contact_share,
            "lesion_touches_border",
            "warning",
            f"{contact:.0%} of the lesion's outline is cut off by the image's edge, so asymmetry, border and "
            "diameter describe only a part. Retake it with skin all around the lesion, if it fits.",
        ),
        (
            report.dark_corner_share > limits.max_dark_corner_share,
            "dark_corners",
            "note",
            f"Dark corners from the dermatoscope's rim cover {report.dark_corner_share:.0%} of the image. Crop "
            "or zoom until the rim is out of view.",
        ),
    )
