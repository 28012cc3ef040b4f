"""The configurations of a merged repository: what its card has to say so that old and new data load.

Pure, but for an empty copy of the repository's tree, in which ``datasets`` itself resolves patterns. Knows nothing of
the Hub. `load_dataset` reads all configurations of a card with one reader (that of the first), takes one of them as
the default, and fails on the whole repository where two want to be that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from curation.errors import InosukeError
from curation.export.card_merge import config_name, configs_of, infos_of

_FORMAT = "parquet"  # what our configurations are read with
# Formats that hold rows and nothing else. A text, a picture or a PDF is more often about the data than data.
_ROWS = frozenset({"parquet", "csv", "json", "arrow", "webdataset", "hdf5", "lance", "vortex", "xml", "conll"})
_DOCUMENTS = frozenset({"", "harbor"})  # harbor is for .md and .toml
NOTHING = "Nothing was uploaded."
_ELSEWHERE = f"Publish to a repository of its own, or change README.md on the Hub. {NOTHING}"

Splits = dict[str, list[str]]  # split → paths


@dataclass(slots=True, kw_only=True)
class Fitted:
    """The YAML data that fits, what was changed for it, what to ask first, and the files of others' configurations.

    ``elsewhere`` are configurations that name files outside of the repository.
    """

    data: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    foreign: dict[str, Splits] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merger:
    """A repository that takes up our files.

    ``ours`` are the names of our configurations, ``theirs`` the YAML data on the Hub. ``before`` and ``after`` are
    empty copies of the tree, ``mine`` the files in ``before`` that we published, ``sent`` the files that we publish
    now. ``is_ours`` is whether the last publication was ours, ``replaceable`` whether files under our names are an
    export as we write it.
    """

    repo: str
    ours: Collection[str]
    theirs: Mapping[str, Any]
    before: Path
    after: Path
    mine: Collection[str]
    sent: Collection[str]
    is_ours: bool
    replaceable: bool

    def fit(self, data: Mapping[str, Any]) -> Fitted:
        """Return the merged YAML data changed so that everything loads. Raises InosukeError where that cannot be."""
        found = Fitted(data=dict(data))
        self._refuse_unreadable(found)
        self._refuse_taken_names(found)
        self._keep_unnamed_data(found)
        self._pin_files(found)
        self._choose_default(found)
        self._drop_infos_of_nothing(found)
        return found

    def _refuse_unreadable(self, found: Fitted) -> None:
        metadata: Any = import_module("datasets.utils.metadata")
        cards: Any = import_module("huggingface_hub")
        try:
            metadata.MetadataConfigs.from_dataset_card_data(cards.DatasetCardData(configs=configs_of(found.data)))
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            first = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise InosukeError(
                f"{self.repo}: README.md on the Hub: its `configs` cannot be read ({first}). Correct them there "
                f"(Files, README.md, edit), then publish again. {NOTHING}"
            ) from None

    def _refuse_taken_names(self, found: Fitted) -> None:
        """Do not replace another person's configuration that has one of our names."""
        if self.is_ours:
            return
        for config in configs_of(self.theirs):
            name = config_name(config)
            if name not in self.ours or not (files := _resolve(self.before, config)) or not any(files.values()):
                continue
            shown = ", ".join(path for paths in files.values() for path in paths[:3])
            if not self.replaceable:
                raise InosukeError(
                    f"{self.repo} has a configuration `{name}` with other data ({shown}), and ours has the same name. "
                    f"Publishing would take theirs away. {_ELSEWHERE}"
                )
            found.questions.append(f"its configuration `{name}` ({shown}) is replaced by ours")

    def _keep_unnamed_data(self, found: Fitted) -> None:
        """Name data that `load_dataset` found by itself: beside our configurations it would not look for them."""
        if configs_of(self.theirs):
            return
        splits = {
            split: kept
            for split, paths in _resolve(self.before, {}).items()
            if (kept := [path for path in paths if path not in self.mine and path not in self.sent])
        }
        if not splits:
            return
        shown = _shown(path for paths in splits.values() for path in paths)
        form = format_of(splits)
        if form != _FORMAT and form in _ROWS:
            raise InosukeError(self._other_format(shown, form))
        if form in _DOCUMENTS:
            return
        if form != _FORMAT:
            found.questions.append(
                f"`load_dataset` read {shown} until now; afterwards it reads our data, and that only where a user "
                "names the file"
            )
            return
        infos = infos_of(self.theirs)
        name = config_name(infos[0]) if len(infos) == 1 else "default"
        if name in self.ours:
            name = "default"
        files = [{"split": split, "path": paths} for split, paths in splits.items()]
        default = {} if name == "default" else {"default": True}
        found.data["configs"] = [*configs_of(found.data), {"config_name": name, "data_files": files, **default}]
        found.notes.append(f"{shown}: named as the configuration `{name}`, so that `load_dataset` still finds it")

    def _pin_files(self, found: Fitted) -> None:
        """Let patterns of others match what they matched before, and none of our files."""
        configs = []
        for config in configs_of(found.data):
            name = config_name(config)
            if name in self.ours:
                configs.append(config)
                continue
            if _is_elsewhere(config):
                found.elsewhere.append(name)
                found.questions.append(
                    f"its configuration `{name}` reads files outside of the repository, so it was not tried"
                )
                configs.append(config)
                continue
            before, after = _resolve(self.before, config), _resolve(self.after, config)
            if missing := [split for split, paths in before.items() if not paths] or (not before and ["train"]):
                raise InosukeError(
                    f"{self.repo}: the configuration `{name}` in README.md names files for `{missing[0]}` that are not "
                    f"in the repository, so it cannot be loaded. Remove it, or correct its `data_files`, on the Hub "
                    f"(Files, README.md, edit), then publish again. {NOTHING}"
                )
            gone = [path for split, paths in before.items() for path in paths if path not in after.get(split, [])]
            if gone:
                raise InosukeError(
                    f"{self.repo}: the configuration `{name}` in README.md reads {gone[0]}, which this version no "
                    f"longer has. Remove it, or correct its `data_files`, on the Hub (Files, README.md, edit), then "
                    f"publish again. {NOTHING}"
                )
            if (form := format_of(before)) != _FORMAT:
                raise InosukeError(self._other_format(f"the configuration `{name}`", form))
            if after != before:
                files = [{"split": split, "path": paths} for split, paths in before.items()]
                config = {key: value for key, value in config.items() if key != "data_dir"} | {"data_files": files}
                found.notes.append(f"configuration `{name}`: its pattern would match our files; it names its own now")
            found.foreign[name] = before
            configs.append(config)
        if configs:
            found.data["configs"] = configs

    def _choose_default(self, found: Fitted) -> None:
        """Leave their default as it is: who loads the repository without a name gets what they got before."""
        configs = configs_of(found.data)
        foreign = [config for config in configs if config_name(config) not in self.ours]
        defaults = [c for c in foreign if config_name(c) == "default" or c.get("default")]
        if len(defaults) > 1:
            names = " and ".join(f"`{config_name(c)}`" for c in defaults)
            raise InosukeError(
                f"{self.repo}: {names} in README.md both want to be the default configuration, so `load_dataset` fails "
                f"on all of them. Leave `default: true` at one (a configuration called `default` always has it) on the "
                f"Hub (Files, README.md, edit), then publish again. {NOTHING}"
            )
        if not self.is_ours and not defaults and len(configs_of(self.theirs)) == len(foreign) == 1:
            only = foreign[0]  # the only configuration of a repository is its default
            defaults = [{**only, "default": True}]
            configs = [defaults[0] if config is only else config for config in configs]
        if not defaults:
            return
        found.data["configs"] = [
            {key: value for key, value in c.items() if key != "default"} if config_name(c) in self.ours else c
            for c in configs
        ]
        first = next(iter(self.ours), "")
        found.notes.append(
            f'load_dataset("{self.repo}") still loads `{config_name(defaults[0])}`; ours is '
            f'load_dataset("{self.repo}", "{first}")'
        )

    def _drop_infos_of_nothing(self, found: Fitted) -> None:
        infos = infos_of(found.data)
        names = {config_name(config) for config in configs_of(found.data)}
        kept = [info for info in infos if config_name(info) in names]
        if dropped := [config_name(info) for info in infos if config_name(info) not in names]:
            found.notes.append(f"`dataset_info` of `{dropped[0]}`: removed, there is no such configuration")
            put_infos(found.data, kept)

    def _other_format(self, what: str, form: str) -> str:
        return (
            f"{self.repo}: {what} is {form or 'of an unknown format'}, and `load_dataset` reads all configurations "
            f"of a repository in one format; ours is {_FORMAT}, so one of them could not be loaded. {_ELSEWHERE}"
        )


