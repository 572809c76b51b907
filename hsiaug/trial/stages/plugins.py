"""The plugins of a trial, before its first stage."""

from hsiaug.base.threads import threads
from hsiaug.registry.lookup import Registry
from hsiaug.trial.guard import kept_state
from hsiaug.trial.machine import resolve_device
from hsiaug.trial.pipeline import TrialRun


def load_plugins(run: TrialRun, plugins: Registry, device: str) -> None:
    """Load both plugins of a trial, and the libraries that they compute with.

    Parameters
    ----------
    run : TrialRun
        Takes the plugins, their devices, and what the record says of them.
    plugins : Registry
        Where they are found.
    device : str
        "auto", "cpu", "cuda" ...

    Raises
    ------
    InputError
        For a device that is not there.
    Exception
        Whatever the import of a plugin raises.
    """
    spec = run.spec
    with kept_state():
        run.generator = plugins.find("generator", spec.generator.name).load()(spec.generator.params)
        run.classifier = plugins.find("classifier", spec.classifier.name).load()(
            spec.classifier.params
        )
        cards = {"generator": run.card("generator"), "classifier": run.card("classifier")}
        if any(card.uses_device for card in cards.values()):
            # A time limit that strikes in the middle of this import leaves a torch that cannot be
            # imported again.
            import torch  # noqa: F401
    run.devices = {kind: resolve_device(device, card) for kind, card in cards.items()}
    scopes = {kind: card.scope for kind, card in cards.items()}
    controls = {kind: card.control_of for kind, card in cards.items() if card.control_of}
    run.facts["device"] = {"requested": device, **run.devices, "threads": threads()}
    run.facts["scope"] = scopes
    run.facts["transductive"] = "scene" in scopes.values()
    if cards["generator"].baseline:
        run.facts["baseline"] = cards["generator"].baseline
    if controls:
        run.facts["control_of"] = controls
