"""The `inosuke` command: mounts the stages' sub-commands, each imported only when it is needed."""

from __future__ import annotations

import click

from curation.command import load_command, run

# Each command by its name, and where it is. What it does stands once, as its own help text. A module of commands
# imports what it needs only when its command runs: `inosuke --help` loads all of them, and nothing heavy.
COMMANDS: dict[str, str] = {
    "new": "curation.commands.new:new",
    "import": "curation.commands.import_files:import_files",
    "source": "curation.commands.source:source",
    "dataset": "curation.commands.dataset:dataset",
    "lorebook": "curation.commands.lorebook:lorebook",
    "dedup": "curation.commands.dedup:dedup",
    "review": "annotations.commands.review:review",
    "label-studio": "annotations.commands.label_studio:label_studio",
    "publish": "curation.commands.publish:publish",
    "publish-model": "curation.commands.publish_model:publish_model",
    "train": "train.commands.train:train",
    "evaluate": "train.commands.evaluate:evaluate",
    "bases": "train.commands.bases:bases",
    "merge": "train.commands.merge:merge",
    "gguf": "train.commands.gguf:gguf",
    "serve": "serve.commands.serve:serve",
    "feedback": "serve.commands.feedback:feedback",
    "card": "curation.commands.card:card",
    "space": "serve.commands.space:space",
}


class _Lazy(click.Group):
    """A group that knows its commands by name and imports one when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return load_command(COMMANDS, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            commands = [(name, self.get_command(ctx, name)) for name in COMMANDS]
            # click's own listing cuts a long line off, this one wraps it.
            formatter.write_dl([(name, command.get_short_help_str(limit=200)) for name, command in commands if command])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ai-inosuke")
def cli() -> None:
    """From handwritten lines to a character that answers.

    \b
    Example:
      inosuke dataset && inosuke train && inosuke serve
    """


def main() -> None:
    """Run the command line."""
    run(cli)


if __name__ == "__main__":
    main()