def put_infos(data: dict[str, Any], infos: Sequence[Mapping[str, Any]]) -> None:
    """Set `dataset_info` in YAML data, or remove it where there is none."""
    if infos:
        data["dataset_info"] = [dict(info) for info in infos]
    else:
        data.pop("dataset_info", None)


def refuse_clashes(repo: str, ours: Iterable[str], theirs: Iterable[str]) -> None:
    """Raise InosukeError where a path of theirs and one of ours cannot both be in a repository.

    git cannot hold a file and a folder of one name, and on Windows and macOS two names that differ only in case are
    one file.
    """
    taken = {part: path for path in theirs for part in _parts(path)}
    folded = {part.casefold(): part for part in taken}
    files = set(theirs)
    for path in ours:
        for part in _parts(path):
            same = folded.get(part.casefold())
            if same is None:
                continue
            if same != part:
                raise InosukeError(
                    f"{repo}: has `{same}` where ours is `{part}`. They differ in case alone, so they are one file on "
                    f"Windows and macOS. Rename or remove theirs on the Hub, then publish again. {NOTHING}"
                )
            if (part in files) != (part == path):
                raise InosukeError(
                    f"{repo}: `{part}` is a file in one and a folder in the other, and a repository cannot hold both. "
                    f"Rename or remove theirs on the Hub, then publish again. {NOTHING}"
                )


