"""Average ranks over scenes: a critical-difference diagram (Demšar 2006), its arms below one another."""

from __future__ import annotations

from hsiaug.report.html.markup import escape, figure, tip
from hsiaug.report.html.svg import LETTER, WIDTH, Scale, label, marks_of, picture
from hsiaug.report.rankings import HOW_TO_READ, Ranking, ranking_note, rankings, too_few
from hsiaug.report.tables import Report

__all__ = ["ranking_pictures"]

TOP, ROW, FOOT = 56, 22, 8
BAR = 9
"""Width that a bar of arms which are not told apart takes, right of the ranks."""
LETTERS = 24


def ranking_pictures(report: Report) -> str:
    """A diagram per protocol and classifier, or why there is none; empty for a report of single scenes."""
    found = rankings(report)
    pictures = "".join(figure(_diagram(one), ranking_note(one)) for one in found)
    said = [*([HOW_TO_READ] if found else []), *too_few(report)]
    notes = "".join(f'<p class="note">{escape(text)}</p>' for text in said)
    return (f'<div class="panels">{pictures}</div>' if pictures else "") + notes


def _diagram(found: Ranking) -> str:
    """Rank 1 to the left; bars at the right join arms that are not told apart; above, the critical difference."""
    arms = len(found.arms)
    names = LETTER * min(LETTERS, max(map(len, found.arms))) + 10
    x = Scale(1, arms, names + 6, WIDTH - BAR * len(found.cliques) - 14)
    foot = TOP + ROW * arms
    parts = [
        f'<line class="grid" x1="{x(i)}" x2="{x(i)}" y1="{TOP - 6}" y2="{foot}"/>' for i in range(1, arms + 1)
    ]
    parts += [label(x(i), TOP - 12, str(i), "tick") for i in range(1, arms + 1)]
    parts += _distance(found, x)
    for place, (name, rank) in enumerate(zip(found.arms, found.ranks, strict=True)):
        y = TOP + ROW * (place + 0.5)
        said = tip(f"average rank {rank:.2f} of {arms}")
        dot = f'<circle class="f0 edge" cx="{x(rank)}" cy="{y}" r="5"{said}/>'
        parts.append(marks_of(name, [label(0, y + 4, name, "row", "start", LETTERS), dot]))
    for i, (first, last) in enumerate(found.cliques):
        ends = [TOP + ROW * (place + 0.5) + side for place, side in ((first, -5), (last, 5))]
        names_of = f"{found.arms[first]} to {found.arms[last]}"
        said = tip(f"{names_of}: not told apart")
        at = WIDTH - BAR * (len(found.cliques) - i) + 2
        parts.append(f'<path class="clique" d="M{at} {ends[0]}V{ends[1]}"{said}/>')
    return picture(foot + FOOT, f"Average ranks in {found.metric}, {found.title}", parts)


def _distance(found: Ranking, x: Scale) -> list[str]:
    """The critical difference as a length on the axis of ranks, as far as that reaches."""
    widest = len(found.arms) - 1
    start, end = x(1), x(1 + min(found.distance, widest))
    more = "" if found.distance <= widest else ", more than all ranks"
    line = f'<path class="mean s5" d="M{start} 8v6m0-3H{end}{"m0-3v6" if not more else ""}"/>'
    return [line, label(start, 28, f"critical difference {found.distance:.2f}{more}", "tick", "start")]
