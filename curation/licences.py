"""What a model that is passed on has to carry for the licence of its base: front matter, card section, files.

Pure but for :func:`text_of`, which may fetch a licence's text. The licences stand in :mod:`curation.bases`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation import bases
from curation.bases import Licence
from curation.contracts.run import RunBase
from curation.errors import InosukeError, UsageError
from curation.files import write_atomically

LICENCE_FILE = "LICENSE"
NOTICE_FILE = "NOTICE"
OPTION = "--base-licence"
_KEYS = ("license", "license_name", "license_link")
_DIALOGUES = (
    "It was trained on dialogues whose rights the dataset's card states; read that card before you share the model."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The licence of a base, the base's name and where it is on the Hub, and what was changed in it.

    With ``base_is_cut`` the base that was trained on has another vocabulary than the one on the Hub.
    """

    licence: Licence
    base: str
    hub_id: str | None = None
    base_is_cut: bool = False
    changes: tuple[str, ...] = ()

    def front_matter(self) -> dict[str, str]:
        """Return the keys of a card's YAML block that state the licence."""
        licence = self.licence
        if licence.hub_license_name is None:
            return {"license": licence.hub_license}
        return {"license": "other", "license_name": licence.hub_license_name, "license_link": licence.link}

    def section(self) -> str:
        """Return the card's section, with its heading."""
        licence = self.licence
        begins = [f"**{licence.built_with}.**"] if licence.built_with else []
        said = [f"The base model {self.base} is under the [{licence.title}]({licence.link})"]
        said += ["." if licence.permissive else ", and so is this model, which was made from it."]
        if not licence.commercial:
            said += [" **It may not be used commercially.**"]
        said += [f" `{LICENCE_FILE}` holds its text, `{NOTICE_FILE}` what has to be passed on with it."]
        parts = [*begins, "".join(said)]
        if licence.use_policy:
            parts += [f"Whoever uses it keeps to the restrictions in {licence.use_policy}, and passes them on."]
        parts += ["Changes to the base model:\n\n" + "\n".join(f"- {change}" for change in self.changes), _DIALOGUES]
        return "## Licence\n\n" + "\n\n".join(parts) + "\n"

    def notice(self) -> str:
        """Return the text of the NOTICE file."""
        licence = self.licence
        where = f" (https://huggingface.co/{self.hub_id})" if self.hub_id else ""
        parts = [licence.notice] if licence.notice else []
        parts += [f"This model was made from {self.base}{where}, which is under the {licence.title}: {licence.link}"]
        if licence.use_policy:
            parts += [f"Its use is restricted: {licence.use_policy}"]
        if licence.built_with:
            parts += [licence.built_with]
        parts += ["The files are modified. Changes:\n" + "\n".join(f"- {change}" for change in self.changes)]
        return "\n\n".join(parts) + "\n"


def unknown_section(base: str) -> str:
    """Return the card's section for a base whose licence is not known here."""
    return (
        f"## Licence\n\nThe licence of the base model {base} applies. It is not in the table of bases, so look it up "
        f"before you share the model: `inosuke publish-model` asks for it ({OPTION}). {_DIALOGUES}\n"
    )


def terms_of(base: RunBase, changes: tuple[str, ...], named: str | None = None) -> Terms:
    """Return the terms of a run's base. ``named`` is the licence that the user gave, for a base outside of the table.

    Raises UsageError when the licence is not known, or when the one that was named contradicts the table.
    """
    cut = base.vocabulary is not None
    if cut:
        changes = ("its vocabulary was cut to the words of the character's languages", *changes)
    if row := bases.of_run(base):
        if named and not _is_called(row.licence, named):
            raise UsageError(
                f"{OPTION} {named}: the base model {row.name} is under {row.licence.name} ({row.licence.link}), and "
                "what is made from it too. Leave the option out."
            )
        return Terms(licence=row.licence, base=row.name, hub_id=row.hub_id, base_is_cut=cut, changes=changes)
    like = bases.called_like(base.name)
    if named is None:
        hint = f" It is called like {like.name}, which is under {like.licence.name}." if like else ""
        known = ", ".join(licence.name for licence in bases.all_licences())
        raise UsageError(
            f"the base model {base.name} is not in the table of `inosuke bases`, so its licence is not known.{hint} "
            f"Look it up and name it with {OPTION}: {known}, or another identifier of the Hub, such as mit."
        )
    licence = _named(named)
    if like and not like.licence.permissive and licence != like.licence:
        raise UsageError(
            f"{OPTION} {named}: the base model {base.name} is called like {like.name}, which is under "
            f"{like.licence.name} ({like.licence.link}). Expected that licence, or a base with a name of its own."
        )
    hub_id = None if base.sha256 else base.path
    return Terms(licence=licence, base=base.name, hub_id=hub_id, base_is_cut=cut, changes=changes)


