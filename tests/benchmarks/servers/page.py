"""The page of the template case: a table of a dozen rows, filled in anew for each request."""

import os
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["FOLDER", "NAME", "PRICES", "VALUES", "page"]

FOLDER, NAME = os.path.join(os.path.dirname(__file__), "templates"), "prices.html"

PRICES = {
    "Apples": 2.4, "Beans": 1.85, "Cheese": 7.9, "Dates": 4.2, "Eggs": 3.6, "Figs": 5.5,
    "Grapes": 3.2, "Honey": 8.75, "Jam": 4.1, "Leeks": 1.6, "Mustard": 2.95, "Salt & pepper": 1.2,
}  # fmt: skip
VALUES: dict[str, Any] = {
    "title": "Prices",
    "rows": [{"name": name, "price": price} for name, price in PRICES.items()],
}


def page() -> str:
    """The page by jinja2 alone, for servers that leave it to their users how to call that."""
    return _environment().get_template(NAME).render(VALUES)


@cache
def _environment() -> "Environment":
    # Loaded by who is asked for a page: what a server needs to start is measured, too.
    from jinja2 import Environment, FileSystemLoader

    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True)
