"""What names of columns say of their values. Order counts: the first that fits is taken."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from framework.draft.text import Bare

Value = Any
"""What stands behind ``fake:``: a text or a mapping."""


def words_of(name: str) -> str:
    """The words of a name, joined by ``_``: ``createdAt`` and ``Created At`` are ``created_at``."""
    return "_".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+", name)).lower()


def says(name: str, words: str) -> bool:
    """Whether a name has one of the ``words``, a regular expression, as a word of its own."""
    return re.search(rf"(?:^|_)(?:{words})(?:_|$)", words_of(name)) is not None


PEOPLE = (
    r"users?|customers?|clients?|persons?|people|employees?|staff|authors?|members?|contacts?|patients?|students?|"
    r"teachers?|actors?|managers?|owners?|guests?|drivers?|doctors?|buyers?|sellers?|subscribers?|leads?"
)
"""Tables whose `name` is that of a person."""

FIRMS = r"compan(?:y|ies)|suppliers?|vendors?|organi[sz]ations?|shippers?|manufacturers?|publishers?|labels?|firms?"


OTHER_NAMES = r"first|last|middle|given|family|user|full|display|file|host|domain|nick|screen"
"""Words that make a `name` something else than that of the row."""

COUNTRIES = r"countr(?:y|ies)|country_?code|nationality"


def sentence(words: int) -> Value:
    """A few words."""
    return {"faker": {"provider": "sentence", "arguments": {"nb_words": words}}}


TEXTS: tuple[tuple[str, str], ...] = (
    (r"e_?mails?", "email"),
    (r"first_?name|given_?name|forename|middle_?name", "first_name"),
    (r"last_?name|sur_?name|family_?name", "last_name"),
    (r"user_?name|login|nick(?:_?name)?|screen_?name", "user_name"),
    (r"full_?name|display_?name|contact_?name|customer_?name|recipient|author", "name"),
    (r"phones?|mobile|cell|fax|tel(?:ephone)?", "phone_number"),
    (r"compan(?:y|ies)|company_?name|organi[sz]ation|employer|supplier_?name|ship_?name", "company"),
    (r"city|town|ship_?city", "city"),
    (COUNTRIES, "country"),
    (r"address_?2|address2", "building_number"),
    (r"address|street|address_?(?:line)?_?1?|ship_?address", "street_address"),
    (r"zip|zip_?code|post_?code|postal(?:_?code)?", "postcode"),
    (r"url|uri|web_?site|web_?page|link|home_?page|avatar|picture|image|photo", "url"),
    (r"domain|host(?:_?name)?", "domain_name"),
    (r"ip|ip_?address|ip_?addr|remote_?addr", "ipv4"),
    (r"user_?agent|browser", "user_agent"),
    (r"mac|mac_?address", "mac_address"),
    (r"colou?r", "color_name"),
    (r"currency|currency_?code", "currency_code"),
    (r"locale", "locale"),
    (r"lang|language|language_?code", "language_code"),
    (r"iban", "iban"),
    (r"isbn|isbn13", "isbn13"),
    (r"ean|ean13|barcode|gtin", "ean13"),
    (r"mime(?:_?type)?|content_?type|media_?type", "mime_type"),
    (r"file_?name|file", "file_name"),
    (r"path|file_?path", "file_path"),
    (r"slug", "slug"),
    (r"job|job_?title|occupation|position|profession", "job"),
    (r"password|passwd|password_?hash|hash|digest|checksum|sha256", "sha256"),
)
"""Providers of Faker for columns of text."""

CHOICES: tuple[tuple[str, list[str]], ...] = (
    (r"status|state|stage|phase", ["new", "active", "closed"]),
    (r"gender|sex", ["f", "m"]),
    (r"priority|severity|level|grade", ["low", "medium", "high"]),
)
"""Values of columns of text that have few, where neither an enum nor a check says which."""

PROSE = r"description|comments?|notes?|body|text|content|message|summary|review|bio|remarks?|details?|abstract|reason"
TITLES = r"title|subject|headline|caption|label|name|topic"

NUMBERS: tuple[tuple[str, Mapping[str, float]], ...] = (
    (r"quantity|qty|copies|units|items|pieces|seats", {"min": 1, "max": 9}),
    (r"year|release_?year", {"min": 1990, "max": 2025}),
    (r"month", {"min": 1, "max": 12}),
    (r"day|weekday", {"min": 1, "max": 7}),
    (r"hour", {"min": 0, "max": 23}),
    (r"minutes?|seconds?", {"min": 0, "max": 59}),
    (r"age", {"min": 18, "max": 90}),
    (r"percent(?:age)?|pct|discount|rate|share|ratio|progress", {"min": 0, "max": 100}),
    (r"rating|stars|rank|score", {"min": 1, "max": 5}),
    (r"lat(?:itude)?", {"min": -90, "max": 90}),
    (r"lng|lon(?:gitude)?", {"min": -180, "max": 180}),
    (r"version|revision|attempts?|retries|position|sort(?:_?order)?|priority|level", {"min": 1, "max": 20}),
    (r"height|width|length|size|pages|duration|weight|distance", {"min": 1, "max": 500}),
    (r"stock|inventory|count|total_?count|num", {"min": 0, "max": 1000}),
)
"""Bounds of numbers."""

MONEY = r"price|amount|total|cost|sum|fee|revenue|salary|balance|payment|tax|subtotal|freight|wage|budget|value|charge"

BIRTHS = r"birth(?:_?date|_?day)?|dob|born(?:_?on)?"
CREATED = r"created?(?:_?(?:at|on|date|time))?|inserted(?:_?at)?|registered(?:_?at)?|joined(?:_?at)?"
LATER = (
    r"updated?(?:_?(?:at|on|date|time))?|modified(?:_?(?:at|on|date))?|changed(?:_?at)?|last_?(?:update|modified|change|seen|login)|"
    r"closed(?:_?at)?|paid(?:_?at)?|shipped(?:_?(?:at|date))?|delivered(?:_?at)?|finished(?:_?at)?|ended(?:_?at)?|"
    r"completed(?:_?at)?|deleted(?:_?at)?|published(?:_?at)?|confirmed(?:_?at)?"
)
"""Moments that come after the row was made."""

CHANGED = (
    r"updated?(?:_?(?:at|on|date|time|ts))?|modified(?:_?(?:at|on|date|time|ts))?|modification_?(?:date|time)|"
    r"changed?(?:_?(?:at|on|date|time|ts))?|last_?(?:updated?|modified|changed?)(?:_?(?:at|on|date|time|ts))?|"
    r"date_?(?:updated|modified)|row_?version_?(?:at|ts)|mtime|upd_?(?:at|ts|date)"
)
"""Moments that a change of the row sets."""

PAST = {"from": Bare("-2y"), "to": "now"}
DAYS_OF_BIRTH = {"from": Bare("1950-01-01"), "to": Bare("2005-12-31")}
LONG_PAST = {"from": Bare("1900-01-01"), "to": "now"}
TIMES = [f"{hour:02}:{minute:02}:00" for hour in range(8, 20) for minute in (0, 30)]
