"""Templates of texts: of sentences, one a line, and of whole pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from hsiaug.base.text import in_runs, visible
from hsiaug.core.view_names import MARGIN
from hsiaug.metrics.significance import ALPHA, MIN_PAIRS
from hsiaug.protocol.large_classes import MIN_TEST_PIXELS
from hsiaug.report import formatting

if TYPE_CHECKING:
    from jinja2 import Environment, Template


FILTERS: tuple[Callable[..., str], ...] = (
    in_runs,
    formatting.count,
    formatting.count_range,
    formatting.decimal,
    formatting.join_words,
    formatting.p_said,
    formatting.percent,
    formatting.plus_minus,
    formatting.seeds_text,
    formatting.signed,
    formatting.with_ends,
)
"""What templates call by name."""
SHARED: Mapping[str, object] = {
    "alpha": ALPHA,
    "min_pairs": MIN_PAIRS,
    "enough": f"at least {MIN_PAIRS} are needed",
    "fewest": MIN_TEST_PIXELS,
    "neighbours": formatting.NEIGHBOURS,
    "location_alone": formatting.LOCATION_ALONE,
    "rule_of_views": "unit, unless raw scores highest, or another view scores more than"
    f" {100 * MARGIN:g} points above unit",
}
"""What several templates say: bounds of the rules, and what is said of them and of LEAKY draws."""


@cache
def text_templates(
    escape: Callable[[str], str] = visible, *, trim: bool = True, **syntax: str
) -> Environment:
    """The templates of this package, with the functions in ``FILTERS``.

    Parameters
    ----------
    escape : callable
        Of every text that is put into one; a line break must not stay.
    trim : bool
        The line break behind a block goes. Of sentences it stays: their empty lines are left out,
        and a line may end in a block without taking the next one onto itself.
    syntax : str
        Signs in place of Jinja's usual ones.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("hsiaug.report"),
        trim_blocks=trim,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=lambda value: escape(value) if isinstance(value, str) else value,
        **syntax,  # type: ignore[arg-type]
    )
    made.filters |= {function.__name__: function for function in FILTERS}
    made.globals |= SHARED
    return made


def sentences(template: str | Template, **about: object) -> list[str]:
    """The lines of a template of sentences that are not empty.

    Parameters
    ----------
    template : str or Template
        Its name in this package, or itself.
    """
    said = text_templates(trim=False).get_template(template).render(about)
    return [line for line in said.splitlines() if line.strip()]


def labelled(template: str, **about: object) -> list[tuple[str, str]]:
    """The lines of a template that are a label, a tab and a sentence, as pairs."""
    return [
        (label, said)
        for label, _, said in (line.partition("\t") for line in sentences(template, **about))
    ]
