"""What is wrong with a form, as what a client is told."""

from weblayer.web.errors import BadRequest, ContentTooLarge
from weblayer.wire.errors import BadMessage

__all__ = ["bad_form", "long_fields"]


def bad_form(fault: BadMessage) -> BadRequest | ContentTooLarge:
    """The error to answer for a form that breaks a rule."""
    kind = ContentTooLarge if fault.status == 413 else BadRequest
    return kind(f"This has {fault.rule}.")


def long_fields(most: int) -> BadMessage:
    """The fault of a form whose fields, held in memory, are longer than *most* bytes together."""
    return BadMessage(413, f"a form of more than {most:,} bytes in its fields")
