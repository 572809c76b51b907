"""Do the claims of the paper behind ``txt2hsi`` hold? Tables from the records of
txt2hsi_claims.toml.

    hsiaug benchmark --suite benchmarks/txt2hsi_claims.toml
    python -m benchmarks.txt2hsi_claims hsiaug-results-txt2hsi-claims

Differences are in points, with 95 % t intervals over splits, and in brackets the number of splits.
C7 is measured by ``hsiaug inspect indian_pines --generator txt2hsi``, C8 by ``python -m
benchmarks.attention``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pandas as pd

from benchmarks.common import check_usage
from benchmarks.paper_tables import difference, print_table, read_trials, score, select
from hsiaug.registry.lookup import registry

OTHERS = ("svm", "rf", "cnn2d", "self-training", "label-spreading", "fixmatch")
CARD = registry().find("generator", "txt2hsi").load().card
Row = dict[str, str]


def main() -> None:
    frame = read_trials(sys.argv[1])
    places = list(frame.groupby(["scene", "ground"], sort=True))
    for title, rows in (
        ("C1: a CNN with samples, against classifiers without", against_others),
        ("C2: OA by ω, against ω = 0", by_omega),
        ("C3: OA by λ, against no samples", by_lambda),
        ("C4: fine texts against coarse ones, both against class numbers", by_text),
        ("C5: gains of SVM and CNN", gains),
        ("C6: spread of recall over classes, and worst recall", spread),
    ):
        table = [
            {"scene": scene, "protocol": ground, **row}
            for (scene, ground), own in places
            for row in rows(own)
        ]
        print_table(title, table)


def usual(frame: pd.DataFrame, classifier: str) -> pd.DataFrame:
    """Trials of ``txt2hsi`` at its defaults, at the λ that brings a class to 60 samples."""
    own = select(frame, generator="txt2hsi", classifier=classifier, omega=CARD.guidance)
    own = select(own, params={"text": CARD.params().text})
    return (
        own[own["lambda"].eq(60 / int(own["protocol_argument"].iloc[0][-1]))] if len(own) else own
    )


def plain(frame: pd.DataFrame, classifier: str) -> pd.DataFrame:
    """Trials of a classifier without samples."""
    return select(frame, generator="none", classifier=classifier)


def against_others(frame: pd.DataFrame) -> Iterator[Row]:
    mine = usual(frame, "cnn2d")
    for other in OTHERS:
        row = {"against": other}
        for name in ("oa", "aa", "kappa"):
            row[name] = difference(score(mine, name), score(plain(frame, other), name))
        yield row


def by_omega(frame: pd.DataFrame) -> Iterator[Row]:
    for classifier in ("svm", "cnn2d"):
        own = select(frame, generator="txt2hsi", classifier=classifier)
        own = select(own, params={"text": CARD.params().text})
        own = own[own["lambda"].eq(usual(frame, classifier)["lambda"].max())]
        zero = score(select(own, omega=0.0), "oa")
        row = {"classifier": classifier}
        for omega in sorted(set(own["omega"].dropna()) - {0.0}):
            row[f"ω = {omega:g}"] = difference(score(select(own, omega=omega), "oa"), zero)
        yield row


def by_lambda(frame: pd.DataFrame) -> Iterator[Row]:
    for classifier in ("svm", "cnn2d"):
        own = select(frame, generator="txt2hsi", classifier=classifier, omega=CARD.guidance)
        own = select(own, params={"text": CARD.params().text})
        for lam in sorted(set(own["lambda"])):
            some = score(own[own["lambda"].eq(lam)], "oa")
            gain = difference(some, score(plain(frame, classifier), "oa"))
            yield {"classifier": classifier, "λ": f"{lam:g}", "OA": gain}


def by_text(frame: pd.DataFrame) -> Iterator[Row]:
    for classifier in ("svm", "cnn2d"):
        own = select(frame, generator="txt2hsi", classifier=classifier, omega=CARD.guidance)
        texts = {
            text: score(select(own, params={"text": text}), "oa")
            for text in ("coarse", "fine", "number")
        }
        both = score(usual(frame, classifier), "oa")
        yield {
            "classifier": classifier,
            "fine − coarse": difference(texts["fine"], texts["coarse"]),
            "both − number": difference(both, texts["number"]),
        }


def gains(frame: pd.DataFrame) -> Iterator[Row]:
    gained = {}
    row = {}
    for classifier in ("svm", "cnn2d"):
        more, less = (
            score(own, "oa") for own in (usual(frame, classifier), plain(frame, classifier))
        )
        gained[classifier] = more - less
        row[classifier] = difference(more, less)
    yield row | {"CNN more than SVM": difference(gained["cnn2d"], gained["svm"])}


def spread(frame: pd.DataFrame) -> Iterator[Row]:
    for classifier in ("svm", "cnn2d"):
        row = {"classifier": classifier}
        for name in ("recall_spread", "worst_recall"):
            row[name] = difference(
                score(usual(frame, classifier), name), score(plain(frame, classifier), name)
            )
        yield row


if __name__ == "__main__":
    check_usage(__doc__, 1, 1)
    main()