def run_changes(run: str, *, merged: bool = False, gguf: bool = False) -> tuple[str, ...]:
    """Return what a run changed in its base, in words."""
    done = [f"a LoRA adapter was trained for it (run {run})"]
    done += ["the adapter was merged into its weights"] if merged else []
    done += ["the GGUF files hold the merged weights, some of them with fewer bits"] if gguf else []
    return tuple(done)


def checked_front_matter(data: Mapping[str, Any], terms: Terms, where: str) -> dict[str, Any]:
    """Return a card's YAML data with the licence in it.

    Another licence that the card states stays where the base allows it. Raises InosukeError, naming the card
    (``where``), where the base forbids it.
    """
    ours = terms.front_matter()
    stated = {key: data[key] for key in _KEYS if data.get(key) is not None}
    says_nothing = stated.get("license") in (None, "other", "unknown") and "license_name" not in stated
    # A name beside an identifier of the Hub is left over from another base.
    agrees = stated.get("license") == ours["license"] and (
        "license_name" not in ours or stated.get("license_name") == ours["license_name"]
    )
    if not says_nothing and not agrees:
        if terms.licence.permissive:
            return dict(data)
        said = stated.get("license_name") or stated.get("license")
        raise InosukeError(
            f"{where}: its front matter says `license: {said}`, but the base model {terms.base} is under "
            f"{terms.licence.name}, and a model made from it can be published under that licence only "
            f"({terms.licence.link}). Remove the line, or train on another base (`inosuke bases`). Nothing was "
            "uploaded."
        )
    return {**{key: value for key, value in data.items() if key not in _KEYS}, **ours}


def checked_name(repo: str, terms: Terms) -> None:
    """Raise UsageError when a repository's name (OWNER/NAME) is not one that the base's licence allows."""
    begin, name = terms.licence.name_begins_with, repo.rpartition("/")[2]
    if begin and not name.startswith(begin):
        raise UsageError(
            f"{repo}: the licence of {terms.base} ({terms.licence.link}) wants the name of a model made from it to "
            f"begin with `{begin}`. Choose another name, such as {repo.rpartition('/')[0]}/{begin}-{name}."
        )


def with_section(text: str, terms: Terms) -> str:
    """Return a card's Markdown with the section on the licence as it should be, and "Built with …" near its top."""
    section = terms.section()
    found = re.search(r"^## Licence\n.*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    before, after = (text[: found.start()], text[found.end() :]) if found else (f"{text.rstrip()}\n\n", "")
    text = f"{before}{section}{after}"
    built = terms.licence.built_with
    head, heading, rest = text.partition("\n## ")
    if built and built not in head:
        head = f"{head.rstrip()}\n\n**{built}.**\n"
    return f"{head}{heading}{rest}"


def write_files(folder: Path, terms: Terms, text: str | None) -> list[str]:
    """Write the notice, and the licence's text where there is one, into a folder. Returns the names."""
    write_atomically(folder / NOTICE_FILE, terms.notice())
    if text is None:
        return [NOTICE_FILE]
    write_atomically(folder / LICENCE_FILE, text.strip() + "\n")
    return [LICENCE_FILE, NOTICE_FILE]


def text_of(licence: Licence, run: Path, api: Any = None) -> str | None:
    """Return a licence's text: the table's, the one in the run's folder, or the one on the Hub (``api`` an ``HfApi``).

    None for a licence of which the table says nothing. Raises InosukeError when the Hub does not give it.
    """
    if licence.text:
        return licence.text
    own = run / LICENCE_FILE
    if own.is_file():
        return own.read_text(encoding="utf-8")
    if licence.hub_text is None:
        return None
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    repo, _, file = licence.hub_text.rpartition("/")
    try:
        return Path((api or HfApi()).hf_hub_download(repo, file)).read_text(encoding="utf-8")
    except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise InosukeError(
            f"the text of the {licence.title} has to be passed on with the model, and it could not be fetched from "
            f"{repo}: {reason.rstrip('.')}. Try again later, or save it as {own} ({licence.link})."
        ) from None


def _is_called(licence: Licence, name: str) -> bool:
    return name.lower() in (licence.name.lower(), licence.hub_license, licence.hub_license_name) and name != "other"


def _named(name: str) -> Licence:
    """Return a licence of the table, or one of which only the Hub's identifier is known."""
    if found := next((licence for licence in bases.all_licences() if _is_called(licence, name)), None):
        return found
    if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", name) or name in ("other", "unknown"):
        raise UsageError(
            f"{OPTION} {name}: not the identifier of a licence. Expected one of "
            f"{', '.join(licence.name for licence in bases.all_licences())}, or one that the Hub lists, such as mit."
        )
    return Licence(
        name=name,
        title=f"licence {name}",
        link="https://huggingface.co/docs/hub/repositories-licenses",
        commercial="-nc" not in name,
        hub_license=name,
    )
