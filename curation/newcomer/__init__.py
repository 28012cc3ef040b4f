"""A new character's folder: persona.toml, example rows, held-out prompts and guidelines to fill in."""
