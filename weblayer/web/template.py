"""Pages from templates, and the only door to jinja2.

    pages = Templates(Path(__file__).parent / "templates")

    class Front(Resource):
        def render_GET(self, request):
            return pages.page("front.html", name=request.args.get("name", ["web"])[0])

jinja2 costs about as much to import as the rest of weblayer, so it is loaded when the first
page is rendered and not before.
"""

import os
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["OURS", "Templates"]


class Templates:
    """The templates in *folder*; *common* holds what each of them may use, functions as well.

        Templates("templates", size=formatFileSize)     # {{ size(paste.size) }}

    What is filled in is escaped for HTML, save in a template whose name ends in `.txt`; one that is
    changed is read again. For HTML that is made elsewhere, and safe, jinja2 has `{{ html|safe }}`.
    """

    def __init__(self, folder: str | os.PathLike[str], /, **common: object) -> None:
        self._folder, self._common = os.fspath(folder), common
        self._environment: Environment | None = None

    def page(self, name: str, /, **values: object) -> str:
        """The template *name*, filled in with *values*; what is not UTF-8 in them becomes a `?`.

        Raises jinja2.TemplateNotFound, and jinja2.UndefinedError for a value that was not given.
        """
        if self._environment is None:
            self._environment = _environment(self._folder)
            self._environment.globals.update(self._common)
        return _sendable(self._environment.get_template(name).render(values))


# Our own pages.
OURS: Final = Templates(os.path.join(os.path.dirname(__file__), "templates"))


def _sendable(text: str) -> str:
    """Text without surrogates: a file's name or an argument holds so what is not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


def _environment(folder: str) -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    class Flat(Environment):
        """Names of ours and of jinja2's are in one dict, since none is added later.

        In jinja2's own chain each of them is looked for, one by one, for each page.
        """

        def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
            return {**self.globals, **(d or {})}

    return Flat(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
