"""Class descriptions, prompt grammar and text encoders, for generators that read text.

    class_prompts(view, "both")     {class id: prompts}: from the scene's card, else automatic
    encode(texts, "minilm")         per-token embeddings, cached

The rooms inside: prompts (the grammar) · facts (what training pixels show) · class_layout (where they lie) · automatic
(facts → sentences) · endpoint (a language model writes them, where one is configured) · encoders (one entry) ·
minilm · clip · clip_weights · cache.
"""

from __future__ import annotations

from hsiaug_text.encoded import Encoded
from hsiaug_text.encoders import encode
from hsiaug_text.prompts import MODES, class_prompts, class_words, fine_sentences

__all__ = ["MODES", "Encoded", "class_prompts", "class_words", "encode", "fine_sentences"]
