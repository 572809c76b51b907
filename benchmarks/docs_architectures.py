"""Draw how the methods are built, with the sizes that their code has; seconds, and no scene.

    python -m benchmarks.docs_architectures [docs/images]

Every number in a figure is read from the parameters and networks of the plugins, so that a figure
cannot differ from what runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from matplotlib.patches import Rectangle

from benchmarks.common import check_usage
from benchmarks.docs_figures import BLUE, GREEN, GREY, RED, write_figures
from hsiaug.report.figures.files import new_figure
from hsiaug_builtin.specdm.params import SIZES as SPECDM_SIZES
from hsiaug_builtin.specdm.params import PaperParams
from hsiaug_builtin.teacher import voters
from hsiaug_builtin.txt2hsi.denoiser import NOUN, Denoiser
from hsiaug_builtin.txt2hsi.groups import EXAMPLES, GROUPS
from hsiaug_builtin.txt2hsi.params import SHIPPED_STEPS, Txt2HsiParams
from hsiaug_builtin.txt2hsi.prepare import untrained_denoiser
from hsiaug_builtin.txt2hsi.vae import Vae

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 6.6
"""Inches of a figure."""
BANDS, PATCH, WORD = 200, 9, 384
"""Of Indian Pines, of the default patch, and features of a phrase by MiniLM."""
TILE = 64
"""Side of the tiles that SpecDM is drawn for."""


@dataclass(frozen=True)
class Box:
    """A step. left, top, width, height: in hundredths of an inch. lines: below the title."""

    left: int
    top: int
    width: int
    height: int
    title: str
    lines: tuple[str, ...] = ()
    colour: str = BLUE

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height

    @property
    def middle(self) -> float:
        return self.left + self.width / 2

    @property
    def centre(self) -> float:
        return self.top + self.height / 2


@dataclass(frozen=True)
class Zone:
    """A shaded area round steps that belong together."""

    top: int
    height: int
    title: str
    colour: str


def drawing(
    height: int,
    zones: tuple[Zone, ...],
    boxes: tuple[Box, ...],
    across: tuple[tuple[Box, Box], ...],
    down: tuple[tuple[Box, Box, float], ...],
) -> Figure:
    """Boxes with arrows.

    Parameters
    ----------
    height : int
        Of the figure, in hundredths of an inch.
    zones, boxes : tuples
        What is drawn.
    across : tuple of (Box, Box)
        Arrows from the right side of one box to the left side of another.
    down : tuple of (Box, Box, float)
        Arrows from the lower side of one box to the upper side of another, at this x.
    """
    figure = new_figure(WIDTH, height / 100)
    figure.set_layout_engine("none")
    panel = figure.add_axes((0, 0, 1, 1))
    panel.set(xlim=(0, 100 * WIDTH), ylim=(height, 0))
    panel.axis("off")
    for zone in zones:
        panel.add_patch(
            Rectangle(
                (4, zone.top), 100 * WIDTH - 8, zone.height, color=zone.colour, alpha=0.09, lw=0
            )
        )
        panel.text(12, zone.top + 15, zone.title, fontsize=9, color=zone.colour, weight="bold")
    for box in boxes:
        panel.add_patch(
            Rectangle(
                (box.left, box.top),
                box.width,
                box.height,
                facecolor="white",
                edgecolor=box.colour,
                lw=1.3,
            )
        )
        panel.text(box.left + 7, box.top + 17, box.title, fontsize=9, weight="bold")
        for row, line in enumerate(box.lines):
            panel.text(box.left + 7, box.top + 33 + 14 * row, line, fontsize=8)
    for start, end in across:
        y = max(start.top, end.top) + min(start.bottom, end.bottom)
        arrow(panel, (start.right, y / 2), (end.left, y / 2))
    for start, end, x in down:
        arrow(panel, (x, start.bottom), (x, end.top))
    return figure


def arrow(panel: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    panel.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": GREY, "lw": 1.3})


def weights_of(network: torch.nn.Module) -> str:
    """The number of weights, rounded."""
    number = sum(weight.numel() for weight in network.parameters())
    return f"{number / 1e6:.1f} million" if number >= 1e6 else f"{round(number, -3):,}"


def txt2hsi_networks(params: Txt2HsiParams) -> tuple[Vae, Denoiser]:
    """The VAE and the denoiser of a default fit on Indian Pines, untrained."""
    shape = PATCH, PATCH, params.latent
    weight = torch.ones(params.latent)
    network = untrained_denoiser(torch.zeros(shape), torch.ones(shape), weight, params, WORD)
    return Vae(BANDS, params.latent, params.network.vae_width), network


def txt2hsi() -> Figure:
    """What Txt2HSI-LDM(VAE) learns once a scene, what in a draw, and how a patch is made."""
    params = Txt2HsiParams()
    size = params.network
    vae, network = txt2hsi_networks(params)
    d = params.latent
    once = Zone(6, 132, "once a scene, without a label", BLUE)
    draw = Zone(146, 132, "in each split, from its training pixels and the names of classes", GREEN)
    made = Zone(286, 132, "for each sample", RED)
    pixels = Box(12, 32, 96, 96, "All spectra", (f"{BANDS} bands", "each", "(transductive)"))
    codec = Box(
        122,
        32,
        148,
        96,
        "VAE",
        (
            f"encoder {BANDS} → {d}",
            f"decoder {d} → {BANDS}",
            f"{weights_of(vae)} weights",
            f"{params.vae_steps} steps",
        ),
    )
    groups = Box(
        284,
        32,
        162,
        96,
        "Groups of pixels",
        (
            "alike by their latents;",
            f"{GROUPS[0]} to {GROUPS[-1]} of them; each is",
            f"a noun, and up to {EXAMPLES}",
            "pixels are its examples",
        ),
    )
    scene = Box(
        460,
        32,
        188,
        96,
        "Denoiser",
        (
            "reads what lies where in a",
            "patch; nouns by examples",
            f"{size.depth} blocks, {size.width} features,",
            f"{weights_of(network)} weights",
            f"{SHIPPED_STEPS:,} steps",
        ),
    )
    labels = Box(12, 172, 96, 96, "Few labels", ("training", "pixels"), GREEN)
    teacher = Box(
        122, 172, 148, 96, "Teacher", ("names unlabelled", "pixels; sure ones", "are kept"), GREEN
    )
    words = Box(
        284,
        172,
        162,
        96,
        "Words",
        (
            "phrases of classes (MiniLM,",
            f"{WORD} numbers) are mapped",
            f"to nouns ({NOUN} numbers)",
            "of the named pixels",
        ),
        GREEN,
    )
    texts = Box(
        460,
        172,
        188,
        96,
        "Denoiser",
        (
            "reads the same sentences,",
            "with the words as nouns;",
            "LF-UE: channel means of",
            "the named patches",
        ),
        GREEN,
    )
    sentence = Box(12, 312, 104, 96, "Sentence", ("“wheat with", "woods to the", "north”"), RED)
    mentions = Box(130, 312, 110, 96, "Mentions", ("wheat: centre", "woods: to the", "north"), RED)
    steps = Box(
        254,
        312,
        156,
        96,
        f"{params.sample_steps} denoising steps",
        (
            "drawn means, and noise;",
            "pixels attend to mentions;",
            "ω leads further away",
            "from no text",
        ),
        RED,
    )
    decode = Box(424, 312, 110, 96, "VAE decoder", (f"{d} → {BANDS}", "bands per pixel"), RED)
    patch = Box(
        548,
        312,
        100,
        96,
        "Patch",
        (f"{PATCH}×{PATCH}×{BANDS},", "plus noise of", "the sensor"),
        RED,
    )
    return drawing(
        424,
        (once, draw, made),
        (
            *(pixels, codec, groups, scene),
            *(labels, teacher, words, texts),
            *(sentence, mentions, steps, decode, patch),
        ),
        (
            *pairwise((pixels, codec, groups, scene)),
            *pairwise((labels, teacher, words, texts)),
            *pairwise((sentence, mentions, steps, decode, patch)),
        ),
        ((scene, texts, scene.middle),),
    )


def specdm_network() -> Figure:
    """The paper's two-stream VAE and joint denoiser, as ``specdm-paper`` builds it."""
    params = PaperParams()
    size = SPECDM_SIZES[params.size]
    factor = params.factor_of(TILE)
    side = TILE // factor
    image = Box(12, 12, 108, 70, "Image", ("one date, or two", "stacked"))
    mask = Box(12, 112, 108, 70, "Mask", ("one-hot, K", "channels"))
    image_vae = Box(
        134,
        12,
        158,
        70,
        "Image encoder",
        (f"L1 + {params.sad:g} · angle", f"{params.image_steps} steps"),
    )
    mask_vae = Box(
        134, 112, 158, 70, "Mask encoder", ("cross-entropy", f"{params.vae_steps} steps")
    )
    image_latent = Box(306, 12, 104, 70, "z of image", (f"{side}×{side}×{params.latent_image}",))
    mask_latent = Box(306, 112, 104, 70, "z of mask", (f"{side}×{side}×{params.latent_mask}",))
    joint = Box(
        432,
        12,
        216,
        170,
        "U-Net of both latents",
        (
            "concatenated on channels,",
            f"{params.latent_image} + {params.latent_mask} channels",
            f"{size.unet_width} features, levels {' '.join(map(str, size.levels))}",
            f"attention at {size.attend}×{size.attend} and below",
            f"{params.steps:,} steps",
        ),
        GREEN,
    )
    decode_image = Box(
        134, 222, 276, 56, "Image decoder", (f"{side}×{side}×{params.latent_image} → image",), RED
    )
    decode_mask = Box(
        134,
        292,
        276,
        56,
        "Mask decoder",
        (f"{side}×{side}×{params.latent_mask} → class of each pixel",),
        RED,
    )
    noise = Box(432, 222, 216, 56, "Sampling", (f"from noise, {params.sample_steps} steps",), RED)
    split = Box(432, 292, 216, 56, "Split", ("channels back into two latents",), RED)
    figure = drawing(
        360,
        (),
        (
            *(image, mask, image_vae, mask_vae, image_latent, mask_latent, joint),
            *(decode_image, decode_mask, noise, split),
        ),
        (
            (image, image_vae),
            (mask, mask_vae),
            (image_vae, image_latent),
            (mask_vae, mask_latent),
            (image_latent, joint),
            (mask_latent, joint),
        ),
        ((joint, noise, 540), (noise, split, 540)),
    )
    (panel,) = figure.axes
    arrow(panel, (split.left, split.centre), (decode_mask.right, decode_mask.centre))
    arrow(panel, (split.left, split.top + 8), (decode_image.right, decode_image.bottom - 8))
    return figure


