"""The sentences that a generator which reads text says of a scene by itself, so that somebody can
write better ones.
"""

from hsiaug.base.errors import InputError
from hsiaug.core.scene import Scene
from hsiaug.quality.synthesis import SampleRequest, sample_spec
from hsiaug.registry.lookup import registry
from hsiaug.tasks.draws import PixelDraws


def scene_sentences(scene: Scene, generator: str, seed: int = 0) -> str:
    """The automatic sentences of a draw of a scene, as a file that the generator reads.

    They say what the training pixels of the draw show, and no test label.

    Parameters
    ----------
    scene : Scene
        With labels.
    generator : str
        Name of one that reads text.
    seed : int
        Number of the draw, of the usual protocol.

    Raises
    ------
    InputError
        For a generator that reads no text, or writes no sentences.
    """
    plugin, spec = sample_spec("pixels", scene, SampleRequest(generator, seed=seed), registry())
    write = getattr(plugin, "write_sentences", None)
    if not callable(write):
        raise InputError(
            "`sentences` must name a generator that writes sentences of a scene",
            value=repr(generator),
            hint="'hsiaug plugins list' shows which generators read text.",
        )
    draws = PixelDraws()
    split = draws.split(scene, spec.protocol, seed, spec.patch)
    sentences: str = write(draws.view(scene, split, plugin.card.scope))
    return f"# Sentences of split {seed} ({spec.protocol.text}) by {generator}.\n{sentences}"
