"""Put the merged repository together in a temporary folder and load it, before anything is sent.

The folder holds our files, the merged card, and of other people's files those that `load_dataset` needs. Their
configurations are loaded too. A large one is not downloaded: its files' names, its columns and its row counts are read
from the Hub instead.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from curation.contracts.manifest import MANIFEST, read_manifest
from curation.errors import InosukeError
from curation.export import card_merge, exported_rows
from curation.export.manifest import CARD
from curation.hub import verify
from curation.hub.commit import Before
from curation.hub.configurations import NOTHING, Fitted, Merger, Splits, plant, put_infos, refuse_clashes

MOST_BYTES = 64_000_000  # of other people's data that are downloaded to be loaded
_MOST_FOOTERS = 40  # Parquet files of one configuration whose row counts are read
_OLD_INFOS, _OTHER_YAML = "dataset_infos.json", ".huggingface.yaml"  # which `load_dataset` also reads


class Rehearsal:
    """One merged repository: fit its card, load it, and tell how each configuration was checked."""

    def __init__(self, before: Before, folder: Path, scratch: Path, *, replaceable: bool) -> None:
        self._before, self._folder = before, folder
        sent = [*read_manifest(folder).files, MANIFEST]
        mine = before.manifest.files if before.manifest else {}
        stays = [path for path in before.files if path in sent or path not in mine]
        refuse_clashes(before.repo, sent, [path for path in stays if path not in sent])
        name = before.repo.rpartition("/")[2]
        self._refuse_what_hides_ours(f"{name}.py")
        # Called like the repository: `load_dataset` looks for a script of that name.
        self._root = plant(scratch / "merged" / name, [path for path in stays if path not in sent])
        for path in sent:
            target = self._root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / path, target)
        self._merger = Merger(
            repo=before.repo,
            ours=self._ours(mine),
            theirs=card_merge.parse(before.card() or "", f"{before.repo}/{CARD} on the Hub").data,
            before=plant(scratch / "before" / name, before.files),
            after=plant(scratch / "after" / name, {*stays, *sent}),
            mine=mine,
            sent=sent,
            is_ours=before.manifest is not None,
            replaceable=replaceable,
        )
        self.fitted = Fitted(data={})
        self.checked: dict[str, str] = {}
        if _OLD_INFOS in stays:
            self._fetch(_OLD_INFOS)

    def _ours(self, mine: Collection[str]) -> tuple[str, ...]:
        """Return our configurations: those of the folder, and those that only our last publication had."""
        there = exported_rows.present(self._folder)
        gone = (c for c in exported_rows.OPTIONAL if any(path.startswith(f"{c}/") for path in mine))
        return (*there, *(config for config in gone if config not in there))

    def front_matter(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Return the merged YAML data with which everything loads, their configurations tried.

        Raises InosukeError where something would not load.
        """
        self.fitted = fitted = self._merger.fit(data)
        left = MOST_BYTES
        for name, splits in sorted(fitted.foreign.items(), key=lambda pair: self._bytes(pair[1])):
            if (size := self._bytes(splits)) <= left:
                left -= size
                self._load_theirs(name, splits)
            else:
                self._compare_theirs(name, splits, size)
        for name in fitted.elsewhere:
            self.checked[name] = "not loaded: names files outside of the repository"
        return fitted.data

    def load_ours(self) -> None:
        """Load our configurations from the merged repository, with the card that will be sent, and compare each row.

        Raises InosukeError if one does not load or has other rows.
        """
        shutil.copyfile(self._folder / CARD, self._root / CARD)
        ours = {}
        for config in exported_rows.present(self._folder):
            try:
                seen = verify.load(str(self._root), config)
            except verify.NotLoaded as error:
                raise self._refused(config, str(error)) from None
            if seen != (wanted := verify.expected(self._folder, config)):
                said = f"it has {verify.counted(seen)} rows, and ours are {verify.counted(wanted)}"
                raise self._refused(config, said)
            ours[config] = f"loaded whole ({verify.counted(seen)})"
        self.checked = ours | self.checked

    def _load_theirs(self, name: str, splits: Splits) -> None:
        for path in sorted({path for paths in splits.values() for path in paths}):
            if (self._root / path).stat().st_size == 0:
                self._fetch(path)
        try:
            seen = self._load(name)
        except verify.NotLoaded as error:
            if not self._has_info(name):
                raise self._refused(name, str(error)) from None
            self._drop_info(name)
            try:
                seen = self._load(name)
            except verify.NotLoaded as still:
                raise self._refused(name, str(still)) from None
        self.checked[name] = f"loaded whole ({verify.counted(seen)})"

    def _load(self, name: str) -> dict[str, list[Any]]:
        import yaml

        block = yaml.safe_dump(self.fitted.data, sort_keys=False, allow_unicode=True)
        (self._root / CARD).write_text(f"---\n{block}---\n", encoding="utf-8")
        return verify.load(str(self._root), name)

    def _compare_theirs(self, name: str, splits: Splits, size: int) -> None:
        """Compare what the card says of a large configuration with its files' footers; download no row."""
        paths = [path for files in splits.values() for path in files]
        how = f"{len(paths):,} files of {size / 1e6:,.0f} MB not downloaded; names and columns"
        info = next((i for i in card_merge.infos_of(self.fitted.data) if card_merge.config_name(i) == name), None)
        if info is not None and not self._agrees(info, splits):
            self._drop_info(name)
        if len(paths) <= _MOST_FOOTERS:
            how += ", row counts"
        self.checked[name] = f"{how} compared"

    def _agrees(self, info: Mapping[str, Any], splits: Splits) -> bool:
        from datasets import Features  # type: ignore[attr-defined]

        if info.get("features"):
            said = Features._from_yaml_list(info["features"])
            for files in splits.values():
                seen = Features.from_arrow_schema(self._footer(files[0]).schema.to_arrow_schema())
                if dict(seen) != dict(said):
                    return False
        counts = {str(split["name"]): split.get("num_examples") for split in info.get("splits") or []}
        if not counts:
            return True
        if set(counts) != set(splits):
            return False
        if sum(map(len, splits.values())) > _MOST_FOOTERS:
            return True
        return all(sum(self._footer(f).num_rows for f in files) == counts[split] for split, files in splits.items())

    def _footer(self, path: str) -> Any:
        """Return the metadata of a Parquet file on the Hub: its last bytes, not the file."""
        import pyarrow.parquet as pq
        from huggingface_hub import HfFileSystem

        hub = self._before.hub
        assert hub is not None  # there are files, so there is a Hub
        with hub.explained(f"read the columns of {path}"):
            files = HfFileSystem(endpoint=hub.api.endpoint, token=hub.token)
            where = f"datasets/{self._before.repo}@{self._before.commit}/{path}"
            with files.open(where, "rb", block_size=256 * 1024) as file:
                return pq.read_metadata(file)

    def _fetch(self, path: str) -> None:
        shutil.copyfile(self._before.read(path), self._root / path)

    def _bytes(self, splits: Splits) -> int:
        sizes = self._before.remote.sizes if self._before.remote else {}
        return sum(sizes.get(path, 0) for path in {path for paths in splits.values() for path in paths})

    def _has_info(self, name: str) -> bool:
        return any(card_merge.config_name(info) == name for info in card_merge.infos_of(self.fitted.data))

    def _drop_info(self, name: str) -> None:
        infos = [i for i in card_merge.infos_of(self.fitted.data) if card_merge.config_name(i) != name]
        put_infos(self.fitted.data, infos)
        self.fitted.notes.append(f"`dataset_info` of `{name}`: removed, it does not describe the data that are there")

    def _refuse_what_hides_ours(self, script: str) -> None:
        repo, files = self._before.repo, self._before.files
        if script in files:
            raise InosukeError(
                f"{repo}: has a loading script ({script}), and `load_dataset` refuses any repository with one. Remove "
                f"it on the Hub, then publish again. {NOTHING}"
            )
        if _OTHER_YAML in files:
            said = _other_yaml(self._before.read(_OTHER_YAML), repo)
            if hidden := [key for key in ("configs", "dataset_info") if key in said]:
                raise InosukeError(
                    f"{repo}: its {_OTHER_YAML} states `{hidden[0]}`, which hides that of README.md, so our data could "
                    f"not be loaded. Move it into README.md on the Hub, then publish again. {NOTHING}"
                )

    def _refused(self, config: str, reason: str) -> InosukeError:
        whose = "our" if config in exported_rows.present(self._folder) else "the"
        return InosukeError(
            f"{self._before.repo}: the merged repository was put together here, and `load_dataset` fails on {whose} "
            f"configuration `{config}` ({reason}). Correct or remove what is there on the Hub (Files), then publish "
            f"again, or publish to a repository of its own. {NOTHING}"
        )


def _other_yaml(path: Path, repo: str) -> Collection[str]:
    import yaml

    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        raise InosukeError(
            f"{repo}: its {_OTHER_YAML} is not valid YAML, so `load_dataset` fails on the repository. Correct or "
            f"remove it on the Hub, then publish again. {NOTHING}"
        ) from None
    return found if isinstance(found, dict) else ()
