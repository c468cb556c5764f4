"""The only door to jinja2: our own pages, from the folder `templates` beside this module.

jinja2 costs about as much to import as the rest of weblayer, so it is loaded when the first
page is rendered and not before.
"""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["render_template"]


def render_template(name: str, **facts: object) -> str:
    """Render the template *name* with *facts*, every one of them escaped for HTML.

    A file name may hold a byte that is not UTF-8, as a lone surrogate: encode the page with
    `errors="replace"`.
    Raises jinja2.UndefinedError when the template asks for a fact that was not given.
    """
    return _environment().get_template(name).render(facts)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("weblayer.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # The templates are part of the package: no stat per page to see whether they changed.
        auto_reload=False,
    )