def teacher() -> Figure:
    """How the teacher names a pixel, and when its name is trusted."""
    spectra = Box(
        12,
        32,
        150,
        96,
        "Spectra",
        (
            ", ".join(voters.VIEWS[:2]) + ",",
            f"{voters.VIEWS[2]};",
            f"{voters.COMPONENTS} noise-scaled",
            "components each",
        ),
    )
    votes = Box(
        176,
        12,
        206,
        116,
        f"{2 * len(voters.VIEWS)} voters",
        (
            "each view alone, and with",
            "windows round the pixel:",
            "½ distance to class means",
            "+ ½ support vector machine",
        ),
        GREEN,
    )
    svm = Box(176, 142, 206, 56, "svm", ("on the centre spectrum",), GREEN)
    pool = Box(
        404,
        32,
        244,
        110,
        "Weighted product",
        ("of the class probabilities;", "weights learnt on left-out", "training pixels"),
        GREEN,
    )
    average = Box(
        404,
        222,
        244,
        70,
        "Average over alike neighbours",
        (f"{voters.NEIGHBOURHOOD}×{voters.NEIGHBOURHOOD} pixels, where", "the pool is unsure"),
        RED,
    )
    segments = Box(176, 222, 206, 70, "Segments", ("touching pixels of one name",), RED)
    trusted = Box(
        12, 222, 150, 70, "Trusted", ("if a training pixel of", "the class is inside"), RED
    )
    figure = drawing(
        304,
        (),
        (spectra, votes, svm, pool, average, segments, trusted),
        ((spectra, votes), (votes, pool)),
        ((pool, average, 526),),
    )
    (panel,) = figure.axes
    arrow(panel, (svm.right, svm.centre), (470, pool.bottom))
    arrow(panel, (average.left, average.centre), (segments.right, segments.centre))
    arrow(panel, (segments.left, segments.centre), (trusted.right, trusted.centre))
    return figure


FIGURES: dict[str, Callable[[], Figure]] = {
    "txt2hsi_architecture": txt2hsi,
    "specdm_network": specdm_network,
    "teacher_architecture": teacher,
}
"""A file of docs/images, and what draws it."""


if __name__ == "__main__":
    check_usage(__doc__, 0, 1)
    write_figures(FIGURES)
