"""Invented leads: names, phone numbers from ranges kept for fiction where a country has one, e-mail addresses."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

PEOPLE = Path(__file__).parent / "people.txt"
PRONOUNS = {"m": ("he", "him", "his"), "f": ("she", "her", "her")}
UNACCENTED = str.maketrans({"ß": "ss", "ı": "i", "ø": "o", "ł": "l", "’": "", "'": "", " ": ""})

# "#" is one digit of the lead's own number; three are enough to tell the leads of one country apart.
PHONES: dict[str, tuple[str, ...]] = {
    "us": ("+1 (212) 555-01#", "+1 415-555-01#", "+131255501#", "+1 (617) 555-01#", "+1 512 555 01#", "+1-206-555-01#"),
    "uk": ("+44 7700 900#", "+447700900#", "+44 (0)7700 900 #", "07700 900#"),
    "ie": ("+353 20 911 0#", "+353 (0)20 911 0#"),
    "au": ("+61 491 570 #", "0491 570 #"),
    "es": ("+34 600 000 #", "+34600000#", "600 000 #"),
    "br": ("+55 11 90000-0#", "(11) 90000-0#", "+5511900000#"),
    "de": ("+49 171 39200##", "0171 / 39200##", "+49 (0)171 39200##"),
    "fr": ("+33 6 39 98 0#", "06 39 98 0#", "+33 (0)6 39 98 0#"),
    "kz": ("+7 700 000 0#", "8 (700) 000-0#", "+77000000#"),
    "ua": ("+380 00 000 0#", "+380 (00) 000-0#"),
    "ae": ("+971 50 000 0#", "+971500000#", "050 000 0#"),
    "il": ("+972 50-000-0#", "050-0000#"),
    "cn": ("+86 100 0000 0#", "+86 100-0000-0#"),
    "jp": ("+81 90-0000-0#", "090-0000-0#"),
    "in": ("+91 00000 00#", "+910000000#"),
    "tr": ("+90 500 000 0#", "0500 000 0#"),
    "gr": ("+30 690 000 0#", "690 000 0#"),
}
UTC_OFFSETS = {
    "us": -5, "uk": 0, "ie": 0, "au": 10, "es": 1, "br": -3, "de": 1, "fr": 1, "kz": 5, "ua": 2, "ae": 4,
    "il": 2, "cn": 8, "jp": 9, "in": 5, "tr": 3, "gr": 2,
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """A lead. ``latin`` names are for summaries and addresses, which the sales team reads in English."""

    first: str
    last: str
    latin_first: str
    latin_last: str
    gender: str
    company: str
    colleague: str
    channel: str
    phone: str
    email: str

    def slots(self) -> dict[str, str]:
        he, him, his = PRONOUNS[self.gender]
        return {
            "first": self.first, "last": self.last, "name": self.latin_first, "fullname": f"{self.first} {self.last}",
            "latin": f"{self.latin_first} {self.latin_last}", "gender": self.gender, "company": self.company,
            "human": self.colleague, "he": he, "him": him, "his": his, "He": he.title(), "His": his.title(),
            "phone": self.phone, "email": self.email,
        }  # fmt: skip


@cache
def _people() -> dict[str, dict[str, list[str]]]:
    languages: dict[str, dict[str, list[str]]] = {}
    for line in filter(str.strip, PEOPLE.read_text(encoding="utf-8").splitlines()):
        language, group, names = line.split(" ", 2)
        languages.setdefault(language, {})[group] = names.split(", ")
    return languages


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.lower().translate(UNACCENTED))
    return "".join(letter for letter in letters if letter.isascii() and letter.isalnum())


def _spelled(entry: str, gender: str) -> tuple[str, str]:
    """``мужская/женская=Latin`` → the form for this gender, and the Latin one (the name itself when none is given)."""
    written, _, latin = entry.partition("=")
    forms = written.split("/")
    latin_forms = latin.split("/")
    name = forms[0] if gender == "m" else forms[-1]
    return name, (latin_forms[0] if gender == "m" else latin_forms[-1]) or name


def phone_number(country: str, number: int, rng: Random) -> str:
    """One of the country's spellings with the lead's own three digits (two where the fictional range is that small)."""
    spelling = PHONES[country][number // 100 % len(PHONES[country])] if country == "us" else rng.choice(PHONES[country])
    digits = f"{number * 37 % 1000:03d}"
    if spelling.endswith("01#") or "##" in spelling:
        return spelling.rstrip("#") + digits[1:]
    return spelling.replace("#", digits)


def invent_person(
    language: str, country: str, channel: str, number: int, rng: Random, name: str = "", email: str = ""
) -> Person:
    """``number`` tells leads apart; ``name`` ("Joanna Whitlock f") and ``email`` fix who it is."""
    names = {**_people()["en"], **_people()[language]}
    if name:
        first, last, gender = name.rsplit(" ", 2)
    else:
        gender = rng.choice("mf")
        first, last = rng.choice(names[gender]), rng.choice(names["last"])
    (first, latin_first), (last, latin_last) = _spelled(first, gender), _spelled(last, gender)
    company = rng.choice(names["company"])
    return Person(
        first, last, latin_first, latin_last, gender, company, rng.choice(names["human"]), channel,
        phone_number(country, number, rng), email or _email(latin_first, latin_last, company, number, rng),
    )  # fmt: skip


def _email(first: str, last: str, company: str, number: int, rng: Random) -> str:
    first, last, firm = _plain(first), _plain(last), _plain(company)
    return rng.choice((
        f"{first}.{last}@example.com", f"{first}{number % 97}@example.org", f"{first[:1]}.{last}@{firm}.example",
        f"{first}@{firm}.example", f"{first}_{last}@example.com",
    ))  # fmt: skip
