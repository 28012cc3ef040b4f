"""Character cards (V1, V2, V3): their containers, a persona drafted from one, and a card written from a persona."""
