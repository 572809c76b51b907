"""The conformance kit itself: sound plugins pass it, and each check can fail, for its own rule
alone.
"""

import signal
import sys

import pytest

from hsiaug.api import Card, PluginError
from hsiaug.testing import (
    CHECKS,
    ConformanceError,
    check_classifier,
    check_generator,
    generator_checks,
    subject_of,
)
from hsiaug.testing.checks import Violation
from tests.testing import faulty_classifiers, faulty_generators, faulty_masks

# The checks read no measure of samples.
pytestmark = pytest.mark.usefixtures("few_rounds")

CHECK = {"generator": check_generator, "classifier": check_classifier}
FAULTY = [("generator", p) for p in [*faulty_generators.FAULTY, *faulty_masks.GENERATORS]] + [
    ("classifier", p) for p in [*faulty_classifiers.FAULTY, *faulty_masks.CLASSIFIERS]
]
SOUND = [
    ("generator", faulty_generators.Sound),
    ("generator", faulty_generators.Adds),
    ("generator", faulty_generators.Prepares),
    ("classifier", faulty_classifiers.Sound),
    ("classifier", faulty_classifiers.Location),
    ("generator", faulty_masks.Sound),
    ("classifier", faulty_masks.SoundMasks),
    ("classifier", faulty_masks.SoundChange),
]


def name(value):
    if isinstance(value, str):
        return value
    of = "masks-" if value.__module__ == faulty_masks.__name__ else ""
    return f"{of}{getattr(value, 'rule', 'sound')}:{value.__name__}"


@pytest.mark.parametrize(("kind", "plugin"), SOUND, ids=name)
def test_a_sound_plugin_passes_every_check(kind, plugin):
    report = CHECK[kind](plugin)
    assert not report.failures
    assert sum(outcome.status == "passed" for outcome in report.outcomes) > 8


@pytest.mark.parametrize(("kind", "plugin"), FAULTY, ids=name)
def test_a_plugin_that_breaks_one_rule_fails_that_check_and_no_other(kind, plugin):
    with pytest.raises(ConformanceError) as caught:
        CHECK[kind](plugin)
    failures = caught.value.report.failures
    assert [outcome.name for outcome in failures] == [plugin.rule], str(caught.value)
    assert failures[0].seen and failures[0].hint


def test_an_exception_names_the_file_and_the_line() -> None:
    class Raises(faulty_generators.Sound):
        def fit(self, view, **given):
            raise ValueError("no such thing")

    with pytest.raises(ConformanceError) as caught:
        check_generator(Raises)
    (failed,) = caught.value.report.failures
    assert "ValueError: no such thing" in failed.seen
    assert f"{__file__}:" in failed.seen


ENDS = {
    "SystemExit: 3": "sys.exit(3)",
    "SystemExit: bye": "sys.exit('bye')",
    "Strange: by me": "raise type('Strange', (BaseException,), {})('by me')",
    "RecursionError": "f = lambda: f()\nf()",
    "MemoryError": "raise MemoryError",
    "Mute, whose message cannot be made": (
        "raise type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})"
    ),
}


@pytest.mark.parametrize("code", ENDS.values(), ids=list(ENDS))
def test_a_plugin_that_ends_by_any_exception_fails_a_check(code: str):
    class Ends(faulty_generators.Sound):
        def fit(self, view, **given):
            exec(code, {"sys": sys})

    seen = next(text for text, one in ENDS.items() if one == code)
    with pytest.raises(ConformanceError) as caught:
        check_generator(Ends)
    failures = caught.value.report.failures
    assert [outcome.name for outcome in failures] == ["runs"] and seen in failures[0].seen


def test_ctrl_c_of_the_user_ends_the_checks():
    class Pressed(faulty_generators.Sound):
        def fit(self, view, **given):
            signal.raise_signal(signal.SIGINT)

    # A shell that runs the tests in the background has them ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            check_generator(Pressed)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_every_check_is_shown_able_to_fail():
    broken = {"generator": set[str](), "classifier": set[str]()}
    for kind, plugin in FAULTY:
        broken[kind].add(plugin.rule)
    checks = {one.name for one in CHECKS["generator"]}
    of_classifiers = {one.name for one in CHECKS["classifier"]}
    assert checks == broken["generator"]
    # What both kinds share is shown once.
    assert of_classifiers == broken["classifier"] | (checks & of_classifiers)


def test_one_error_lists_every_broken_rule_with_what_was_seen_and_the_mend():
    class Twice(faulty_generators.IgnoresSeed):
        def fit(self, view, **_):
            return self.fitted(view.normaliser.patches(view.real.x), view.real.y, 0.01)

    with pytest.raises(ConformanceError, match="2 broken rules") as caught:
        check_generator(Twice)
    text = str(caught.value)
    assert isinstance(caught.value, PluginError) and text.startswith(
        "generator Twice (preset tiny)"
    )
    for part in (
        "failed  scene-units",
        "failed  seed",
        "the same samples for seeds 0 and 1",
        "rule: ",
        "hint: ",
    ):
        assert part in text


def test_a_plugin_that_does_not_run_at_all_fails_once_and_the_rest_is_skipped():
    with pytest.raises(ConformanceError) as caught:
        check_generator(faulty_generators.WithoutFit)
    statuses = [outcome.status for outcome in caught.value.report.outcomes]
    assert (
        statuses.count("failed") == 1
        and statuses.count("passed") == 1
        and statuses.count("skipped") > 10
    )
    assert "needs runs" in str(caught.value.report)


def test_each_check_is_a_function_of_a_plugin_that_stands_alone():
    subject = subject_of("generator", faulty_generators.IgnoresSeed)
    generator_checks.counts(subject)
    with pytest.raises(Violation, match="the same samples for seeds 0 and 1"):
        generator_checks.seed(subject)


def test_a_plugin_is_run_in_every_task_that_it_serves_and_checked_in_the_first():
    with pytest.raises(
        ConformanceError, match="in fit_generator of the task change: AssertionError"
    ) as caught:
        check_generator(faulty_masks.OneDateOnly)
    assert [outcome.name for outcome in caught.value.report.failures] == ["runs"]


def test_the_control_of_a_task_need_not_learn():
    class Floor(faulty_masks.OneClass):
        card = Card(
            name="majority",
            version="1",
            summary="one class",
            tasks=("segmentation",),
            control_of="all",
        )

    outcomes = {outcome.name: outcome for outcome in check_classifier(Floor).outcomes}
    assert outcomes["learns"].status == "skipped" and "may be a floor" in outcomes["learns"].seen
    # What needs it is checked all the same.
    assert outcomes["weights"].status == "passed"


def test_only_plugins_with_a_card_for_a_known_task_can_be_checked():
    class Bare:
        pass

    class Strange(faulty_generators.Sound):
        card = Card(name="strange", version="1", summary="numbers", tasks=("regression",))

    for plugin in (Bare, Strange):
        with pytest.raises(PluginError, match="for a task that there is"):
            check_generator(plugin)