def plant(root: Path, paths: Iterable[str]) -> Path:
    """Make a tree of empty files and return its root. Patterns can be resolved in it, and nothing was downloaded."""
    root.mkdir(parents=True)
    for path in paths:
        if ".." in path.split("/") or path.startswith("/"):
            raise InosukeError(f"the Hub lists a file `{path}`, which is not a path in a repository. {NOTHING}")
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return root


def format_of(splits: Mapping[str, Sequence[str]]) -> str:
    """Return the format that `load_dataset` reads these files in: the module of their most frequent ending."""
    modules: Any = import_module("datasets.packaged_modules")
    endings = Counter(
        "." + part for paths in splits.values() for path in paths for part in path.rpartition("/")[2].split(".")[1:]
    )
    known = [modules._EXTENSION_TO_MODULE[e][0] for e, _ in endings.most_common() if e in modules._EXTENSION_TO_MODULE]
    return str(known[0]) if known else ""


def _resolve(tree: Path, config: Mapping[str, Any]) -> Splits:
    """Return the files of a configuration by split, as `datasets` finds them; an empty list for a pattern without."""
    files: Any = import_module("datasets.data_files")
    modules: Any = import_module("datasets.packaged_modules")
    base = tree / str(config.get("data_dir") or "")
    try:
        if config.get("data_files") is not None:
            patterns = files.sanitize_patterns(config["data_files"])
        else:
            patterns = files.get_data_patterns(base.as_posix())
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError) as error:
        raise InosukeError(
            f"README.md on the Hub: `data_files` of the configuration `{config_name(config)}` cannot be read "
            f"({str(error).strip().splitlines()[0]}). Correct it there, then publish again. {NOTHING}"
        ) from None
    found: Splits = {}
    for split, wanted in patterns.items():
        paths: set[str] = set()
        for pattern in wanted:
            try:
                matches = files.resolve_pattern(pattern, base.as_posix(), modules._ALL_ALLOWED_EXTENSIONS)
            except FileNotFoundError:
                if config.get("data_files") is not None:  # one pattern without a file makes the split fail
                    paths.clear()
                    break
                continue
            paths |= {Path(match).relative_to(tree.as_posix()).as_posix() for match in matches}
        found[str(split)] = sorted(paths)
    return found


def _is_elsewhere(config: Mapping[str, Any]) -> bool:
    """Return whether a configuration names files outside of its repository: addresses, absolute paths, parents."""
    said = config.get("data_files") or []
    items = [said] if isinstance(said, str | Mapping) else list(said)
    patterns: list[Any] = []
    for item in items:
        path = item.get("path", "") if isinstance(item, Mapping) else item
        patterns += path if isinstance(path, list) else [path]
    patterns.append(config.get("data_dir") or "")
    return any("://" in str(p) or str(p).startswith("/") or ".." in str(p).split("/") for p in patterns)


def _parts(path: str) -> list[str]:
    """Return a path and the folders around it."""
    pieces = path.split("/")
    return ["/".join(pieces[: n + 1]) for n in range(len(pieces))]


def _shown(paths: Iterable[str]) -> str:
    found = sorted(paths)
    return ", ".join(found[:3]) + (f" and {len(found) - 3:,} more" if len(found) > 3 else "")
