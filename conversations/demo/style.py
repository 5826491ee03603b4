"""How leads type: some in lower case, some without full stops, a few with slips of the finger."""

from __future__ import annotations

from random import Random

CASELESS = {"ar", "he", "zh", "ja", "hi"}
KEEPS_CASE = {"tr", "de"}
SLIPS = {
    " the ": " teh ",
    "tomorrow": "tommorow",
    "address": "adress",
    "definitely": "definately",
    "because": "becuase",
    "meeting": "meetng",
    "receive": "recieve",
    "please": "pleae",
    "available": "availible",
    "though": "tho",
}


class Handwriting:
    """One lead's habits, the same through the whole conversation. A careful lead (in an e-mail, say) writes as scripted."""

    def __init__(self, language: str, rng: Random, *, careful: bool) -> None:
        chat = not careful
        self.rng = rng
        self.lower = chat and language not in CASELESS | KEEPS_CASE and rng.random() < 0.22
        self.no_stop = chat and language not in CASELESS and rng.random() < 0.4
        self.slips = chat and language == "en" and rng.random() < 0.3

    def write(self, text: str) -> str:
        if self.lower and not text.startswith(("http", "I ", "I'")):
            text = text[:1].lower() + text[1:]
        if self.no_stop and text.endswith(".") and not text.endswith("..") and "\n" not in text:
            text = text[:-1]
        if self.slips:
            for right, wrong in SLIPS.items():
                if right in text and self.rng.random() < 0.5:
                    return text.replace(right, wrong, 1)
        return text
