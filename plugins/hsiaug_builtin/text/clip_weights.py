"""The published weights of an OpenCLIP tag: from the cache, else downloaded, else a clear no."""

from __future__ import annotations

from pathlib import Path

from hsiaug.api import InputError, did_you_mean
from hsiaug_builtin.nets.hub import cached, download

__all__ = ["published_weights"]


def published_weights(model: str, tag: str) -> tuple[Path, bool]:
    """The file of a tag's weights, and whether they were trained with QuickGELU.

    Raises InputError for an unknown tag, DataUnavailableError within seconds where the file is neither on this
    machine nor to be had.
    """
    import open_clip

    tags = open_clip.list_pretrained_tags_by_model(model)
    if tag not in tags:
        raise InputError(f"openclip: unknown tag of {model}", value=repr(tag), hint=did_you_mean(tag, tags))
    config = open_clip.get_pretrained_cfg(model, tag)
    repository, _, file = config.get("hf_hub", "").rpartition("/")
    names = _names(file) if repository else [config.get("url", "").rpartition("/")[2]]
    url = config.get("url", "")
    how = f"hf download {repository} {names[0]} (or {names[-1]})" if repository else f"fetch {url}"
    found = _cached(repository, names) or download(
        f"openclip:{model}/{tag}",
        lambda: Path(open_clip.download_pretrained(config)),
        repository,
        names[-1],
        url=url,
        hint=f"On a connected machine: {how}; bring the file here and name it: openclip:{model}@FILE. "
        "Or use minilm, which is installed.",
    )
    return found, bool(config.get("quick_gelu", False))


def _names(file: str) -> list[str]:
    """Names that the weights may have in their repository, the safest format first."""
    if not file:
        return ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
    stem, _, kind = file.rpartition(".")
    return [f"{stem}.safetensors", file] if kind in ("bin", "pth", "pt") else [file]


def _cached(repository: str, names: list[str]) -> Path | None:
    if not repository:
        target = Path("~/.cache/clip").expanduser() / names[0]
        return target if target.is_file() else None
    return cached(repository, names)
