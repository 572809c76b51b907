"""Class descriptions, prompt grammar and text encoders, for generators that read text.

class_prompts(view, "both")     {class id: prompts}, from class names and the sentences of the scene's card
encode(texts, "minilm")         per-token embeddings, cached
"""

from __future__ import annotations

from hsiaug_builtin.text.encoded import Encoded
from hsiaug_builtin.text.encoders import encode
from hsiaug_builtin.text.prompts import MODES, class_prompts, class_words

__all__ = ["MODES", "Encoded", "class_prompts", "class_words", "encode"]
