"""The tree that `weblayer web` serves: a folder as a site, as the options have it."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from weblayer.commands.errors import CommandError
from weblayer.web.paths import is_served
from weblayer.web.resource import Node
from weblayer.web.static import File
from weblayer.web.staticsite import StaticSite

__all__ = ["Folder"]


@dataclass(frozen=True, slots=True)
class Folder:
    """The options that say what is served, and how."""

    path: Path
    index: Sequence[str]
    no_listing: bool
    spa: bool
    not_found: str
    cache: Sequence[tuple[str, Mapping[str, int]]]
    header: Sequence[tuple[str, str]]
    mime_type: Sequence[tuple[str, str]]
    ignore_ext: Sequence[str]
    processor: Sequence[tuple[str, Any]]  # Any: a person's own class
    cgi: Sequence[Path]
    follow_symlinks: bool
    hidden: bool
    auth: Sequence[str]
    realm: str

    def site(self) -> Node:
        """The tree. Raises CommandError for what cannot be served, BadParameter."""
        _check(self.path)
        names = [*self.index] or ["index.html", "index.htm"]
        self._check_page("--spa", names[0] if self.spa else "")
        self._check_page("--404", "" if self.not_found == "404.html" else self.not_found)
        site = StaticSite(
            self._files(names),
            spa=names[0] if self.spa else None,
            notFoundPage=self.not_found,
            headers=self.header,
        )
        for folder in self.cgi:
            self._put_programs(site, folder)
        if not self.auth:
            return site
        from weblayer.commands.auth import guarded  # and all that hashes passwords

        return guarded(site, self.auth, self.realm)

    def _files(self, names: list[str]) -> File:
        files = File(
            self.path,
            ignoredExts=self.ignore_ext,
            listing=not self.no_listing,
            followSymlinks=self.follow_symlinks,
            hidden=self.hidden,
        )
        files.indexNames = names
        files.contentTypes = {**files.contentTypes, **dict(self.mime_type)}
        files.processors = dict(self.processor)
        for pattern, directives in self.cache:
            files.setCacheControl(pattern, **directives)
        return files

    def _check_page(self, option: str, name: str) -> None:
        if name and not (all(map(is_served, name.split("/"))) and (self.path / name).is_file()):
            told = click.format_filename(self.path)
            raise CommandError(f"{option} needs the file {name!r} in {told!r}, which is not there.")

    def _put_programs(self, site: StaticSite, folder: Path) -> None:
        """Have the programs in *folder* run at its name, and their files nowhere shown."""
        from weblayer.web.twcgi import CGIDirectory

        _check(folder, "--cgi")
        name, told = folder.resolve().name, click.format_filename(folder)
        if name in site.children:
            raise CommandError(f"cannot run programs of {told!r}: two folders are called {name!r}.")
        inside, root = Path(os.path.abspath(folder)), Path(os.path.abspath(self.path))
        if inside == root or (root in inside.parents and inside.parent != root):
            raise CommandError(
                f"cannot run programs of {told!r}: they would be shown as files, too."
                " Give a folder that lies directly in that of --path, or outside of it."
            )
        site.putChild(name, CGIDirectory(folder))


def _check(folder: Path, option: str = "--path") -> None:
    """Read the folder once: what is wrong with it is better told now than in every answer."""
    try:
        os.scandir(folder).close()
    except OSError as error:
        name = click.format_filename(folder)
        advice = _ADVICE.get(type(error), "Give another {}.").format(option)
        raise CommandError(f"cannot serve {name!r}: {error.strerror}. {advice}") from error


_ADVICE: dict[type[OSError], str] = {
    FileNotFoundError: "Give {} a folder that exists.",
    NotADirectoryError: "Give {} the folder that it is in.",
    PermissionError: "Give {} a folder that you may read.",
}
