"""The words of reports: templates of a few words, filled by :mod:`hsiaug.report.answers`,
:mod:`hsiaug.report.summary` and :mod:`hsiaug.report.audit`. What a number means is said in the
guide (docs/read-a-report.md).
"""

GUIDE = "docs/read-a-report.md"
GUIDE_LABEL = "what the numbers mean"

# Questions and answers
OVER_NONE = "Better than no synthetic samples?"
OVER_CONTROLS = "Better than the controls?"
BEST = "Best here"
NO_GENERATOR = "no generator was run"
NO_NUMBERS = "no trial gave a number"
FEW_SPLITS = "{n}: at least {least} are needed"
WORSE = "worse than {controls}"
NO_GAIN = "no gain over {controls}"
NOT_BETTER = "not clearly better than {controls}"
NOT_RUN = "{controls} was not run"
NEXT = "{best}, {score}; its lead over the next, {next}, {sure}"
BY_CHANCE = "may be chance"
SURE = "is {lead} points"

# Above and below the tables
TITLE = "{metric} in %, mean ± sd of {splits}"
MINUS = "{configuration} minus"
TITLE_OF_ROWS = "configuration"
MINUS_NONE = "minus no samples"
MINUS_STRONGEST = "minus strongest control"
NO_SAMPLES = "no synthetic samples"
INTERVALS = (
    "95 % interval of paired differences, corrected for {n} (generator with classifier). no gain:"
    " all of it is below {least}. Blank: unclear."
)
RANGES = "smallest and largest of fewer than {least} splits, which decide nothing."
SOME_ROWS = "{shown} of {n} configurations; intervals and answers are of all of them."
OVER_CLASSES = (
    "mean recall of {large} of {n} classes; the others have fewer than {least} test pixels in some"
    " split."
)
UNTRAINED = "Without training pixels in some split: {classes}."
IN_NEW_FIELDS = "In fields without training pixels the best configuration has {score}."
LOCATION_ALONE = "Location alone, without any band, has {score}."
NO_LOCATION = "Location alone was not measured."
TRANSDUCTIVE = "Transductive (they also learn from the spectra of test pixels): {names}."
LEAKY = "LEAKY: test pixels are neighbours of training pixels, so part of the score is location."
FAILED = "{n} of {of} failed, most often: {why}. See hsiaug report --by seed{option}"
LACKING = "{n} of {of} configurations lack splits; the same command again runs them."
DAMAGED = "{n} damaged and left out: {records}"
FAR_ABOVE = (
    "{name} is {points} points above every other {kind}: check it before you believe it. 'hsiaug"
    " report --trial HASH{option}' says which files it opened."
)
SMALL_BUT_SURE = "{configuration} minus {control}: {gain}, significant, but below {least} points"
LOSES = "{configuration} is worse than {control} in {metric}: {gain}"
QUOTE = "To quote the best configuration, run it on splits that did not choose it:"
MAY_BE_QUOTED = "These splits ranked one configuration only: its mean may be quoted."
MORE = "More: hsiaug report{option} --by class · --notes · --out report.html · --cite"
NOTHING = "There is no record in {where} yet."
ALL_DAMAGED = "Every record in {where} is damaged: {records}"
